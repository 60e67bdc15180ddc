package workload.replicas_test

import data.workload.replicas

scaled(number) := {"review": {"object": {"spec": {"replicas": number}}}}

finding(expected) := {"rule": "replicas", "path": "/spec/replicas", "expected": expected}

test_up_to_a_hundred_pass if {
	every number in [0, 1, 100] {
		replicas.deny == set() with input as scaled(number)
	}
}

test_more_is_denied_and_shown if {
	expected := finding("0 to 100 (absent means 1)")
	replicas.deny == {object.union(expected, {"found": 101})} with input as scaled(101)
}

in_ranges(review, ranges) := result if {
	result := replicas.deny with input as review
		with input.parameters.ranges as ranges
}

two := [{"min": 3, "max": 5}, {"min": 10, "max": 10}]

test_the_ranges_are_a_parameter if {
	every number in [3, 5, 10] {
		in_ranges(scaled(number), two) == set()
	}
	every number in [2, 6, 9, 11] {
		expected := finding("3 to 5 or 10 to 10 (absent means 1)")
		in_ranges(scaled(number), two) == {object.union(expected, {"found": number})}
	}
}

test_absent_replicas_are_one if {
	denied := {finding("3 to 5 or 10 to 10 (absent means 1)")}
	in_ranges({"review": {"object": {}}}, two) == denied
	in_ranges(scaled(null), two) == denied
	in_ranges({"review": {"object": {"spec": {}}}}, [{"min": 1, "max": 1}]) == set()
	in_ranges(scaled(null), [{"min": 1, "max": 1}]) == set()
}

test_what_is_no_number_is_in_no_range if {
	expected := finding("0 to 100 (absent means 1)")
	replicas.deny == {object.union(expected, {"found": "5"})} with input as scaled("5")
}
