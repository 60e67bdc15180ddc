package workload.default_namespace_test

import data.workload.default_namespace

created_in(namespace) := {"review": {"namespace": namespace, "object": {"metadata": {"name": "app"}}}}

finding(namespace) := {
	"rule": "shared-namespace",
	"path": "/metadata/namespace",
	"expected": "the namespace of a team",
	"msg": sprintf("namespace `%s` belongs to nobody", [namespace]),
}

test_a_teams_namespace_passes if default_namespace.deny == set() with input as created_in("shop")

test_the_default_namespace_is_denied if {
	default_namespace.deny == {finding("default")} with input as created_in("default")
}

test_what_the_object_says_is_shown if {
	review := {"review": {"namespace": "default", "object": {"metadata": {"namespace": "default"}}}}
	default_namespace.deny == {object.union(finding("default"), {"found": "default"})} with input as review
}

test_the_request_counts_more_than_the_object if {
	review := {"review": {"namespace": "shop", "object": {"metadata": {"namespace": "default"}}}}
	default_namespace.deny == set() with input as review
}

test_without_a_request_the_object_tells if {
	default_namespace.deny == {finding("default")} with input as {"review": {"object": {}}}
	default_namespace.deny == {finding("default")} with input as created_in("")
	own := {"review": {"object": {"metadata": {"namespace": "shop"}}}}
	default_namespace.deny == set() with input as own
}

test_no_namespace_at_all_is_the_default if {
	written(null) == {"default"}
	written("") == {"default"}
	written(7) == {"default"}
}

# The namespaces that are named where only a file says this one.
written(namespace) := result if {
	findings := default_namespace.deny with input.review.object as {"metadata": {"namespace": namespace}}
	result := {"default" | some entry in findings; contains(entry.msg, "`default`")}
}

test_the_namespaces_are_a_parameter if {
	result := default_namespace.deny with input as created_in("kube-public")
		with input.parameters.namespaces as ["default", "kube-public"]
	result == {finding("kube-public")}
	other := default_namespace.deny with input as created_in("default")
		with input.parameters.namespaces as ["kube-public"]
	other == set()
}
