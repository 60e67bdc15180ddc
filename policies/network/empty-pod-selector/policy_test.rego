package network.empty_pod_selector_test

import data.network.empty_pod_selector

policy(spec) := {"review": {"object": {"metadata": {"name": "web"}, "spec": spec}}}

finding(allowing) := {
	"rule": "empty-pod-selector",
	"path": "/spec/podSelector",
	"expected": "a selection of Pods",
	"msg": sprintf("the policy allows %s for every Pod of the namespace", [allowing]),
}

rules := [{"from": [{"podSelector": {}}]}]

test_an_empty_selector_that_allows_is_denied if {
	found := {"found": {}}
	empty_pod_selector.deny == {object.union(finding("ingress"), found)} with input as policy({
		"podSelector": {},
		"ingress": rules,
	})
	empty_pod_selector.deny == {object.union(finding("egress"), found)} with input as policy({
		"podSelector": {},
		"egress": rules,
	})
	empty_pod_selector.deny == {object.union(finding("ingress and egress"), found)} with input as policy({
		"podSelector": {},
		"ingress": rules,
		"egress": rules,
	})
}

test_an_absent_selector_is_empty_and_denied if {
	empty_pod_selector.deny == {finding("ingress")} with input as policy({"ingress": rules})
}

test_a_default_deny_is_allowed if {
	spec := {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
	empty_pod_selector.deny == set() with input as policy(spec)
	empty_pod_selector.deny == set() with input as policy(object.union(spec, {"ingress": []}))
	empty_pod_selector.deny == set() with input as policy(null)
}

test_a_selection_is_allowed if {
	every selector in [{"matchLabels": {"app": "web"}}, {"matchExpressions": [{"key": "app"}]}] {
		empty_pod_selector.deny == set() with input as policy({"podSelector": selector, "ingress": rules})
	}
}

test_the_names_are_a_parameter if {
	spec := {"podSelector": {}, "egress": rules}
	named := {"review": {"object": {"metadata": {"name": "allow-dns"}, "spec": spec}}}
	empty_pod_selector.deny == set() with input as named
	result := empty_pod_selector.deny with input as named
		with input.parameters.names as ["allow-metrics"]
	result == {object.union(finding("egress"), {"found": {}})}
	listed := empty_pod_selector.deny with input as named
		with input.parameters.names as ["allow-metrics", "allow-dns"]
	listed == set()
}

test_a_policy_without_a_name_is_denied if {
	spec := {"podSelector": {}, "egress": rules}
	result := empty_pod_selector.deny with input.review.object as {"spec": spec}
	result == {object.union(finding("egress"), {"found": {}})}
}
