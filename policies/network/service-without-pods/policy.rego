# METADATA
# scope: package
# title: Services that select something
# description: |-
#   A Service whose selector matches no Pod answers nobody, and nothing in its status says so; mostly a
#   label was misspelt. It only warns, because the workload may well come a moment later. Pods, and the
#   templates of Deployments, StatefulSets, DaemonSets and Jobs of the namespace count. Services without a
#   selector, whose endpoints are written by hand, and those of type ExternalName are left out.
# custom:
#   severity: low
#   category: network
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [services], operations: [CREATE, UPDATE]}
#   controls: []
#   remedy: Select labels that the Pods of the workload have.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: []
#   needs: []
#   inventory:
#     - {version: v1, kind: Pod}
#     - {group: apps, version: v1, kind: Deployment}
#     - {group: apps, version: v1, kind: StatefulSet}
#     - {group: apps, version: v1, kind: DaemonSet}
#     - {group: batch, version: v1, kind: Job}
#   sensitive: false
package network.service_without_pods

import data.lib.fields
import data.lib.namespace

warn contains finding if {
	selector := fields.object_at(spec, "selector")
	count(selector) > 0
	not external
	not selects_something(selector)
	finding := {
		"rule": "selects-nothing",
		"path": "/spec/selector",
		"found": selector,
		"expected": "labels that Pods of the namespace have",
		"msg": "no Pod and no workload of the namespace has these labels",
	}
}

external if spec.type == "ExternalName"

selects_something(selector) if {
	some pod in around.v1.Pod
	matches(selector, pod)
}

selects_something(selector) if {
	some workloads in around["apps/v1"]
	some workload in workloads
	matches(selector, workload.spec.template)
}

selects_something(selector) if {
	some job in around["batch/v1"].Job
	matches(selector, job.spec.template)
}

matches(selector, pod) if {
	labels := namespace.labels_of(pod)
	every key, value in selector {
		labels[key] == value
	}
}

around := data.inventory.namespace[input.review.namespace]

spec := fields.object_at(input.review.object, "spec")
