package storage.reclaim_policy_test

import data.storage.reclaim_policy

class(policy) := {"metadata": {"name": "fast"}, "provisioner": "x", "reclaimPolicy": policy}

finding(allowed) := {
	"rule": "reclaim-policy",
	"path": "/reclaimPolicy",
	"expected": sprintf("one of %s (absent means Delete)", [allowed]),
}

test_delete_is_allowed if reclaim_policy.deny == set() with input.review.object as class("Delete")

test_retain_is_denied if {
	reclaim_policy.deny == {object.union(
		finding("Delete"),
		{"found": "Retain"},
	)} with input.review.object as class("Retain")
}

test_an_absent_policy_is_delete if {
	reclaim_policy.deny == set() with input.review.object as class(null)
	reclaim_policy.deny == set() with input.review.object as {"provisioner": "x"}
	result := reclaim_policy.deny with input.review.object as {"provisioner": "x"}
		with input.parameters.allowed as ["Retain"]
	result == {finding("Retain")}
}

test_policies_and_classes_are_parameters if {
	both := reclaim_policy.deny with input.review.object as class("Retain")
		with input.parameters.allowed as ["Delete", "Retain"]
	both == set()
	by_name := reclaim_policy.deny with input.review.object as class("Retain")
		with input.parameters.classes as ["fast"]
	by_name == set()
	other := reclaim_policy.deny with input.review.object as class("Retain")
		with input.parameters.classes as ["slow"]
	other == {object.union(finding("Delete"), {"found": "Retain"})}
}

test_all_that_is_allowed_is_named if {
	result := reclaim_policy.deny with input.review.object as class("Recycle")
		with input.parameters.allowed as ["Delete", "Retain"]
	result == {object.union(finding("Delete, Retain"), {"found": "Recycle"})}
}
