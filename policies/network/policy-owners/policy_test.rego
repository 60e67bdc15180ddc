package network.policy_owners_test

import data.network.policy_owners

written(name, user) := {"userInfo": user, "operation": "CREATE", "object": {"metadata": {"name": name}}}

lea := {"username": "lea", "groups": ["developers"]}

ada := {"username": "ada", "groups": ["network-admins"]}

finding(name, username) := {
	"rule": "owner",
	"path": "/metadata/name",
	"found": name,
	"expected": "a name that is not the platform's",
	"msg": sprintf("`%s` may not write this policy", [username]),
}

owned := [
	{"names": ["global", "monitoring"], "groups": ["network-admins"]},
	{"names": ["monitoring"], "users": ["lea"]},
]

found(review) := result if {
	result := policy_owners.deny with input.review as review
		with input.parameters.owned as owned
}

test_the_platforms_policies_are_the_platforms if {
	found(written("global", lea)) == {finding("global", "lea")}
	found(written("global", ada)) == set()
}

test_users_may_be_listed_too if {
	found(written("monitoring", lea)) == set()
	found(written("monitoring", ada)) == set()
	found(written("monitoring", {"username": "joe", "groups": ["lea"]})) == {finding("monitoring", "joe")}
}

test_other_policies_are_for_everybody if found(written("web", lea)) == set()

test_without_parameters_the_default_deny_is_owned if {
	policy_owners.deny == {finding("default-deny", "ada")} with input.review as written("default-deny", ada)
	root := {"username": "root", "groups": ["system:masters"]}
	policy_owners.deny == set() with input.review as written("default-deny", root)

	# What deletes the content of a namespace that goes away.
	controller := {
		"username": "system:serviceaccount:kube-system:namespace-controller",
		"groups": ["system:serviceaccounts:kube-system"],
	}
	policy_owners.deny == set() with input.review as written("default-deny", controller)
}

test_somebody_unknown_is_denied if {
	every user in [{}, null, {"groups": null}] {
		found(written("global", user)) == {finding("global", "")}
	}
}

test_a_deletion_is_judged_by_the_old_object if {
	every object in [null, ""] {
		review := {
			"userInfo": lea,
			"operation": "DELETE",
			"object": object,
			"oldObject": {"metadata": {"name": "global"}},
		}
		found(review) == {finding("global", "lea")}
	}
}

test_an_absent_name_is_nobodys if {
	found({"userInfo": lea, "object": {"metadata": {"generateName": "global"}}}) == set()
}
