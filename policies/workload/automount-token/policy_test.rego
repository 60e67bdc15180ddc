package workload.automount_token_test

import data.workload.automount_token

pod(spec) := {"review": {"kind": {"kind": "Pod"}, "namespace": "shop", "object": {"spec": spec}}}

account(fields) := {"review": {
	"kind": {"kind": "ServiceAccount"},
	"namespace": "shop",
	"object": object.union({"metadata": {"name": "my-app"}}, fields),
}}

off := {"automountServiceAccountToken": false}

on := {"automountServiceAccountToken": true}

mounted(name) := {
	"rule": "token-mounted",
	"path": "/spec/automountServiceAccountToken",
	"expected": "false",
	"msg": sprintf("the token of service account `%s` is put into every container", [name]),
}

test_a_pod_that_switches_it_off_passes if automount_token.deny == set() with input as pod(off)

test_true_is_denied_and_shown if {
	automount_token.deny == {object.union(mounted("default"), {"found": true})} with input as pod(on)
}

test_absent_means_true if {
	automount_token.deny == {mounted("default")} with input as pod({})
	automount_token.deny == {mounted("default")} with input as pod(null)
	automount_token.deny == {mounted("my-app")} with input as pod({"serviceAccountName": "my-app"})
}

test_allowed_accounts_are_a_parameter if {
	result := automount_token.deny with input as pod({"serviceAccountName": "operator"})
		with input.parameters.allowed as ["operator"]
	result == set()
	other := automount_token.deny with input as pod({})
		with input.parameters.allowed as ["operator"]
	other == {mounted("default")}
}

of_account := {
	"rule": "token-mounted",
	"path": "/automountServiceAccountToken",
	"expected": "false",
	"msg": "its token is put into the containers of every Pod that does not say otherwise",
}

test_a_service_account_is_judged_itself if {
	automount_token.deny == set() with input as account(off)
	automount_token.deny == {of_account} with input as account({})
	automount_token.deny == {object.union(of_account, {"found": true})} with input as account(on)
}

test_an_allowed_service_account_passes if {
	result := automount_token.deny with input as account({})
		with input.parameters.allowed as ["my-app"]
	result == set()
}

test_a_service_account_without_a_name_is_judged if {
	automount_token.deny == {of_account} with input as account({})
		with input.review.object as {}
}
