package workload.autoscaler_targets_test

import data.workload.autoscaler_targets

web := {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}

scaling(target) := {"review": {
	"namespace": "shop",
	"object": {"metadata": {"name": "mine"}, "spec": {"scaleTargetRef": target}},
}}

# The inventory of a namespace with an autoscaler of this name and target, and the Deployment `web`.
inventory(name, target) := {"namespace": {"shop": {
	"autoscaling/v2": {"HorizontalPodAutoscaler": {name: {"spec": {"scaleTargetRef": target}}}},
	"apps/v1": {"Deployment": {"web": {}}},
}}}

second(target) := {
	"rule": "second-autoscaler",
	"path": "/spec/scaleTargetRef",
	"found": target,
	"expected": "a workload without an autoscaler",
	"msg": "HorizontalPodAutoscaler `theirs` scales it already",
}

test_the_only_autoscaler_passes if {
	autoscaler_targets.deny == set() with input as scaling(web)
		with data.inventory as {"namespace": {}}
	autoscaler_targets.deny == set() with input as scaling(web)
		with data.inventory as inventory("mine", web)
}

test_a_second_one_is_denied if {
	autoscaler_targets.deny == {second(web)} with input as scaling(web)
		with data.inventory as inventory("theirs", web)
}

test_an_autoscaler_without_a_name_is_another if {
	nameless := object.remove(scaling(web).review.object, ["metadata"])
	autoscaler_targets.deny == {second(web)} with input as scaling(web)
		with input.review.object as nameless
		with data.inventory as inventory("theirs", web)
}

test_another_version_is_the_same_workload if {
	old := object.union(web, {"apiVersion": "apps/v1beta2"})
	autoscaler_targets.deny == {second(web)} with input as scaling(web)
		with data.inventory as inventory("theirs", old)
}

test_other_workloads_may_have_theirs if {
	every difference in [{"name": "api"}, {"kind": "StatefulSet"}, {"apiVersion": "argoproj.io/v1alpha1"}] {
		other := object.union(web, difference)
		autoscaler_targets.deny == set() with input as scaling(web)
			with data.inventory as inventory("theirs", other)
	}
}

test_autoscalers_without_targets_scale_nothing if {
	autoscaler_targets.deny == set() with input as scaling(null)
		with data.inventory as inventory("theirs", null)
	autoscaler_targets.deny == set() with input as {"review": {"namespace": "shop", "object": {}}}
		with data.inventory as inventory("theirs", web)
}

found(target, parameters) := result if {
	result := autoscaler_targets.deny with input as scaling(target)
		with input.parameters as parameters
		with data.inventory as inventory("mine", web)
}

test_that_the_workload_exists_is_a_parameter if {
	api := object.union(web, {"name": "api"})
	found(api, {}) == set()
	found(web, {"existing": true}) == set()
	found(api, {"existing": true}) == {{
		"rule": "no-such-workload",
		"path": "/spec/scaleTargetRef",
		"found": api,
		"expected": "a workload of the namespace",
		"msg": "there is no Deployment `api` in the namespace",
	}}
	set_of_web := object.union(web, {"kind": "StatefulSet"})
	count(found(set_of_web, {"existing": true})) == 1
}

test_a_target_without_a_name_does_not_exist if {
	result := found(object.remove(web, ["name"]), {"existing": true})
	{entry.msg | some entry in result} == {"there is no Deployment `` in the namespace"}
}

test_workloads_that_are_not_known_are_not_asked_for if {
	found(object.union(web, {"apiVersion": "argoproj.io/v1alpha1", "name": "api"}), {"existing": true}) == set()
	found(object.union(web, {"kind": "Other"}), {"existing": true}) == set()
}

test_replica_sets_must_exist_too if {
	target := {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "gone"}
	result := autoscaler_targets.deny with input as scaling(target)
		with input.parameters.existing as true
		with data.inventory as inventory("mine", web)
	{entry.rule | some entry in result} == {"no-such-workload"}
}

test_the_core_group_is_the_same_with_a_version_and_without if {
	bare := {"kind": "ReplicationController", "name": "web"}
	versioned := object.union(bare, {"apiVersion": "v1"})
	every pair in [[bare, versioned], [versioned, bare], [bare, bare]] {
		result := autoscaler_targets.deny with input as scaling(pair[0])
			with data.inventory as inventory("theirs", pair[1])
		result == {second(pair[0])}
	}
	other := autoscaler_targets.deny with input as scaling(bare)
		with data.inventory as inventory("theirs", object.union(bare, {"apiVersion": "example.com/v1"}))
	other == set()
}
