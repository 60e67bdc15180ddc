# METADATA
# scope: package
# title: Resource limits
# description: |-
#   Without a memory limit one container can take its node's memory and have its neighbours killed. Every
#   container has one, or the Pod as a whole does (spec.resources, KEP-2837). A cpu limit is asked for only
#   where the parameter says so, because it slows a container down even on an idle node. With `maximum` no
#   limit is above it, wherever it is written; a resource with a maximum must be limited, for no limit is
#   above every maximum.
# custom:
#   severity: medium
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/resize], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [NSA-resource-policies]
#   peers:
#     - gatekeeper/K8sContainerEphemeralStorageLimit
#     - gatekeeper/K8sContainerLimits
#     - gatekeeper/K8sRequiredResources
#     - kyverno/require-pod-requests-limits
#     - polaris/cpuLimitsMissing
#     - polaris/memoryLimitsMissing
#   remedy: Set resources.limits of the container to what it may use at most.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       required:
#         description: The resources that must be limited.
#         type: array
#         uniqueItems: true
#         items: {enum: [cpu, memory, ephemeral-storage]}
#         default: [memory]
#       maximum:
#         description: The highest limit per resource, as a Kubernetes quantity, for example `memory 4Gi`.
#         type: object
#         additionalProperties: {type: string, pattern: '^[0-9.]+[a-zA-Z0-9+-]*$'}
#         default: {}
#   facts: []
#   needs: []
#   sensitive: false
package workload.resource_limits

import data.lib.fields
import data.lib.pod_resources
import data.lib.quantity

deny contains object.union(finding, fields.seen(limits, resource)) if {
	some place in pod_resources.containers
	some resource in judged
	not pod_resources.limited_for_pod(resource)
	limits := pod_resources.of(place.container, "limits")
	not limited(limits, resource)
	finding := {
		"rule": sprintf("missing-%s-limit", [resource]),
		"path": path(place.path, resource),
		"expected": concat("", ["a positive quantity", at_most(resource)]),
	}
}

deny contains above_maximum(path(place.path, resource), resource, limits) if {
	some place in pod_resources.containers
	some resource, bound in maximum
	limits := pod_resources.of(place.container, "limits")
	limited(limits, resource)
	not within(limits, resource, bound)
}

deny contains above_maximum(path("/spec", resource), resource, limits) if {
	some resource, bound in maximum
	limits := pod_resources.pod_limits
	limited(limits, resource)
	not within(limits, resource, bound)
}

above_maximum(where, resource, limits) := {
	"rule": sprintf("%s-limit-above-maximum", [resource]),
	"path": where,
	"found": limits[resource],
	"expected": sprintf("at most %s", [maximum[resource]]),
}

limited(limits, resource) if quantity.positive(limits[resource])

# A bound that cannot be read proves nothing.
within(limits, resource, bound) if quantity.milli(limits[resource]) <= quantity.milli(bound)

judged contains resource if some resource in required

judged contains resource if some resource, _ in maximum

at_most(resource) := sprintf(" of at most %s", [maximum[resource]]) if {
	maximum[resource]
} else := ""

path(holder, resource) := concat("", [holder, "/resources/limits/", resource])

required := object.get(input, ["parameters", "required"], ["memory"])

maximum := object.get(input, ["parameters", "maximum"], {})
