package workload.disruption_budget_coverage_test

import data.workload.disruption_budget_coverage

production := {"metadata": {"labels": {"environment": "production"}}}

template(kind, spec) := {
	"review": {"namespace": "shop", "object": {"metadata": {"labels": {"app": "web"}}}},
	"owner": {"kind": kind, "spec": spec},
	"namespace": production,
}

# The inventory of a namespace with one budget.
budgets(selector) := {"namespace": {"shop": {"policy/v1": {"PodDisruptionBudget": {"web": {
	"metadata": {"name": "web"},
	"spec": {"selector": selector},
}}}}}}

finding := {
	"rule": "no-disruption-budget",
	"path": "/metadata/labels",
	"found": {"app": "web"},
	"expected": "selected by a PodDisruptionBudget",
	"msg": "no PodDisruptionBudget of the namespace selects these Pods",
}

test_a_budget_that_selects_the_pods_is_enough if {
	disruption_budget_coverage.deny == set() with input as template("Deployment", {"replicas": 2})
		with data.inventory as budgets({"matchLabels": {"app": "web"}})
}

test_no_budget_is_denied if {
	every kind in ["Deployment", "ReplicaSet", "StatefulSet"] {
		disruption_budget_coverage.deny == {finding} with input as template(kind, {"replicas": 2})
			with data.inventory as {"namespace": {}}
	}
}

test_a_budget_of_others_does_not_count if {
	review := template("Deployment", {"replicas": 2})
	disruption_budget_coverage.deny == {finding} with input as review
		with data.inventory as budgets({"matchLabels": {"app": "db"}})
	disruption_budget_coverage.deny == {finding} with input as review
		with data.inventory as {"namespace": {"other": budgets({}).namespace.shop}}
}

# A budget of everything that wants so many Pods to be there.
wanting(number) := {"namespace": {"shop": {"policy/v1": {"PodDisruptionBudget": {"web": {"spec": {
	"selector": {},
	"minAvailable": number,
}}}}}}}

none_away(number, replicas) := {
	"rule": "budget-allows-none",
	"path": "/metadata/labels",
	"found": {"app": "web"},
	"expected": sprintf("selected by a budget whose minAvailable is less than %d replicas", [replicas]),
	"msg": sprintf("PodDisruptionBudget `web` wants %d of %d Pods to be there", [number, replicas]),
	"remedy": "Add replicas, or write maxUnavailable 1 in the budget instead of minAvailable.",
}

test_a_budget_that_wants_all_replicas_is_denied if {
	review := template("Deployment", {"replicas": 2})
	every number in [2, 3] {
		disruption_budget_coverage.deny == {none_away(number, 2)} with input as review
			with data.inventory as wanting(number)
	}
	every number in [1, "100%"] {
		disruption_budget_coverage.deny == set() with input as review
			with data.inventory as wanting(number)
	}
}

test_a_single_replica_that_must_be_there_is_denied if {
	every spec in [{}, {"replicas": 1}, {"replicas": null}] {
		disruption_budget_coverage.deny == {none_away(1, 1)} with input as template("StatefulSet", spec)
			with data.inventory as wanting(1)
	}
	disruption_budget_coverage.deny == set() with input as template("Deployment", {"replicas": 0})
		with data.inventory as wanting(1)
}

test_a_budget_of_another_kind_or_environment_is_not_compared if {
	disruption_budget_coverage.deny == set() with input as template("Job", {})
		with data.inventory as wanting(1)
	disruption_budget_coverage.deny == set() with input as template("Deployment", {})
		with input.namespace as {}
		with data.inventory as wanting(1)
}

test_one_replica_or_none_needs_no_budget if {
	every spec in [{}, null, {"replicas": 0}, {"replicas": 1}, {"replicas": null}] {
		disruption_budget_coverage.deny == set() with input as template("Deployment", spec)
			with data.inventory as {"namespace": {}}
	}
}

test_other_workloads_need_no_budget if {
	every kind in ["DaemonSet", "Job"] {
		disruption_budget_coverage.deny == set() with input as template(kind, {"replicas": 2})
			with data.inventory as {"namespace": {}}
	}
}

pod(references) := {
	"review": {"namespace": "shop", "object": {"metadata": {"ownerReferences": references}}},
	"namespace": production,
}

test_a_pod_of_a_controller_needs_a_budget if {
	replica_set := {"kind": "ReplicaSet", "controller": true}
	disruption_budget_coverage.deny == {object.remove(finding, ["found"])} with input as pod([replica_set])
		with data.inventory as {"namespace": {}}
	expanded := object.union(pod([replica_set]), {"owner": {"kind": "Job"}})
	disruption_budget_coverage.deny == set() with input as expanded
		with data.inventory as {"namespace": {}}
}

test_other_pods_need_no_budget if {
	every reference in [{"kind": "Job", "controller": true}, {"kind": "ReplicaSet", "controller": false}] {
		disruption_budget_coverage.deny == set() with input as pod([reference])
			with data.inventory as {"namespace": {}}
	}
	disruption_budget_coverage.deny == set() with input as pod(null)
		with data.inventory as {"namespace": {}}
}

test_environments_and_label_are_parameters if {
	review := template("Deployment", {"replicas": 2})
	staging := disruption_budget_coverage.deny with input as review
		with input.parameters.environments as ["staging"]
		with data.inventory as {"namespace": {}}
	staging == set()
	everywhere := disruption_budget_coverage.deny with input as review
		with input.namespace as {}
		with input.parameters.environments as []
		with data.inventory as {"namespace": {}}
	everywhere == {finding}
	labelled := disruption_budget_coverage.deny with input as review
		with input.parameters.environmentLabel as "stage"
		with data.inventory as {"namespace": {}}
	labelled == set()
	disruption_budget_coverage.deny == set() with input as review
		with input.namespace as {}
		with data.inventory as {"namespace": {}}
}
