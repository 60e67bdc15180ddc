package self_service.claim_outputs_test

import data.self_service.claim_outputs

database := {"status": {"phase": "Ready", "outputs": {
	"connection_string": {"secret": "database-app", "key": "uri"},
	"host": {"secret": "database-app", "key": "host"},
}}}

claims := {
	"database": database,
	"fresh": {"spec": {"type": "postgresql"}},
	"waiting": {"status": {
		"phase": "PendingApproval",
		"conditions": [{"type": "Accepted", "message": "no"}, {"type": "Ready", "message": "waits for platform-dba"}],
	}},
	"silent": {"status": {"phase": "Failed", "conditions": [{"type": "Ready", "message": ""}], "outputs": {}}},
	"disk": {"status": {"phase": "Ready"}},
}

inventory(known) := {"namespace": {"shop": {"wayguard.io/v1alpha1": {"PlatformClaim": known}}}}

managed := {"metadata": {"labels": {"managed-by": "idp"}}}

# A Pod with one container, made in a managed namespace.
pod(env) := input_of({"spec": {"containers": [{"name": "app", "env": env}]}})

input_of(object) := {
	"review": {"object": object, "namespace": "shop", "operation": "CREATE"},
	"namespace": managed,
}

variable(value) := [{"name": "URL", "value": value}]

secret(name, key) := {"name": name, "valueFrom": {"secretKeyRef": {"name": "database-app", "key": key}}}

rules(findings) := {finding.rule | some finding in findings}

test_a_whole_value_becomes_a_reference_to_the_secret if {
	spellings := ["${database.connection_string}", "$${database.connection_string}", "${database.url}", "${database.uri}"]
	every value in spellings {
		overrides := claim_outputs.overrides with input as pod(variable(value)) with data.inventory as inventory(claims)
		overrides == {{"path": "/spec/containers/0/env", "value": [secret("URL", "uri")]}}
		count(claim_outputs.deny) == 0 with input as pod(variable(value)) with data.inventory as inventory(claims)
	}
}

test_an_output_of_the_name_of_an_alias_counts_first if {
	own := {"own": {"status": {"outputs": {
		"url": {"secret": "own", "key": "u"},
		"connection_string": {"secret": "own", "key": "c"},
	}}}}
	overrides := claim_outputs.overrides with input as pod(variable("${own.url}")) with data.inventory as inventory(own)
	some override in overrides
	override.value[0].valueFrom.secretKeyRef == {"name": "own", "key": "u"}
}

test_other_text_is_put_together_by_the_kubelet if {
	env := [
		{"name": "FIRST", "value": "1"},
		{"name": "JDBC", "value": "jdbc:postgresql://${database.host}/app?next=${database.host}&all=$${database.url}"},
	]
	overrides := claim_outputs.overrides with input as pod(env) with data.inventory as inventory(claims)
	overrides == {{"path": "/spec/containers/0/env", "value": [
		secret("__ref_database.host", "host"),
		secret("__ref_database.url", "uri"),
		{"name": "FIRST", "value": "1"},
		{
			"name": "JDBC",
			"value": "jdbc:postgresql://$(__ref_database.host)/app?next=$(__ref_database.host)&all=$(__ref_database.url)",
		},
	]}}
}

test_what_is_written_once_is_left_as_it_is if {
	env := [secret("__ref_database.host", "host"), {"name": "J", "value": "//$(__ref_database.host)/"}, {"name": "N"}]
	seen := pod(env)
	count(claim_outputs.overrides) == 0 with input as seen with data.inventory as inventory(claims)
	count(claim_outputs.deny) == 0 with input as seen with data.inventory as inventory(claims)
}

test_init_containers_are_written_and_debug_containers_not if {
	container := {"name": "c", "env": variable("${database.host}")}
	spec := {"initContainers": [container], "containers": [{"name": "a"}, container], "ephemeralContainers": [container]}
	overrides := claim_outputs.overrides with input as input_of({"spec": spec}) with data.inventory as inventory(claims)
	{override.path | some override in overrides} == {"/spec/initContainers/0/env", "/spec/containers/1/env"}
}

test_an_unknown_output_is_refused_and_the_known_ones_named if {
	seen := pod(variable("${database.pasword}"))
	expected := {{
		"rule": "unknown-output",
		"path": "/spec/containers/0/env/0/value",
		"found": "${database.pasword}",
		"expected": "one of `database.connection_string`, `database.host`",
		"msg": "the claim `database` hands back no `pasword`",
	}}
	claim_outputs.deny == expected with input as seen with data.inventory as inventory(claims)
	claim_outputs.deny == expected with input as object.union(seen, {"owner": {}}) with data.inventory as inventory(claims)
	count(claim_outputs.overrides) == 0 with input as seen with data.inventory as inventory(claims)
}

test_one_output_is_enough_to_know_the_others_do_not_exist if {
	one := {"one": {"status": {"outputs": {"host": {"secret": "s", "key": "h"}}}}}
	some finding in claim_outputs.deny with input as pod(variable("${one.port}")) with data.inventory as inventory(one)
	finding.rule == "unknown-output"
	finding.expected == "one of `one.host`"
}

test_a_claim_without_outputs_has_none_to_name if {
	some finding in claim_outputs.deny with input as pod(variable("${disk.path}")) with data.inventory as inventory(claims)
	finding.expected == "left out: claims of this type hand nothing back"
}

test_a_pod_waits_for_its_claim_and_a_workload_does_not if {
	every name, why in {
		"fresh": "Pending",
		"waiting": "PendingApproval (waits for platform-dba)",
		"silent": "Failed",
	} {
		seen := pod(variable(sprintf("${%s.url}", [name])))
		findings := claim_outputs.deny with input as seen with data.inventory as inventory(claims)
		findings == {{
			"rule": "not-yet",
			"path": "/spec/containers/0/env/0/value",
			"found": sprintf("${%s.url}", [name]),
			"expected": "a claim that has been provided for",
			"msg": sprintf("the claim `%s` hands nothing back yet: it is %s", [name, why]),
			"remedy": concat(" ", [
				"Wait: a workload's controller tries again.",
				"`kubectl describe platformclaim` says what it waits for.",
			]),
		}}
		workload := object.union(seen, {"owner": {}})
		count(claim_outputs.deny) == 0 with input as workload with data.inventory as inventory(claims)
		count(claim_outputs.warn) == 0 with input as workload with data.inventory as inventory(claims)
	}
}

test_an_unknown_claim_is_refused_at_pods_and_told_at_workloads if {
	seen := pod(variable("${databse.url}"))
	expected := {{
		"rule": "unknown-claim",
		"path": "/spec/containers/0/env/0/value",
		"found": "${databse.url}",
		"expected": "one of `database`",
		"msg": "there is no PlatformClaim `databse` in the namespace",
	}}
	known := inventory({"database": database})
	claim_outputs.deny == expected with input as seen with data.inventory as known
	count(claim_outputs.warn) == 0 with input as seen with data.inventory as known
	workload := object.union(seen, {"owner": {}})
	claim_outputs.warn == expected with input as workload with data.inventory as known
	count(claim_outputs.deny) == 0 with input as workload with data.inventory as known
}

test_a_namespace_without_claims_says_so if {
	some finding in claim_outputs.deny with input as pod(variable("${a.b}")) with data.inventory as inventory({})
	finding.expected == "the name of a claim, of which the namespace has none"
}

test_in_other_namespaces_only_claims_that_exist_are_meant if {
	seen := object.union(pod(variable("${some.template}")), {"namespace": {"metadata": {"labels": {"managed-by": "me"}}}})
	count(claim_outputs.deny) == 0 with input as seen with data.inventory as inventory(claims)
	count(claim_outputs.warn) == 0 with input as object.union(seen, {"owner": {}}) with data.inventory as inventory(claims)
	known := object.union(pod(variable("${database.host}")), {"namespace": {"metadata": {"labels": {"managed-by": "me"}}}})
	count(claim_outputs.overrides) == 1 with input as known with data.inventory as inventory(claims)
}

test_a_pod_that_exists_is_left_alone if {
	seen := object.union(pod(variable("${databse.url}")), {"review": {"operation": "UPDATE"}})
	count(claim_outputs.deny) == 0 with input as seen with data.inventory as inventory(claims)
	workload := object.union(seen, {"owner": {}})
	count(claim_outputs.warn) == 1 with input as workload with data.inventory as inventory(claims)
	every value in ["${database.host}", "${database.pasword}", "${fresh.host}"] {
		there := object.union(pod(variable(value)), {"review": {"operation": "UPDATE"}})
		count(claim_outputs.deny) == 0 with input as there with data.inventory as inventory(claims)
		count(claim_outputs.overrides) == 0 with input as there with data.inventory as inventory(claims)
	}
	noted := object.union(annotated("nonsense"), {"review": {"operation": "UPDATE"}})
	count(claim_outputs.deny) == 0 with input as noted with data.inventory as inventory(claims)
}

annotated(text) := object.union(
	pod([{"name": "MINE", "value": "1"}]),
	{"review": {"object": {"metadata": {"annotations": {"wayguard.io/env": text}}}}},
)

test_an_annotation_adds_variables_that_are_not_there if {
	seen := annotated("Z=database.url,\n MINE=database.host A=database.host")
	overrides := claim_outputs.overrides with input as seen with data.inventory as inventory(claims)
	overrides == {{
		"path": "/spec/containers/0/env",
		"value": [{"name": "MINE", "value": "1"}, secret("A", "host"), secret("Z", "uri")],
	}}
}

test_an_annotation_is_judged_as_values_are if {
	seen := annotated("A=database.pasword B=databse.url C=${database.url}")
	findings := claim_outputs.deny with input as seen with data.inventory as inventory(claims)
	rules(findings) == {"unknown-output", "unknown-claim", "not-a-reference"}
	{finding.path | some finding in findings} == {"/metadata/annotations/wayguard.io~1env"}
	malformed := {finding | some finding in findings; finding.rule == "not-a-reference"}
	{finding.found | some finding in malformed} == {"C=${database.url}"}
	every finding in malformed {
		contains(finding.expected, "DATABASE_URL=database.connection_string")
	}
}

test_absent_fields_find_nothing if {
	count(claim_outputs.deny) == 0 with input as input_of({}) with data.inventory as inventory(claims)
	count(claim_outputs.overrides) == 0 with input as input_of({"spec": {"containers": [{}]}})
		with data.inventory as inventory(claims)
	count(claim_outputs.deny) == 0 with input as {"review": {"object": {}}}
}
