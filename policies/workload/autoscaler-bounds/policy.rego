# METADATA
# scope: package
# title: Bounds of autoscalers
# description: |-
#   An autoscaler whose bounds are the same scales nothing; one that may go down to a single replica takes the
#   application away with its node; one without a sensible end takes the whole cluster. A
#   HorizontalPodAutoscaler has at least as many replicas as the parameter says (absent minReplicas means 1),
#   room between its bounds, and no more than the maximum.
# custom:
#   severity: low
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [autoscaling], resources: [horizontalpodautoscalers], operations: [CREATE, UPDATE]}
#   controls: []
#   peers: [gatekeeper/K8sHorizontalPodAutoscaler, polaris/hpaMaxAvailability, polaris/hpaMinAvailability]
#   remedy: Set minReplicas and maxReplicas so that there is room between them, within what is allowed.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       minimum:
#         description: The least that minReplicas may be.
#         type: integer
#         minimum: 0
#         default: 2
#       maximum:
#         description: The most that maxReplicas may be.
#         type: integer
#         minimum: 1
#         default: 100
#       spread:
#         description: How much larger than minReplicas maxReplicas is at least.
#         type: integer
#         minimum: 0
#         default: 1
#   facts: []
#   needs: []
#   sensitive: false
package workload.autoscaler_bounds

import data.lib.fields

deny contains object.union(finding, fields.seen(spec, "minReplicas")) if {
	not enough
	finding := {
		"rule": "min-replicas",
		"path": "/spec/minReplicas",
		"expected": sprintf("at least %d (absent means 1)", [minimum]),
	}
}

deny contains object.union(finding, fields.seen(spec, "maxReplicas")) if {
	not limited
	finding := {
		"rule": "max-replicas",
		"path": "/spec/maxReplicas",
		"expected": sprintf("at most %d", [maximum]),
	}
}

deny contains object.union(finding, fields.seen(spec, "maxReplicas")) if {
	limited
	not roomy
	finding := {
		"rule": "replica-spread",
		"path": "/spec/maxReplicas",
		"expected": sprintf("at least %d more than minReplicas, which is %v", [spread, lower_bound]),
	}
}

enough if {
	is_number(lower_bound)
	lower_bound >= minimum
}

limited if {
	is_number(spec.maxReplicas)
	spec.maxReplicas <= maximum
}

roomy if spec.maxReplicas - lower_bound >= spread

lower_bound := value if {
	value := spec.minReplicas
	not is_null(value)
} else := 1

spec := fields.object_at(input.review.object, "spec")

minimum := object.get(input, ["parameters", "minimum"], 2)

maximum := object.get(input, ["parameters", "maximum"], 100)

spread := object.get(input, ["parameters", "spread"], 1)
