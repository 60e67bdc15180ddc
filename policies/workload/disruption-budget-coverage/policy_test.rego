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
