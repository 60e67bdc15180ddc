package workload.disruption_budgets_test

import data.workload.disruption_budgets

budget(spec) := {"review": {"object": {"spec": spec}}}

none_away(value) := {
	"rule": "no-disruption",
	"path": "/spec/maxUnavailable",
	"found": value,
	"expected": "more than nothing",
	"msg": "no Pod may be away, so no node can be drained",
}

all_stay(value) := {
	"rule": "no-disruption",
	"path": "/spec/minAvailable",
	"found": value,
	"expected": "less than all Pods",
	"msg": "no Pod may be away, so no node can be drained",
}

test_nothing_that_may_be_away_is_denied_in_every_way_of_writing if {
	every value in [0, "0", "0%", "00%"] {
		disruption_budgets.deny == {none_away(value)} with input as budget({"maxUnavailable": value})
	}
}

test_something_that_may_be_away_passes if {
	every value in [1, 25, "1", "10%", "100%"] {
		disruption_budgets.deny == set() with input as budget({"maxUnavailable": value})
	}
}

test_everything_that_must_be_there_is_denied if {
	every value in ["100%", "0100%", "250%"] {
		disruption_budgets.deny == {all_stay(value)} with input as budget({"minAvailable": value})
	}
}

test_less_than_everything_passes if {
	every value in [0, 1, 100, "99%", "0%", "010%", "000%"] {
		disruption_budgets.deny == set() with input as budget({"minAvailable": value})
	}
}

test_the_replicas_are_a_parameter if {
	every value in [2, 3] {
		result := disruption_budgets.deny with input as budget({"minAvailable": value})
			with input.parameters.replicas as 2
		result == {all_stay(value)}
	}
	one := disruption_budgets.deny with input as budget({"minAvailable": 1})
		with input.parameters.replicas as 1
	one == {all_stay(1)}
	every value in [0, 1, "50%"] {
		result := disruption_budgets.deny with input as budget({"minAvailable": value})
			with input.parameters.replicas as 2
		result == set()
	}
}

test_a_budget_that_says_nothing_is_the_api_servers_one_pod if {
	disruption_budgets.deny == set() with input as {"review": {"object": {}}}
	disruption_budgets.deny == set() with input as budget({"maxUnavailable": null, "minAvailable": null})
}

test_no_replicas_are_no_bound if {
	every value in [0, 1, 100] {
		result := disruption_budgets.deny with input as budget({"minAvailable": value})
			with input.parameters.replicas as 0
		result == set()
	}
}
