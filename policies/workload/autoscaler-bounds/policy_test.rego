package workload.autoscaler_bounds_test

import data.workload.autoscaler_bounds

bounds(spec) := {"review": {"object": {"spec": spec}}}

too_few := {"rule": "min-replicas", "path": "/spec/minReplicas", "expected": "at least 2 (absent means 1)"}

too_many := {"rule": "max-replicas", "path": "/spec/maxReplicas", "expected": "at most 100"}

no_room(lower_bound) := {
	"rule": "replica-spread",
	"path": "/spec/maxReplicas",
	"expected": sprintf("at least 1 more than minReplicas, which is %d", [lower_bound]),
}

test_room_between_bounds_passes if {
	autoscaler_bounds.deny == set() with input as bounds({"minReplicas": 2, "maxReplicas": 3})
	autoscaler_bounds.deny == set() with input as bounds({"minReplicas": 2, "maxReplicas": 100})
}

test_one_replica_is_too_few if {
	expected := {object.union(too_few, {"found": 1})}
	autoscaler_bounds.deny == expected with input as bounds({"minReplicas": 1, "maxReplicas": 5})
}

test_an_absent_minimum_is_one if {
	autoscaler_bounds.deny == {too_few} with input as bounds({"maxReplicas": 5})
	autoscaler_bounds.deny == {too_few} with input as bounds({"minReplicas": null, "maxReplicas": 5})
}

test_a_maximum_has_an_end if {
	expected := {object.union(too_many, {"found": 101})}
	autoscaler_bounds.deny == expected with input as bounds({"minReplicas": 2, "maxReplicas": 101})
}

test_an_absent_maximum_is_denied if {
	autoscaler_bounds.deny == {too_many} with input as bounds({"minReplicas": 2})
	autoscaler_bounds.deny == {too_few, too_many} with input as {"review": {"object": {}}}
	autoscaler_bounds.deny == {too_many} with input as bounds({"minReplicas": 2, "maxReplicas": null})
}

test_equal_bounds_scale_nothing if {
	autoscaler_bounds.deny == {object.union(no_room(4), {"found": 4})} with input as bounds({
		"minReplicas": 4,
		"maxReplicas": 4,
	})
}

test_texts_are_no_numbers if {
	result := autoscaler_bounds.deny with input as bounds({"minReplicas": "2", "maxReplicas": true})
	{[entry.rule, entry.found] | some entry in result} == {["min-replicas", "2"], ["max-replicas", true]}
}

with_parameters(spec, parameters) := result if {
	result := autoscaler_bounds.deny with input as bounds(spec)
		with input.parameters as parameters
}

test_all_bounds_are_parameters if {
	spec := {"minReplicas": 4, "maxReplicas": 8}
	with_parameters(spec, {"minimum": 4, "maximum": 8, "spread": 4}) == set()
	with_parameters(spec, {"minimum": 5}) == {object.union(
		too_few,
		{"found": 4, "expected": "at least 5 (absent means 1)"},
	)}
	with_parameters(spec, {"maximum": 7}) == {object.union(too_many, {"found": 8, "expected": "at most 7"})}
	with_parameters(spec, {"spread": 5}) == {object.union(
		no_room(4),
		{"found": 8, "expected": "at least 5 more than minReplicas, which is 4"},
	)}
}

test_there_is_room_above_an_absent_minimum if {
	autoscaler_bounds.deny == set() with input as bounds({"maxReplicas": 2})
		with input.parameters.minimum as 1
	count(autoscaler_bounds.deny) == 1 with input as bounds({"maxReplicas": 1})
		with input.parameters.minimum as 1
}
