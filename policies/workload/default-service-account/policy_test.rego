package workload.default_service_account_test

import data.workload.default_service_account

pod(spec) := {"review": {"object": {"spec": spec}}}

finding(name) := {
	"rule": "shared-service-account",
	"path": "/spec/serviceAccountName",
	"expected": "a service account of the workload's own",
	"msg": sprintf("it runs as `%s`, which other workloads share", [name]),
}

test_an_account_of_ones_own_passes if {
	default_service_account.deny == set() with input as pod({"serviceAccountName": "my-app"})
}

test_the_default_is_denied_and_shown if {
	expected := {object.union(finding("default"), {"found": "default"})}
	default_service_account.deny == expected with input as pod({"serviceAccountName": "default"})
}

test_absent_means_the_default if {
	default_service_account.deny == {finding("default")} with input as pod({})
	default_service_account.deny == {finding("default")} with input as {"review": {"object": {}}}
}

test_what_is_shared_is_a_parameter if {
	result := default_service_account.deny with input as pod({"serviceAccountName": "ci"})
		with input.parameters.shared as ["default", "ci"]
	result == {object.union(finding("ci"), {"found": "ci"})}
	others := default_service_account.deny with input as pod({})
		with input.parameters.shared as ["ci"]
	others == set()
}
