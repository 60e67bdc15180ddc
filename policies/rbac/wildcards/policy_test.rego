package rbac.wildcards_test

import data.rbac.wildcards

role(rules) := {"kind": {"kind": "Role"}, "object": {"metadata": {"name": "web"}, "rules": rules}}

finding(field, number, value) := {
	"rule": "wildcard",
	"path": sprintf("/rules/0/%s/%d", [field, number]),
	"found": value,
	"expected": sprintf("one of the %s that are needed, without `*`", [field]),
}

test_every_list_is_judged if {
	rule := {"apiGroups": ["", "*"], "resources": ["*"], "verbs": ["get", "*"], "nonResourceURLs": ["*"]}
	wildcards.deny == {
		finding("apiGroups", 1, "*"),
		finding("resources", 0, "*"),
		finding("verbs", 1, "*"),
		finding("nonResourceURLs", 0, "*"),
	} with input.review as role([rule])
}

test_a_subresource_of_everything_is_a_wildcard if {
	wildcards.deny == {finding("resources", 0, "*/scale")} with input.review as role([{"resources": ["*/scale"]}])
}

test_lists_that_say_what_they_grant_are_allowed if {
	rule := {
		"apiGroups": ["apps"],
		"resources": ["deployments", "pods/log"],
		"verbs": ["get"],
		"nonResourceURLs": ["/metrics/*"],
	}
	wildcards.deny == set() with input.review as role([rule])
}

test_absent_lists_grant_nothing_and_are_allowed if {
	wildcards.deny == set() with input.review as role([{}, {"verbs": null}, {"verbs": [7]}])
	wildcards.deny == set() with input.review as role(null)
	wildcards.deny == set() with input.review.object as {}
}

test_the_fields_are_a_parameter if {
	result := wildcards.deny with input.review as role([{"resources": ["*"], "verbs": ["*"]}])
		with input.parameters.fields as ["verbs"]
	result == {finding("verbs", 0, "*")}
}

all_of(groups) := {"apiGroups": groups, "resources": ["*"], "verbs": ["get"]}

test_groups_of_the_platforms_own_may_use_wildcards if {
	own := ["example.com", "apps.example.com"]
	wildcards.deny == set() with input.review as role([all_of(["example.com"])])
		with input.parameters.apiGroups as own
	every groups in [["example.com", "apps"], [], ["other.com"]] {
		wildcards.deny == {finding("resources", 0, "*")} with input.review as role([all_of(groups)])
			with input.parameters.apiGroups as own
	}
}

test_built_in_cluster_roles_are_left_out if {
	rules := [{"verbs": ["*"]}]
	wildcards.deny == set() with input.review as {
		"kind": {"kind": "ClusterRole"},
		"object": {"metadata": {"name": "cluster-admin"}, "rules": rules},
	}
	wildcards.deny == {finding("verbs", 0, "*")} with input.review as {
		"kind": {"kind": "Role"},
		"object": {"metadata": {"name": "cluster-admin"}, "rules": rules},
	}
}

aggregating(selectors) := {
	"kind": {"kind": "ClusterRole"},
	"object": {"metadata": {"name": "all"}, "aggregationRule": {"clusterRoleSelectors": selectors}},
}

everything(index, selector) := {
	"rule": "aggregates-everything",
	"path": sprintf("/aggregationRule/clusterRoleSelectors/%d", [index]),
	"found": selector,
	"expected": "labels of the ClusterRoles to gather; none selects all of them",
}

test_an_aggregation_of_all_roles_is_denied if {
	by_label := {"matchLabels": {"example.com/aggregate": "true"}}
	wildcards.deny == {everything(1, {})} with input.review as aggregating([by_label, {}])
	wildcards.deny == {everything(0, {"matchLabels": {}})} with input.review as aggregating([{"matchLabels": {}}])
}

test_an_aggregation_by_labels_is_allowed if {
	wildcards.deny == set() with input.review as aggregating([
		{"matchLabels": {"a": "b"}},
		{"matchExpressions": [{"key": "a", "operator": "Exists"}]},
	])
}
