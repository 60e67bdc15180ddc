package workload.priority_classes_test

import data.workload.priority_classes

pod(class) := {"review": {"namespace": "shop", "object": {"spec": {"priorityClassName": class}}}}

unnamed := {
	"rule": "no-priority-class",
	"path": "/spec/priorityClassName",
	"expected": "set to a priority class",
}

not_allowed(class, expected) := {
	"rule": "priority-class-not-allowed",
	"path": "/spec/priorityClassName",
	"found": class,
	"expected": expected,
}

test_any_class_but_the_systems_passes if {
	priority_classes.deny == set() with input as pod("high")
	expected := {not_allowed("system-node-critical", "a class that is not the system's")}
	priority_classes.deny == expected with input as pod("system-node-critical")
}

test_no_class_is_denied if {
	priority_classes.deny == {unnamed} with input as {"review": {"object": {}}}
	priority_classes.deny == {unnamed} with input as pod(null)
	priority_classes.deny == {object.union(unnamed, {"found": ""})} with input as pod("")
	priority_classes.deny == {object.union(unnamed, {"found": 5})} with input as pod(5)
}

test_required_is_a_parameter if {
	every class in [null, ""] {
		result := priority_classes.deny with input as pod(class)
			with input.parameters.required as false
		result == set()
	}
	listed := priority_classes.deny with input as pod("")
		with input.parameters as {"required": false, "allowed": ["low"]}
	listed == set()
}

test_the_allowed_classes_are_a_parameter if {
	every class in ["low", "system-cluster-critical"] {
		result := priority_classes.deny with input as pod(class)
			with input.parameters.allowed as ["low", "system-cluster-critical"]
		result == set()
	}
	other := priority_classes.deny with input as pod("high")
		with input.parameters.allowed as ["low", "middle"]
	other == {not_allowed("high", "low or middle")}
}

test_namespaces_have_classes_of_their_own if {
	settings := {"allowed": ["low"], "namespaces": {"shop": ["high"], "other": ["middle"]}}
	priority_classes.deny == set() with input as pod("high") with input.parameters as settings
	expected := {not_allowed("low", "high")}
	priority_classes.deny == expected with input as pod("low") with input.parameters as settings
	elsewhere := priority_classes.deny with input as pod("low")
		with input.review.namespace as "third"
		with input.parameters as settings
	elsewhere == set()
}
