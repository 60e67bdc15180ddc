# METADATA
# scope: package
# title: One autoscaler per workload
# description: |-
#   Two HorizontalPodAutoscalers of one workload pull it to and fro, each towards its own number; one whose
#   workload does not exist scales nothing, and nobody notices. A HorizontalPodAutoscaler names a workload of
#   its namespace that no other one names. That the workload exists is asked of Deployments, StatefulSets and
#   ReplicaSets, where the parameter says so: with it, the workload is applied before its autoscaler.
# custom:
#   severity: medium
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [autoscaling], resources: [horizontalpodautoscalers], operations: [CREATE, UPDATE]}
#   controls: []
#   peers: [gatekeeper/K8sHorizontalPodAutoscaler, kyverno/prevent-duplicate-hpa]
#   remedy: Keep one autoscaler per workload, with all its metrics, and name an existing workload in it.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       existing:
#         description: Require that the workload exists already.
#         type: boolean
#         default: false
#   facts: []
#   needs: []
#   inventory:
#     - {group: autoscaling, version: v2, kind: HorizontalPodAutoscaler}
#     - {group: apps, version: v1, kind: Deployment}
#     - {group: apps, version: v1, kind: StatefulSet}
#     - {group: apps, version: v1, kind: ReplicaSet}
#   sensitive: false
package workload.autoscaler_targets

import data.lib.fields

deny contains finding if {
	some name, other in here["autoscaling/v2"].HorizontalPodAutoscaler
	not name == input.review.object.metadata.name
	identity(fields.object_at(fields.object_at(other, "spec"), "scaleTargetRef")) == identity(target)
	finding := {
		"rule": "second-autoscaler",
		"path": "/spec/scaleTargetRef",
		"found": target,
		"expected": "a workload without an autoscaler",
		"msg": sprintf("HorizontalPodAutoscaler `%s` scales it already", [name]),
	}
}

deny contains finding if {
	existing == true
	target.apiVersion == "apps/v1"
	target.kind in {"Deployment", "ReplicaSet", "StatefulSet"}
	not exists
	finding := {
		"rule": "no-such-workload",
		"path": "/spec/scaleTargetRef",
		"found": target,
		"expected": "a workload of the namespace",
		"msg": sprintf("there is no %s `%v` in the namespace", [target.kind, object.get(target, "name", "")]),
	}
}

exists if here["apps/v1"][target.kind][target.name]

# Versions of one group are the same workload. The core group has no name, as in `v1`.
identity(reference) := [group, reference.kind, reference.name] if {
	group := {name | [name, _] := split(reference.apiVersion, "/")}
}

target := fields.object_at(fields.object_at(input.review.object, "spec"), "scaleTargetRef")

here := data.inventory.namespace[input.review.namespace]

existing := object.get(input, ["parameters", "existing"], false)
