package network.default_deny_test

import data.network.default_deny

creating := {"review": {"operation": "CREATE", "namespace": "shop", "object": {"metadata": {"name": "web"}}}}

# The inventory of a cluster whose namespace `shop` has these NetworkPolicies.
inventory(policies) := {"namespace": {"shop": {"networking.k8s.io/v1": {"NetworkPolicy": policies}}}}

policy(spec) := {"metadata": {"name": "p", "namespace": "shop"}, "spec": spec}

everything := policy({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})

missing(directions) := {
	"rule": "no-default-deny",
	"msg": sprintf("no NetworkPolicy of namespace `shop` denies %s by default", [directions]),
}

# What is found where the namespace has just one NetworkPolicy of this spec.
found_with(spec) := result if {
	result := default_deny.deny with input as creating
		with data.inventory as inventory({"p": policy(spec)})
}

test_a_policy_for_both_directions_is_enough if {
	default_deny.deny == set() with input as creating
		with data.inventory as inventory({"default-deny": everything})
}

test_two_policies_of_one_direction_each_are_enough if {
	policies := {
		"in": policy({"podSelector": {}, "policyTypes": ["Ingress"]}),
		"out": policy({"podSelector": {}, "policyTypes": ["Egress"], "egress": []}),
	}
	default_deny.deny == set() with input as creating
		with data.inventory as inventory(policies)
}

test_further_policies_do_not_matter if {
	web := {"matchLabels": {"app": "web"}}
	allow := policy({"podSelector": web, "policyTypes": ["Ingress"], "ingress": [{}]})
	default_deny.deny == set() with input as creating
		with data.inventory as inventory({"default-deny": everything, "web": allow})
}

test_a_namespace_without_policies_is_found if {
	default_deny.deny == {missing("ingress and egress")} with input as creating
		with data.inventory as {"namespace": {}}
}

test_another_namespaces_policies_do_not_count if {
	default_deny.deny == {missing("ingress and egress")} with input as creating
		with input.review.namespace as "shop"
		with data.inventory as {"namespace": {"other": inventory({"p": everything}).namespace.shop}}
}

test_one_direction_leaves_the_other_open if {
	found_with({"podSelector": {}, "policyTypes": ["Ingress"]}) == {missing("egress")}
	found_with({"podSelector": {}, "policyTypes": ["Egress"]}) == {missing("ingress")}
}

test_absent_policy_types_mean_ingress if found_with({"podSelector": {}}) == {missing("egress")}

test_an_absent_pod_selector_selects_every_pod_as_an_empty_one_does if {
	found_with({"policyTypes": ["Ingress", "Egress"]}) == set()
}

test_a_policy_without_a_spec_denies_ingress_only_as_the_api_has_it if {
	result := default_deny.deny with input as creating
		with data.inventory as inventory({"p": {"spec": {}}})
	result == {missing("egress")}
}

test_a_policy_for_some_pods_is_no_default if {
	types := ["Ingress", "Egress"]
	by_label := {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": types}
	found_with(by_label) == {missing("ingress and egress")}
	expression := {"key": "app", "operator": "Exists"}
	by_expression := {"podSelector": {"matchExpressions": [expression]}, "policyTypes": types}
	found_with(by_expression) == {missing("ingress and egress")}
}

test_a_policy_that_allows_something_is_no_default_deny if {
	spec := {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}]}
	found_with(spec) == {missing("ingress")}
}

test_the_directions_are_a_parameter if {
	result := default_deny.deny with input as creating
		with input.parameters.directions as ["Ingress"]
		with data.inventory as inventory({"p": policy({"podSelector": {}, "policyTypes": ["Ingress"]})})
	result == set()
}

test_types_that_are_no_list_are_as_if_absent if {
	found_with({"podSelector": {}, "policyTypes": "Egress"}) == {missing("egress")}
}
