# METADATA
# scope: package
# title: Resource requests
# description: |-
#   The scheduler places a Pod by what it requests; a container that requests nothing is placed anywhere and
#   evicted first. Every container, init containers included, requests cpu and memory, or the Pod as a whole
#   does (spec.resources, KEP-2837). What is not requested is filled in: by the container's own limit where
#   it has one, as the API server does for Pods, else by the parameters. Ephemeral containers cannot request
#   anything.
# custom:
#   severity: medium
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/resize], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [NSA-resource-policies]
#   peers:
#     - gatekeeper/K8sRequiredResources
#     - kyverno/add-default-resources
#     - kyverno/require-pod-requests-limits
#     - polaris/cpuRequestsMissing
#     - polaris/memoryRequestsMissing
#   remedy: Set resources.requests of the container to what it normally uses.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       required:
#         description: The resources that must be requested.
#         type: array
#         uniqueItems: true
#         items: {enum: [cpu, memory, ephemeral-storage]}
#         default: [cpu, memory]
#       cpu:
#         description: What a container that says nothing requests of cpu, as a Kubernetes quantity.
#         type: string
#         pattern: '^[0-9.]+[a-zA-Z0-9+-]*$'
#         default: 250m
#       memory:
#         description: What a container that says nothing requests of memory, as a Kubernetes quantity.
#         type: string
#         pattern: '^[0-9.]+[a-zA-Z0-9+-]*$'
#         default: 256Mi
#   facts: []
#   needs: []
#   sensitive: false
package workload.resource_requests

import data.lib.fields
import data.lib.pod_resources
import data.lib.quantity

deny contains object.union(finding, fields.seen(requests, resource)) if {
	some place in pod_resources.containers
	some resource in required
	not pod_resources.requested_by_pod(resource)
	requests := pod_resources.of(place.container, "requests")
	not positive(requests, resource)
	finding := {
		"rule": sprintf("missing-%s-request", [resource]),
		"path": path(place, resource),
		"expected": concat("", ["a positive quantity", example(resource)]),
	}
}

defaults contains {"path": path(place, resource), "value": value} if {
	some place in pod_resources.containers
	some resource in required
	not pod_resources.requested_by_pod(resource)
	requests := pod_resources.of(place.container, "requests")
	not fields.present(requests, resource)
	value := filled_in(place.container, resource)
}

positive(requests, resource) if quantity.positive(requests[resource])

# The limit first: a request above it would be refused, and below it would differ from what the API server
# has already filled in when the Pod arrives.
filled_in(container, resource) := limits[resource] if {
	limits := pod_resources.of(container, "limits")
	fields.present(limits, resource)
} else := usual[resource]

example(resource) := sprintf(", such as %s", [usual[resource]]) if {
	usual[resource]
} else := ""

path(place, resource) := concat("", [place.path, "/resources/requests/", resource])

required := object.get(input, ["parameters", "required"], ["cpu", "memory"])

usual := {
	"cpu": object.get(input, ["parameters", "cpu"], "250m"),
	"memory": object.get(input, ["parameters", "memory"], "256Mi"),
}
