# METADATA
# scope: package
# title: Numbers of replicas
# description: |-
#   A workload that is scaled to a thousand by a slip of the finger takes the cluster's nodes and the
#   platform's money. The number of replicas lies in one of the ranges of the parameter; absent means 1.
#   Judges whatever has spec.replicas: workloads, and the subresource `scale` by which `kubectl scale` and
#   autoscalers change them. What production needs at least is workload/production-replicas.
# custom:
#   severity: low
#   category: workload
#   match:
#     resourceRules:
#       - apiGroups: [apps]
#         resources: [deployments, deployments/scale, statefulsets, statefulsets/scale]
#         operations: [CREATE, UPDATE]
#       - {apiGroups: [argoproj.io], resources: [rollouts, rollouts/scale], operations: [CREATE, UPDATE]}
#   controls: []
#   peers: [gatekeeper/K8sReplicaLimits]
#   remedy: Set spec.replicas to an allowed number.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       ranges:
#         description: The numbers that are allowed, both ends included.
#         type: array
#         minItems: 1
#         items:
#           type: object
#           additionalProperties: false
#           required: [min, max]
#           properties: {min: {type: integer, minimum: 0}, max: {type: integer, minimum: 0}}
#         default: [{min: 0, max: 100}]
#   facts: []
#   needs: []
#   sensitive: false
package workload.replicas

import data.lib.fields

deny contains object.union(finding, fields.seen(spec, "replicas")) if {
	not allowed
	finding := {
		"rule": "replicas",
		"path": "/spec/replicas",
		"expected": sprintf("%s (absent means 1)", [concat(" or ", texts)]),
	}
}

allowed if {
	some range in ranges
	number >= range.min
	number <= range.max
}

number := value if {
	value := spec.replicas
	not is_null(value)
} else := 1

texts := [sprintf("%d to %d", [range.min, range.max]) | some range in ranges]

spec := fields.object_at(input.review.object, "spec")

ranges := object.get(input, ["parameters", "ranges"], [{"min": 0, "max": 100}])
