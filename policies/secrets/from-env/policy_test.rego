package secrets.from_env_test

import data.secrets.from_env

pod(list, container) := {"review": {"object": {"spec": {list: [container]}}}}

key := {"name": "db", "key": "password"}

variable := {"env": [
	{"name": "PLAIN", "value": "x"},
	{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": key}},
]}

all_keys := {"envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "db"}}]}

test_a_key_in_a_variable_is_denied if {
	from_env.deny == {{
		"rule": "secret-in-variable",
		"path": "/spec/containers/0/env/1/valueFrom/secretKeyRef",
		"found": key,
		"expected": "left out, with the Secret mounted as a file",
	}} with input as pod("containers", variable)
}

test_all_keys_in_the_environment_are_denied if {
	from_env.deny == {{
		"rule": "secret-in-environment",
		"path": "/spec/containers/0/envFrom/1/secretRef",
		"found": {"name": "db"},
		"expected": "left out, with the Secret mounted as a file",
	}} with input as pod("containers", all_keys)
}

test_containers_of_every_kind_are_judged if {
	every list in ["initContainers", "containers", "ephemeralContainers"] {
		result := from_env.deny with input as pod(list, object.union(variable, all_keys))
		{entry.path | some entry in result} == {
			sprintf("/spec/%s/0/env/1/valueFrom/secretKeyRef", [list]),
			sprintf("/spec/%s/0/envFrom/1/secretRef", [list]),
		}
	}
}

test_other_sources_pass if {
	other := {"env": [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}
	from_env.deny == set() with input as pod("containers", other)
	from_env.deny == set() with input as pod("containers", {"env": null, "envFrom": null})
	nulls := {"env": [{"valueFrom": {"secretKeyRef": null}}], "envFrom": [{"secretRef": null}]}
	from_env.deny == set() with input as pod("containers", nulls)
}

test_where_nothing_is_taken_from_a_secret_nothing_is_found if {
	from_env.deny == set() with input as {"review": {"object": {}}}
	from_env.deny == set() with input as pod("containers", {"name": "app"})
}
