# METADATA
# scope: package
# title: Budgets that an autoscaler leaves room for
# description: |-
#   A PodDisruptionBudget that wants three Pods to be there and a HorizontalPodAutoscaler that goes down to
#   three allow no disruption at night: the drain of a node waits until somebody looks. Where both are about one
#   Deployment or StatefulSet of the namespace, minAvailable is less than minReplicas (absent means 1), as a
#   number; as a percentage it is less than 100 %. Whichever of the two is applied is judged against the other.
# custom:
#   severity: medium
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [policy], resources: [poddisruptionbudgets], operations: [CREATE, UPDATE]}
#       - {apiGroups: [autoscaling], resources: [horizontalpodautoscalers], operations: [CREATE, UPDATE]}
#   controls: []
#   peers: [polaris/pdbMinAvailableGreaterThanHPAMinReplicas]
#   remedy: Raise minReplicas, or write maxUnavailable 1 in the budget instead of minAvailable.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: []
#   needs: []
#   inventory:
#     - {group: policy, version: v1, kind: PodDisruptionBudget}
#     - {group: autoscaling, version: v2, kind: HorizontalPodAutoscaler}
#     - {group: apps, version: v1, kind: Deployment}
#     - {group: apps, version: v1, kind: StatefulSet}
#   sensitive: false
package workload.autoscaled_disruption_budgets

import data.lib.fields
import data.lib.label_selector
import data.lib.namespace

deny contains finding if {
	input.review.kind.kind == "PodDisruptionBudget"
	some name, autoscaler in here["autoscaling/v2"].HorizontalPodAutoscaler
	concerns(input.review.object, autoscaler)
	leaves_no_room(input.review.object, autoscaler)
	finding := {
		"rule": "no-room",
		"path": "/spec/minAvailable",
		"found": input.review.object.spec.minAvailable,
		"expected": sprintf("less than the %d replicas that HorizontalPodAutoscaler `%s` goes down to", [
			lowest(autoscaler),
			name,
		]),
	}
}

deny contains object.union(finding, fields.seen(spec_of(input.review.object), "minReplicas")) if {
	input.review.kind.kind == "HorizontalPodAutoscaler"
	some name, budget in here["policy/v1"].PodDisruptionBudget
	concerns(budget, input.review.object)
	leaves_no_room(budget, input.review.object)
	finding := {
		"rule": "no-room",
		"path": "/spec/minReplicas",
		"expected": sprintf("more than the %v Pods that PodDisruptionBudget `%s` wants to be there", [
			budget.spec.minAvailable,
			name,
		]),
	}
}

concerns(budget, autoscaler) if {
	target := fields.object_at(spec_of(autoscaler), "scaleTargetRef")
	workload := here["apps/v1"][target.kind][target.name]
	template := fields.object_at(spec_of(workload), "template")
	label_selector.selects(spec_of(budget).selector, namespace.labels_of(template))
}

leaves_no_room(budget, autoscaler) if {
	is_number(budget.spec.minAvailable)
	budget.spec.minAvailable >= lowest(autoscaler)
}

leaves_no_room(budget, _) if {
	is_string(budget.spec.minAvailable)
	regex.match(`^0*[1-9][0-9]{2,}%$`, budget.spec.minAvailable)
}

lowest(autoscaler) := number if {
	number := autoscaler.spec.minReplicas
	is_number(number)
} else := 1

spec_of(object) := fields.object_at(object, "spec")

here := data.inventory.namespace[input.review.namespace]
