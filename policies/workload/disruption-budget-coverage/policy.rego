# METADATA
# scope: package
# title: Disruption budgets in production
# description: |-
#   When a node is drained, all replicas on it go at once, unless a PodDisruptionBudget says how many may be
#   away. In production each Pod of a Deployment, StatefulSet or ReplicaSet is selected by a budget of its
#   namespace. A workload of one replica or none has nothing to spread over time, and is
#   workload/production-replicas' matter. The environment is a label of the namespace.
# custom:
#   severity: medium
#   category: workload
#   controls: []
#   peers: [kyverno/require-pdb, polaris/missingPodDisruptionBudget]
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

# Pods of a workload that may have several of them.
replicated if {
	input.owner.kind in kinds
	not object.get(fields.object_at(input.owner, "spec"), "replicas", 1) in {0, 1, null}
}

replicated if {
	not input.owner
	some reference in fields.list_at(metadata, "ownerReferences")
	reference.controller == true
	reference.kind in kinds
}

kinds := {"Deployment", "ReplicaSet", "StatefulSet"}

covered if {
	some budget in data.inventory.namespace[input.review.namespace]["policy/v1"].PodDisruptionBudget
	label_selector.selects(budget.spec.selector, fields.object_at(metadata, "labels"))
}

metadata := fields.object_at(input.review.object, "metadata")

environments := object.get(input, ["parameters", "environments"], ["production"])

environment_label := object.get(input, ["parameters", "environmentLabel"], "environment")
