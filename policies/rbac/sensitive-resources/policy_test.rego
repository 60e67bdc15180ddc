package rbac.sensitive_resources_test

import data.rbac.sensitive_resources

role(rules) := {"kind": {"kind": "ClusterRole"}, "object": {"metadata": {"name": "web"}, "rules": rules}}

rule(group, resource, verbs) := {"apiGroups": [group], "resources": [resource], "verbs": verbs}

finding(index, found, right) := {
	"rule": "sensitive-right",
	"path": sprintf("/rules/%d", [index]),
	"found": found,
	"expected": concat(" ", ["without", right]),
}

# A rule, and what is said of it.
denied := [
	[rule("", "secrets", ["list"]), "get, list, watch of secrets"],
	[rule("", "pods/exec", ["create"]), "get, create of pods/exec"],
	[rule("", "pods/attach", ["get"]), "get, create of pods/attach"],
	[rule("", "pods/ephemeralcontainers", ["patch"]), "update, patch of pods/ephemeralcontainers"],
	[rule("", "nodes/proxy", ["delete"]), "any verb of nodes/proxy"],
	[rule("", "persistentvolumes", ["create"]), "create of persistentvolumes"],
	[rule("", "serviceaccounts/token", ["create"]), "create of serviceaccounts/token"],
	[
		rule("certificates.k8s.io", "certificatesigningrequests/approval", ["update"]),
		"update, patch of certificatesigningrequests/approval.certificates.k8s.io",
	],
	[rule("certificates.k8s.io", "signers", ["approve"]), "approve of signers.certificates.k8s.io"],
	[
		rule("admissionregistration.k8s.io", "mutatingwebhookconfigurations", ["patch"]),
		"create, update, patch, delete of mutatingwebhookconfigurations.admissionregistration.k8s.io",
	],
	[
		rule("admissionregistration.k8s.io", "validatingwebhookconfigurations", ["delete"]),
		"create, update, patch, delete of validatingwebhookconfigurations.admissionregistration.k8s.io",
	],
]

test_every_right_of_the_list_is_denied if {
	every case in denied {
		sensitive_resources.deny == {finding(0, case[0], case[1])} with input.review as role([case[0]])
	}
}

test_a_wildcard_holds_every_right_of_its_group if {
	result := sensitive_resources.deny with input.review as role([rule("*", "*", ["*"])])
	{entry.expected | some entry in result} == {concat(" ", ["without", case[1]]) | some case in denied}
}

test_other_rights_are_allowed if {
	sensitive_resources.deny == set() with input.review as role([
		rule("", "secrets", ["create", "update"]),
		rule("", "pods", ["get", "create"]),
		rule("", "pods/log", ["get"]),
		rule("", "persistentvolumes", ["get"]),
		rule("example.com", "secrets", ["get"]),
		rule("admissionregistration.k8s.io", "mutatingwebhookconfigurations", ["get"]),
	])
}

test_the_second_rule_is_pointed_at if {
	harmless := rule("", "pods", ["get"])
	secrets := rule("", "secrets", ["get"])
	sensitive_resources.deny == {finding(
		1, secrets,
		"get, list, watch of secrets",
	)} with input.review as role([harmless, secrets])
}

test_absent_rules_are_allowed if {
	sensitive_resources.deny == set() with input.review as role(null)
	sensitive_resources.deny == set() with input.review as role([{}])
	sensitive_resources.deny == set() with input.review.object as {}
}

named(right, names) := object.union(right, {"resourceNames": names})

test_the_rights_are_a_parameter if {
	rights := [{"group": "", "resource": "pods", "verbs": ["create"]}]
	pods := rule("", "pods", ["create"])
	result := sensitive_resources.deny with input.review as role([pods, rule("", "secrets", ["get"])])
		with input.parameters.rights as rights
	result == {finding(0, pods, "create of pods")}
}

test_single_objects_may_be_named_where_the_right_says_so if {
	secrets := {"group": "", "resource": "secrets", "verbs": ["get"]}
	one := named(rule("", "secrets", ["get"]), ["my-tls"])
	sensitive_resources.deny == set() with input.review as role([one])
		with input.parameters.rights as [object.union(secrets, {"named": true})]
	every right in [secrets, object.union(secrets, {"named": false})] {
		sensitive_resources.deny == {finding(0, one, "get of secrets")} with input.review as role([one])
			with input.parameters.rights as [right]
	}
	none := named(rule("", "secrets", ["get"]), [])
	sensitive_resources.deny == {finding(0, none, "get of secrets")} with input.review as role([none])
		with input.parameters.rights as [object.union(secrets, {"named": true})]
}

test_built_in_cluster_roles_are_left_out if {
	sensitive_resources.deny == set() with input.review as {
		"kind": {"kind": "ClusterRole"},
		"object": {"metadata": {"name": "system:node"}, "rules": [rule("", "secrets", ["get"])]},
	}
}
