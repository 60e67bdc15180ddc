package workload.protected_objects_test

import data.workload.protected_objects

asked(operation, labels) := {"review": {
	"operation": operation,
	"oldObject": {"metadata": {"name": "db", "labels": labels}},
	"userInfo": {"username": "jane", "groups": ["developers"]},
}}

protected := {"protected": "true"}

finding(operation) := {
	"rule": "protected-object",
	"path": "/metadata/labels/protected",
	"found": "true",
	"expected": sprintf("without it before anybody may %s this object", [lower(operation)]),
	"msg": sprintf("it protects this object from %s", [operation]),
}

test_a_protected_object_is_neither_changed_nor_deleted if {
	every operation in ["UPDATE", "DELETE"] {
		protected_objects.deny == {finding(operation)} with input as asked(operation, protected)
	}
}

test_taking_the_label_away_is_a_change if {
	review := asked("UPDATE", protected)
	protected_objects.deny == {finding("UPDATE")} with input as review
		with input.review.object as {"metadata": {"labels": {}}}
}

test_other_objects_are_free if {
	protected_objects.deny == set() with input as asked("DELETE", {})
	protected_objects.deny == set() with input as asked("DELETE", {"example.com/other": "true"})
	protected_objects.deny == set() with input as asked("DELETE", null)
	protected_objects.deny == set() with input as asked("DELETE", {"protected": "false"})
	protected_objects.deny == set() with input as {"review": {"operation": "DELETE", "oldObject": null}}
}

test_creating_is_free if protected_objects.deny == set() with input as asked("CREATE", protected)

test_the_operations_are_a_parameter if {
	result := protected_objects.deny with input as asked("UPDATE", protected)
		with input.parameters.operations as ["DELETE"]
	result == set()
}

test_the_label_and_its_value_are_parameters if {
	review := asked("DELETE", {"example.com/keep": "forever"})
	protected_objects.deny == set() with input as review
	result := protected_objects.deny with input as review
		with input.parameters as {"label": "example.com/keep", "value": "forever"}
	result == {object.union(
		finding("DELETE"),
		{
			"path": "/metadata/labels/example.com~1keep",
			"found": "forever",
		},
	)}
}

test_trusted_groups_are_free if {
	every group in ["system:masters", "system:nodes", "system:serviceaccounts:kube-system"] {
		review := asked("DELETE", protected)
		protected_objects.deny == set() with input as review
			with input.review.userInfo.groups as ["system:authenticated", group]
	}
	given := protected_objects.deny with input as asked("DELETE", protected)
		with input.parameters.groups as ["developers"]
	given == set()
}

test_a_user_without_groups_is_not_trusted if {
	review := asked("DELETE", protected)
	protected_objects.deny == {finding("DELETE")} with input as review with input.review.userInfo as {}
}
