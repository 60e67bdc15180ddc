package network.load_balancers_test

import data.network.load_balancers

balancer := {"metadata": {"name": "mine"}, "spec": {"type": "LoadBalancer"}}

creation := {"review": {"namespace": "shop", "object": balancer}}

# A namespace that has this many load balancers, and a Service inside.
inventory(number) := {"namespace": {"shop": {"v1": {"Service": object.union(
	{sprintf("other-%d", [index]): balancer | some index in numbers.range(1, number)},
	{"inside": {"spec": {"type": "ClusterIP"}}},
)}}}}

finding(has, may) := {
	"rule": "too-many-load-balancers",
	"path": "/spec/type",
	"found": "LoadBalancer",
	"expected": "another type",
	"msg": sprintf("the namespace has %d load balancers, and may have %d", [has, may]),
}

found(number, parameters) := result if {
	result := load_balancers.deny with input as object.union(creation, {"parameters": parameters})
		with data.inventory as inventory(number)
}

test_the_last_one_passes_and_the_next_is_denied if {
	found(2, {}) == set()
	found(3, {}) == {finding(3, 3)}
	found(4, {}) == {finding(4, 3)}
}

test_the_number_is_a_parameter_also_of_single_namespaces if {
	found(1, {"maximum": 1}) == {finding(1, 1)}
	found(4, {"namespaces": {"shop": 5}}) == set()
	found(3, {"namespaces": {"edge": 5}}) == {finding(3, 3)}
	found(5, {"maximum": 9, "namespaces": {"shop": 5}}) == {finding(5, 5)}
}

test_a_service_is_not_counted_against_itself if {
	result := load_balancers.deny with input as object.union(creation, {"parameters": {"maximum": 1}})
		with data.inventory as {"namespace": {"shop": {"v1": {"Service": {"mine": balancer}}}}}
	result == set()
}

test_other_types_are_free if {
	every spec in [{"type": "ClusterIP"}, {}, null] {
		result := load_balancers.deny with input as creation
			with input.review.object.spec as spec
			with data.inventory as inventory(5)
		result == set()
	}
}

test_what_was_one_already_stays if {
	result := load_balancers.deny with input as creation
		with input.review.oldObject as balancer
		with data.inventory as inventory(5)
	result == set()
	changed := load_balancers.deny with input as creation
		with input.review.oldObject as {"spec": {"type": "ClusterIP"}}
		with data.inventory as inventory(5)
	changed == {finding(5, 3)}
}

test_a_service_without_a_name_is_another if {
	result := load_balancers.deny with input as creation
		with input.review.object as {"spec": {"type": "LoadBalancer"}}
		with data.inventory as inventory(3)
	result == {finding(3, 3)}
}
