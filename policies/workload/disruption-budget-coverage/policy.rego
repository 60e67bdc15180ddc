# METADATA
# scope: package
# title: Disruption budgets in production
# description: |-
#   When a node is drained, all replicas on it go at once, unless a PodDisruptionBudget says how many may be
#   away. In production each Pod of a Deployment, StatefulSet or ReplicaSet is selected by a budget of its
#   namespace. A workload of one replica or none has nothing to spread over time, and is
#   workload/production-replicas' matter. The budget's minAvailable, where it is a number, is less than the
#   replicas, or no node could be drained. The environment is a label of the namespace.
# custom:
#   severity: medium
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers:
#     - gatekeeper/K8sPodDisruptionBudget
#     - kyverno/pdb-minavailable
#     - kyverno/require-pdb
#     - polaris/missingPodDisruptionBudget
#   remedy: Add a PodDisruptionBudget with maxUnavailable 1 whose selector is that of the workload.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       environments:
#         description: Values of the environment label where this holds; empty means everywhere.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [production]
#       environmentLabel:
#         description: The namespace's label that names its environment.
#         type: string
#         minLength: 1
#         default: environment
#   facts: []
#   needs: [namespace]
#   inventory:
#     - {group: policy, version: v1, kind: PodDisruptionBudget}
#   sensitive: false
package workload.disruption_budget_coverage

import data.lib.fields
import data.lib.label_selector
import data.lib.namespace

deny contains object.union(finding, fields.seen(metadata, "labels")) if {
	namespace.in_environments(environments, environment_label)
	replicated
	not covered
	finding := {
		"rule": "no-disruption-budget",
		"path": "/metadata/labels",
		"expected": "selected by a PodDisruptionBudget",
		"msg": "no PodDisruptionBudget of the namespace selects these Pods",
	}
}

deny contains object.union(finding, fields.seen(metadata, "labels")) if {
	namespace.in_environments(environments, environment_label)
	input.owner.kind in kinds
	replicas > 0
	some name, budget in budgets
	number := budget.spec.minAvailable
	is_number(number)
	number >= replicas
	finding := {
		"rule": "budget-allows-none",
		"path": "/metadata/labels",
		"expected": sprintf("selected by a budget whose minAvailable is less than %d replicas", [replicas]),
		"msg": sprintf("PodDisruptionBudget `%s` wants %d of %d Pods to be there", [name, number, replicas]),
		"remedy": "Add replicas, or write maxUnavailable 1 in the budget instead of minAvailable.",
	}
}

# Pods of a workload that may have several of them.
replicated if {
	input.owner.kind in kinds
	replicas > 1
}

replicated if {
	not input.owner
	some reference in fields.list_at(metadata, "ownerReferences")
	reference.controller == true
	reference.kind in kinds
}

kinds := {"Deployment", "ReplicaSet", "StatefulSet"}

covered if count(budgets) > 0

# The budgets that select the Pods.
budgets[name] := budget if {
	some name, budget in data.inventory.namespace[input.review.namespace]["policy/v1"].PodDisruptionBudget
	label_selector.selects(budget.spec.selector, fields.object_at(metadata, "labels"))
}

# Absent means 1.
replicas := number if {
	number := input.owner.spec.replicas
	is_number(number)
} else := 1

metadata := fields.object_at(input.review.object, "metadata")

environments := object.get(input, ["parameters", "environments"], ["production"])

environment_label := object.get(input, ["parameters", "environmentLabel"], "environment")
