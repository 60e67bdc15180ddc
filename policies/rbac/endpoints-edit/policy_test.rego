package rbac.endpoints_edit_test

import data.rbac.endpoints_edit

role(metadata, rules) := {"metadata": metadata, "rules": rules}

rule(resources, verbs) := {"apiGroups": [""], "resources": resources, "verbs": verbs}

finding(number, resource) := {
	"rule": "endpoints",
	"path": sprintf("/rules/0/resources/%d", [number]),
	"found": resource,
	"expected": "neither endpoints nor endpointslices, or only verbs that read",
}

test_default_roles_that_edit_endpoints_are_denied if {
	every name in ["admin", "edit", "system:aggregate-to-admin", "system:aggregate-to-edit"] {
		every verb in ["create", "update", "patch", "*"] {
			endpoints_edit.deny == {
				finding(1, "endpoints"),
				finding(2, "endpointslices"),
			} with input.review.object as role(
				{"name": name},
				[rule(["pods", "endpoints", "endpointslices"], [verb])],
			)
		}
	}
}

test_every_resource_includes_endpoints if {
	endpoints_edit.deny == {finding(0, "*")} with input.review.object as role(
		{"name": "edit"},
		[rule(["*"], ["update"])],
	)
}

test_reading_endpoints_is_allowed if {
	endpoints_edit.deny == set() with input.review.object as role(
		{"name": "edit"},
		[rule(["endpoints"], ["get", "list", "watch", "delete"])],
	)
}

test_editing_something_else_is_allowed if {
	endpoints_edit.deny == set() with input.review.object as role(
		{"name": "edit"},
		[rule(["pods"], ["update"])],
	)
}

test_a_role_that_is_gathered_into_them_is_denied if {
	every target in ["admin", "edit"] {
		labels := {concat("", ["rbac.authorization.k8s.io/aggregate-to-", target]): "true"}
		endpoints_edit.deny == {finding(0, "endpoints")} with input.review.object as role(
			{"name": "mine", "labels": labels},
			[rule(["endpoints"], ["create"])],
		)
	}
}

test_other_roles_are_not_judged if {
	every metadata in [
		{"name": "mine"},
		{"name": "mine", "labels": {"rbac.authorization.k8s.io/aggregate-to-edit": "false"}},
		{"name": "mine", "labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}},
		{},
	] {
		endpoints_edit.deny == set() with input.review.object as role(
			metadata,
			[rule(["endpoints"], ["create"])],
		)
	}
}

test_absent_rules_and_lists_are_allowed if {
	every rules in [null, [], [{}], [{"resources": ["endpoints"]}], [{"verbs": ["create"]}]] {
		endpoints_edit.deny == set() with input.review.object as role({"name": "edit"}, rules)
	}
}

test_the_roles_are_a_parameter if {
	edits := [rule(["endpoints"], ["create"])]
	result := endpoints_edit.deny with input.review.object as role({"name": "developer"}, edits)
		with input.parameters.roles as ["developer"]
	result == {finding(0, "endpoints")}
	other := endpoints_edit.deny with input.review.object as role({"name": "edit"}, edits)
		with input.parameters.roles as ["developer"]
	other == set()
}
