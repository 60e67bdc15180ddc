package rbac.escalation_test

import data.rbac.escalation

role(rules) := {"kind": {"kind": "ClusterRole"}, "object": {"metadata": {"name": "web"}, "rules": rules}}

rbac_rule(verbs) := {
	"apiGroups": ["rbac.authorization.k8s.io"],
	"resources": ["roles", "clusterroles"],
	"verbs": verbs,
}

written_out(verb, number) := {
	"rule": verb,
	"path": sprintf("/rules/0/verbs/%d", [number]),
	"found": verb,
	"expected": "none of escalate, bind, impersonate",
}

by_wildcard(verb, resource) := {
	"rule": verb,
	"path": "/rules/0/verbs/0",
	"found": "*",
	"expected": "the verbs that are needed",
	"msg": sprintf("every verb includes `%s` of %s", [verb, resource]),
}

test_each_verb_is_denied if {
	escalation.deny == {
		written_out("bind", 1),
		written_out("escalate", 2),
		written_out("impersonate", 3),
	} with input.review as role([rbac_rule(["get", "bind", "escalate", "impersonate"])])
}

test_a_verb_is_denied_whatever_stands_beside if {
	escalation.deny == {written_out("impersonate", 0)} with input.review as role([{"verbs": ["impersonate"]}])
	escalation.deny == {written_out("escalate", 0)} with input.review as role([{
		"apiGroups": ["*"],
		"resources": ["*"],
		"verbs": ["escalate"],
	}])
}

test_other_verbs_are_allowed if {
	escalation.deny == set() with input.review as role([rbac_rule(["get", "list", "create", "update"])])
}

test_every_verb_on_roles_is_denied if {
	escalation.deny == {
		by_wildcard("escalate", "roles"),
		by_wildcard("escalate", "clusterroles"),
		by_wildcard("bind", "roles"),
		by_wildcard("bind", "clusterroles"),
	} with input.review as role([rbac_rule(["*"])])
}

test_every_verb_on_users_is_denied if {
	every resource in ["users", "groups", "serviceaccounts"] {
		rule := {"apiGroups": [""], "resources": [resource], "verbs": ["*"]}
		escalation.deny == {by_wildcard("impersonate", resource)} with input.review as role([rule])
	}
	uids := {"apiGroups": ["authentication.k8s.io"], "resources": ["uids"], "verbs": ["*"]}
	escalation.deny == {by_wildcard("impersonate", "uids")} with input.review as role([uids])
}

test_every_verb_on_something_else_is_allowed if {
	rule := {"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]}
	escalation.deny == set() with input.review as role([rule])
}

test_absent_rules_are_allowed if {
	escalation.deny == set() with input.review as role(null)
	escalation.deny == set() with input.review as role([{}, {"verbs": null}])
	escalation.deny == set() with input.review.object as {}
}

test_the_verbs_are_a_parameter if {
	result := escalation.deny with input.review as role([rbac_rule(["bind", "escalate"])])
		with input.parameters.verbs as ["escalate"]
	result == {object.union(written_out("escalate", 1), {"expected": "none of escalate"})}
	star := escalation.deny with input.review as role([rbac_rule(["*"])])
		with input.parameters.verbs as ["impersonate"]
	star == set()
}

named(roles) := object.union(rbac_rule(["bind"]), {"resourceNames": roles})

test_named_roles_may_be_bound if {
	escalation.deny == set() with input.review as role([named(["view", "edit"])])
		with input.parameters.bindable as ["view", "edit"]
	every roles in [["view", "admin"], [], null] {
		escalation.deny == {written_out("bind", 0)} with input.review as role([named(roles)])
			with input.parameters.bindable as ["view", "edit"]
	}
	escalating := object.union(rbac_rule(["escalate"]), {"resourceNames": ["view"]})
	escalation.deny == {written_out("escalate", 0)} with input.review as role([escalating])
		with input.parameters.bindable as ["view"]
}

test_built_in_cluster_roles_are_left_out if {
	every verbs in [["*"], ["escalate"]] {
		escalation.deny == set() with input.review as {
			"kind": {"kind": "ClusterRole"},
			"object": {"metadata": {"name": "cluster-admin"}, "rules": [rbac_rule(verbs)]},
		}
	}
}

# equivalent:
#   line: 'rbac.grants(rule, target.group, target.resource, [verb])'
#   becomes: 'rbac.grants(rule, target.group, target.resource, [])'
#   because: the rule lists `*`, which grants whatever verb is asked for
#   shownBy: test_every_verb_on_roles_is_denied
