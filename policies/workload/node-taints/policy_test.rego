package workload.node_taints_test

import data.workload.node_taints

control_plane := {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}

dedicated := {"key": "example.com/dedicated", "value": "db", "effect": "NoExecute"}

update(before, after) := {"review": {
	"operation": "UPDATE",
	"oldObject": {"spec": {"taints": before}},
	"object": {"spec": {"taints": after}},
	"userInfo": {"username": "jane", "groups": ["node-labellers"]},
}}

finding(after, taint) := {
	"rule": "taint-removed",
	"path": "/spec/taints",
	"found": after,
	"expected": sprintf("with the taint `%s`, as before", [taint]),
}

title := "node-role.kubernetes.io/control-plane:NoSchedule"

test_a_taint_that_stays_passes if {
	node_taints.deny == set() with input as update([control_plane], [dedicated, control_plane])
	timed := object.union(control_plane, {"timeAdded": "2026-01-01T00:00:00Z", "value": ""})
	node_taints.deny == set() with input as update([control_plane], [timed])
}

test_one_that_is_taken_away_or_changed_is_denied if {
	every after in [[], [dedicated], [object.union(control_plane, {"effect": "PreferNoSchedule"})]] {
		node_taints.deny == {finding(after, title)} with input as update([control_plane], after)
	}
}

test_no_taints_at_all_is_taking_them_away if {
	every node in [{"spec": {}}, {}, null] {
		result := node_taints.deny with input as update([control_plane], [])
			with input.review.object as node
		result == {object.remove(finding([], title), ["found"])}
	}
}

test_other_taints_come_and_go if {
	node_taints.deny == set() with input as update([dedicated], [])
	node_taints.deny == set() with input as update(null, [])
	node_taints.deny == set() with input as update([], [control_plane])
}

test_the_keys_are_a_parameter if {
	result := node_taints.deny with input as update([dedicated, control_plane], [])
		with input.parameters.keys as ["example.com/*"]
	result == {finding([], "example.com/dedicated=db:NoExecute")}
}

test_a_taint_without_an_effect_is_named if {
	node_taints.deny == {finding([], "node-role.kubernetes.io/x:")} with input as update(
		[{"key": "node-role.kubernetes.io/x"}],
		[],
	)
	node_taints.deny == {finding([], "node-role.kubernetes.io/x=y:")} with input as update(
		[{"key": "node-role.kubernetes.io/x", "value": "y"}],
		[],
	)
}

test_the_platform_may if {
	every group in ["system:masters", "system:serviceaccounts:kube-system"] {
		result := node_taints.deny with input as update([control_plane], [])
			with input.review.userInfo.groups as [group]
		result == set()
	}
	result := node_taints.deny with input as update([control_plane], [])
		with input.parameters.groups as ["node-labellers"]
	result == set()
}

test_somebody_unknown_may_not if {
	every user in [{}, null, {"groups": null}] {
		result := node_taints.deny with input as update([control_plane], [])
			with input.review.userInfo as user
		result == {finding([], title)}
	}
}

test_another_key_or_value_is_another_taint if {
	other_key := object.union(control_plane, {"key": "node-role.kubernetes.io/edge"})
	node_taints.deny == {finding([other_key], title)} with input as update([control_plane], [other_key])
	valued := object.union(control_plane, {"value": "a"})
	other_value := object.union(control_plane, {"value": "b"})
	node_taints.deny == {finding(
		[other_value],
		"node-role.kubernetes.io/control-plane=a:NoSchedule",
	)} with input as update([valued], [other_value])
}
