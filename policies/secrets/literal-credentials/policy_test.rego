package secrets.literal_credentials_test

import data.secrets.literal_credentials

app(container) := {"review": {
	"kind": {"group": "", "version": "v1", "kind": "Pod"},
	"object": {"spec": {"containers": [object.union({"name": "app"}, container)]}},
}}

variable(name, value) := app({"env": [{"name": name, "value": value}]})

config(data_of) := {"review": {
	"kind": {"group": "", "version": "v1", "kind": "ConfigMap"},
	"object": {"metadata": {"name": "settings"}, "data": data_of},
}}

# The [rule, path] of each finding.
verdict(request) := {[entry.rule, entry.path] | some entry in findings(request, {})}

findings(request, parameters) := result if {
	result := literal_credentials.deny with input as object.union(request, {"parameters": parameters})
}

aws := concat("", ["AK", "IAIOSFODNN7EXAMPLE"])

github := concat("", ["gh", "p_", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"])

test_a_password_in_a_variable_is_found_and_never_repeated if {
	findings(variable("DB_PASSWORD", "hunter2"), {}) == {{
		"rule": "credential-name",
		"path": "/spec/containers/0/env/0/value",
		"found": "hunter2",
		"expected": "read from a Secret (valueFrom.secretKeyRef)",
		"msg": "a literal value is named like a credential",
	}}
}

test_a_token_is_found_by_its_shape_whatever_its_variable_is_called if {
	findings(variable("SETTING", github), {}) == {{
		"rule": "credential-value",
		"path": "/spec/containers/0/env/0/value",
		"found": github,
		"expected": "read from a Secret (valueFrom.secretKeyRef)",
		"msg": "it looks like a GitHub token",
	}}
}

test_a_token_in_a_variable_named_so_is_found_once if {
	verdict(variable("GITHUB_TOKEN", github)) == {["credential-value", "/spec/containers/0/env/0/value"]}
}

test_several_shapes_make_one_finding if {
	text := concat(" ", [aws, github])
	messages := {entry.msg | some entry in findings(variable("SETTING", text), {})}
	messages == {"it looks like a GitHub token and an AWS access key"}
}

test_an_absent_value_is_no_literal if {
	verdict(app({"env": [{"name": "DB_PASSWORD"}]})) == set()
	reference := {"secretKeyRef": {"name": "db", "key": "password"}}
	verdict(app({"env": [{"name": "DB_PASSWORD", "valueFrom": reference}]})) == set()
}

test_an_empty_value_is_no_literal if verdict(variable("DB_PASSWORD", "")) == set()

test_values_that_refer_to_something_else_pass if {
	every value in [
		"$(OTHER)", "${database.connection_string}", "${database.password}", "/run/secrets/db", "<from-vault>",
		"vault:secret/data/db#password", "op://team/db/password", "ref+awsssm://db", "true",
		"arn:aws:secretsmanager:eu-west-1:1:secret:db",
	] {
		verdict(variable("DB_PASSWORD", value)) == set()
	}
}

test_a_dollar_sign_makes_no_reference_of_a_variables_value if {
	verdict(variable("DB_PASSWORD", "$ecret")) == {["credential-name", "/spec/containers/0/env/0/value"]}
}

test_harmless_variables_pass if {
	verdict(variable("LOG_LEVEL", "debug")) == set()
	verdict(variable("DATABASE_URL", "postgres://db:5432/app")) == set()
	verdict(variable("DATABASE_URL", "postgres://$(USER):$(PASSWORD)@db/app")) == set()
	verdict(variable("TOKEN_TTL", "3600")) == set()
}

test_a_url_with_a_password_is_found if {
	request := variable("DATABASE_URL", "postgres://app:hunter2@db/app")
	verdict(request) == {["credential-value", "/spec/containers/0/env/0/value"]}
}

test_every_kind_of_container_is_looked_into if {
	container := {"name": "c", "env": [{"name": "TOKEN", "value": "abc"}]}
	lists := ["initContainers", "containers", "ephemeralContainers"]
	pod := {"spec": {list: [container] | some list in lists}}
	request := {"review": {"kind": {"kind": "Pod"}, "object": pod}}
	verdict(request) == {["credential-name", sprintf("/spec/%s/0/env/0/value", [list])] | some list in lists}
}

test_credentials_on_command_lines_are_found if {
	request := app({
		"command": ["sh", "-c", "PGPASSWORD=hunter2 psql"],
		"args": ["--user", "app", "--password", "hunter2", "--token=abc", concat("", ["--x=", aws]), "--verbose"],
	})
	verdict(request) == {
		["credential-name", "/spec/containers/0/command/2"],
		["credential-name", "/spec/containers/0/args/3"],
		["credential-name", "/spec/containers/0/args/4"],
		["credential-value", "/spec/containers/0/args/5"],
	}
}

test_command_lines_that_refer_to_variables_pass if {
	request := app({
		"command": ["sh", "-c", "PGPASSWORD=\"$DB_PASSWORD\" psql --password $(DB_PASSWORD) --token `cat /t`"],
		"args": [
			"--password", "$(DB_PASSWORD)", "--token=$(TOKEN)",
			"--password", "--verbose", "--api-key-file", "/k",
		],
	})
	verdict(request) == set()
}

test_a_shell_variable_is_one_only_on_a_command_line if {
	verdict(app({"args": ["--password", "$PASSWORD"]})) == set()
	verdict(variable("DB_PASSWORD", "$ecret")) == {["credential-name", "/spec/containers/0/env/0/value"]}
}

test_commands_of_probes_and_hooks_are_looked_into if {
	command := {"exec": {"command": ["redis-cli", "--password", "hunter2"]}}
	request := app({"livenessProbe": command, "lifecycle": {"preStop": command}})
	verdict(request) == {
		["credential-name", "/spec/containers/0/livenessProbe/exec/command/2"],
		["credential-name", "/spec/containers/0/lifecycle/preStop/exec/command/2"],
	}
}

test_headers_of_probes_are_looked_into if {
	headers := [
		{"name": "Authorization", "value": "Basic YWRtaW46YWRtaW4="},
		{"name": "X-Api-Key", "value": "abc"},
		{"name": "Accept", "value": "text/plain"},
	]
	request := app({"readinessProbe": {"httpGet": {"port": 80, "httpHeaders": headers}}})
	verdict(request) == {
		["credential-value", "/spec/containers/0/readinessProbe/httpGet/httpHeaders/0/value"],
		["credential-name", "/spec/containers/0/readinessProbe/httpGet/httpHeaders/1/value"],
	}
}

test_a_config_maps_keys_and_values_are_looked_into if {
	request := config({
		"LOG_LEVEL": "debug",
		"password": "hunter2",
		"a/b": aws,
		"PASSWORD_REFERENCE": "${database.password}",
	})
	verdict(request) == {["credential-name", "/data/password"], ["credential-value", "/data/a~1b"]}
}

test_settings_within_a_config_maps_files_are_found if {
	request := config({
		"application.properties": "server.port=80\nspring.datasource.password=hunter2\n",
		"good.properties": "spring.datasource.password=${DB_PASSWORD}\nother.password=$oidc.secret\n",
		"tls.yaml": "tls:\n  secret: web-tls\n",
		"run.py": "password = read()\n",
	})
	verdict(request) == {["credential-name", "/data/application.properties"]}
}

test_a_config_map_without_data_passes if {
	request := {"review": {"kind": {"kind": "ConfigMap"}, "object": {"metadata": {"name": "empty"}}}}
	verdict(request) == set()
}

test_null_and_odd_fields_are_no_literals if {
	verdict({"review": {"kind": {"kind": "ConfigMap"}, "object": {"data": null}}}) == set()
	verdict(app({"env": null, "args": null, "command": "sh", "livenessProbe": {"exec": null}})) == set()
	verdict(app({"readinessProbe": {"exec": {"command": "sh"}}})) == set()
	verdict(app({"env": [{"value": "x"}, null, 7], "args": [null, 7, "x"]})) == set()
	verdict(config({"a.yaml": 7})) == set()
}

test_data_of_other_kinds_is_not_looked_into if {
	request := {"review": {"kind": {"kind": "Secret"}, "object": {"data": {"password": "aHVudGVyMg=="}}}}
	verdict(request) == set()
}

test_allowed_names_may_have_any_value if {
	allowed := {"allowedNames": ["DB_PASSWORD", "password"]}
	findings(variable("DB_PASSWORD", "hunter2"), allowed) == set()
	findings(app({"args": ["--password", "hunter2", "--password=hunter2"]}), allowed) == set()
	findings(config({"password": "hunter2"}), allowed) == set()
	{entry.rule | some entry in findings(variable("db_password", "hunter2"), allowed)} == {"credential-name"}
}

test_further_names_and_references_are_parameters if {
	parameters := {"names": ["(^|_)pin$"], "references": ["^kms:"]}
	{entry.rule | some entry in findings(variable("DOOR_PIN", "1234"), parameters)} == {"credential-name"}
	findings(variable("DOOR_PIN", "kms:1234"), parameters) == set()
	{entry.rule | some entry in findings(config({"a.env": "DOOR_PIN=1234"}), parameters)} == {"credential-name"}
}

test_what_is_no_text_is_no_literal if {
	verdict(app({"env": [{"name": "DB_PASSWORD", "value": 7}]})) == set()
	verdict(app({"env": [{"name": 7, "value": "x"}]})) == set()
	headers := [{"name": "X-Api-Key", "value": 7}]
	verdict(app({"readinessProbe": {"httpGet": {"httpHeaders": headers}}})) == set()
}

test_a_token_without_a_name_is_found if {
	verdict(app({"env": [{"value": aws}]})) == {["credential-value", "/spec/containers/0/env/0/value"]}
}

expected(request) := {entry.expected | some entry in findings(request, {})}

test_each_place_says_what_to_do_instead if {
	free := "free of credentials: read one from a Secret as a variable and write $(NAME)"
	expected(app({"args": ["--password", "hunter2"]})) == {free}
	headers := {"httpGet": {"httpHeaders": [{"name": "X-Api-Key", "value": "abc"}]}}
	expected(app({"livenessProbe": headers})) == {"free of credentials: let the check answer without them"}
	expected(config({"password": "hunter2"})) == {"kept in a Secret"}
}

test_every_probe_and_hook_is_looked_into if {
	probe := {
		"exec": {"command": ["--password", "hunter2"]},
		"httpGet": {"httpHeaders": [{"name": "X-Api-Key", "value": "$ecret"}]},
	}
	hooks := {"postStart": probe, "preStop": probe}
	probes := {name: probe | some name in ["livenessProbe", "readinessProbe", "startupProbe"]}
	paths := {path | some [_, path] in verdict(app(object.union(probes, {"lifecycle": hooks})))}
	places := ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle/postStart", "lifecycle/preStop"]
	paths == {sprintf("/spec/containers/0/%s/%s", [place, below]) |
		some place in places
		some below in ["exec/command/1", "httpGet/httpHeaders/0/value"]
	}
}

test_headers_may_be_allowed_by_name if {
	headers := [{"name": "X-Api-Key", "value": "abc"}]
	request := app({"livenessProbe": {"httpGet": {"httpHeaders": headers}}})
	findings(request, {"allowedNames": ["X-Api-Key"]}) == set()
}

test_a_config_maps_value_may_be_a_reference if verdict(config({"password": "$oidc.secret"})) == set()

test_what_has_no_name_has_no_further_one if {
	findings(app({"args": ["plain"]}), {"names": ["[a-z]"]}) == set()
	findings(app({"env": [{"value": "x"}]}), {"names": ["[a-z]"]}) == set()
	findings(config({"notes": "two\nlines"}), {"names": ["^[mn]"]}) == set()
	findings(config({"a.env": "COLOR=red\n"}), {"names": ["pin$"]}) == set()
}

# equivalent:
#   line: 'is_array(list)'
#   becomes: 'true'
#   because: nothing is in what is no list, nor can it be gone through
#   shownBy: test_null_and_odd_fields_are_no_literals
# equivalent:
#   line: '} else := []'
#   becomes: '}'
#   because: what is gone through is empty or is not there, and nothing is found in either
#   shownBy: test_null_and_odd_fields_are_no_literals
# equivalent:
#   line: 'is_object(container)'
#   becomes: 'true'
#   because: only objects are among the containers
#   shownBy: test_null_and_odd_fields_are_no_literals
