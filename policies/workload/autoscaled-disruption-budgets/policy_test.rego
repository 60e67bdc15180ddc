package workload.autoscaled_disruption_budgets_test

import data.workload.autoscaled_disruption_budgets as budgets

web := {"spec": {"template": {"metadata": {"labels": {"app": "web"}}}}}

budget(available) := {"spec": {"minAvailable": available, "selector": {"matchLabels": {"app": "web"}}}}

autoscaler(lowest) := {"spec": {
	"minReplicas": lowest,
	"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
}}

workloads := {"Deployment": {"web": web}}

# What is found in a budget, where an autoscaler goes down to `lowest`.
of_budget(object, lowest) := result if {
	result := budgets.deny with input.review as {
		"kind": {"kind": "PodDisruptionBudget"},
		"namespace": "shop",
		"object": object,
	}
		with data.inventory.namespace.shop as {
			"apps/v1": workloads,
			"autoscaling/v2": {"HorizontalPodAutoscaler": {"web": autoscaler(lowest)}},
		}
}

# What is found in an autoscaler, beside a budget.
of_autoscaler(object, available) := result if {
	result := budgets.deny with input.review as {
		"kind": {"kind": "HorizontalPodAutoscaler"},
		"namespace": "shop",
		"object": object,
	}
		with data.inventory.namespace.shop as {
			"apps/v1": workloads,
			"policy/v1": {"PodDisruptionBudget": {"web": budget(available)}},
		}
}

in_budget(found, lowest) := {
	"rule": "no-room",
	"path": "/spec/minAvailable",
	"found": found,
	"expected": sprintf("less than the %d replicas that HorizontalPodAutoscaler `web` goes down to", [lowest]),
}

in_autoscaler(wanted) := {
	"rule": "no-room",
	"path": "/spec/minReplicas",
	"expected": sprintf("more than the %v Pods that PodDisruptionBudget `web` wants to be there", [wanted]),
}

test_less_than_the_lowest_number_leaves_room if {
	of_budget(budget(2), 3) == set()
	of_autoscaler(autoscaler(3), 2) == set()
}

test_as_many_or_more_leave_none if {
	every available in [3, 4] {
		of_budget(budget(available), 3) == {in_budget(available, 3)}
		of_autoscaler(autoscaler(3), available) == {object.union(in_autoscaler(available), {"found": 3})}
	}
}

test_an_absent_minimum_is_one if {
	every absent in [null, "3"] {
		of_budget(budget(1), absent) == {in_budget(1, 1)}
	}
	bare := {"spec": object.remove(autoscaler(3).spec, ["minReplicas"])}
	of_autoscaler(bare, 1) == {in_autoscaler(1)}
}

test_all_of_them_is_too_many_in_any_number if {
	of_budget(budget("100%"), 9) == {in_budget("100%", 9)}
	of_budget(budget("0120%"), 9) == {in_budget("0120%", 9)}
	of_budget(budget("99%"), 1) == set()
	of_budget(budget("099%"), 1) == set()
}

test_without_min_available_there_is_room if {
	every bare in [{"spec": object.remove(budget(3).spec, ["minAvailable"])}, budget(null), {}] {
		of_budget(bare, 3) == set()
	}
}

test_other_workloads_are_not_concerned if {
	other := json.patch(budget(3), [{"op": "replace", "path": "/spec/selector/matchLabels/app", "value": "api"}])
	of_budget(other, 3) == set()
	of_budget({"spec": {"minAvailable": 3}}, 3) == set()
	missing := json.patch(autoscaler(3), [{"op": "replace", "path": "/spec/scaleTargetRef/name", "value": "api"}])
	of_autoscaler(missing, 3) == set()
	of_autoscaler({"spec": {"minReplicas": 3}}, 3) == set()
	of_autoscaler({}, 3) == set()
}

test_other_kinds_are_not_judged if {
	result := budgets.deny with input.review as {"kind": {"kind": "Deployment"}, "namespace": "shop", "object": web}
		with data.inventory.namespace.shop as {
			"apps/v1": workloads,
			"autoscaling/v2": {"HorizontalPodAutoscaler": {"web": autoscaler(1)}},
			"policy/v1": {"PodDisruptionBudget": {"web": budget(3)}},
		}
	result == set()
}

# What the fields of an object look like does not make it the other of the two.
test_the_kind_says_what_is_judged if {
	both := object.union(autoscaler(3), budget(3))
	here := {
		"apps/v1": workloads,
		"autoscaling/v2": {"HorizontalPodAutoscaler": {"web": autoscaler(3)}},
		"policy/v1": {"PodDisruptionBudget": {"web": budget(3)}},
	}
	expected := {
		"PodDisruptionBudget": in_budget(3, 3),
		"HorizontalPodAutoscaler": object.union(in_autoscaler(3), {"found": 3}),
	}
	every kind, entry in expected {
		result := budgets.deny with input.review as {"kind": {"kind": kind}, "namespace": "shop", "object": both}
			with data.inventory.namespace.shop as here
		result == {entry}
	}
}
