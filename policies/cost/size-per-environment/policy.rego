# METADATA
# scope: package
# title: Sizes per environment
# description: |-
#   What is requested is paid for, whether it is used or not, and a test environment has no need of
#   production's sizes. The parameter says per environment how much a container may ask for at most, and how
#   much a Pod; the environment is a label of the namespace, and `other` stands for those that are not listed
#   and for namespaces without the label. Requests and limits both count. A Pod asks for the sum of what its
#   containers and sidecars request (their limits, where they request nothing), or for its own pod-level
#   request. What asks for nothing at all is workload/resource-requests' matter.
# custom:
#   severity: medium
#   category: cost
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/resize], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [NSA-resource-policies]
#   peers: [gatekeeper/K8sContainerLimits, gatekeeper/K8sContainerRequests]
#   remedy: Ask for less, or split the workload into more and smaller Pods.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       sizes:
#         description: >-
#           Environment, `container` or `pod`, resource, and the most that may be asked for, for example
#           `test: {container: {cpu: "2", memory: 4Gi}, pod: {memory: 8Gi}}`.
#         type: object
#         additionalProperties:
#           type: object
#           additionalProperties: false
#           properties:
#             container: {type: object, additionalProperties: {type: string}}
#             pod: {type: object, additionalProperties: {type: string}}
#         default:
#           production: {container: {cpu: '16', memory: 64Gi}, pod: {cpu: '32', memory: 128Gi}}
#           other: {container: {cpu: '4', memory: 8Gi}, pod: {cpu: '8', memory: 16Gi}}
#       environmentLabel:
#         description: The namespace's label that names its environment.
#         type: string
#         minLength: 1
#         default: environment
#   facts: []
#   needs: [namespace]
#   sensitive: false
package cost.size_per_environment

import data.lib.fields
import data.lib.namespace
import data.lib.pod_resources
import data.lib.pointer
import data.lib.quantity

deny contains finding if {
	some resource, maximum in fields.object_at(size, "container")
	some place in pod_resources.containers
	some kind in ["requests", "limits"]
	amount := pod_resources.of(place.container, kind)[resource]
	not is_null(amount)
	not within(amount, maximum)
	finding := {
		"rule": "container-too-large",
		"path": sprintf("%s/resources/%s/%s", [place.path, kind, pointer.segment(resource)]),
		"found": amount,
		"expected": sprintf("at most %s in environment `%s`", [maximum, environment]),
	}
}

# What the Pod as a whole asks for.
deny contains finding if {
	some resource, maximum in fields.object_at(size, "pod")
	some kind in ["requests", "limits"]
	amount := pod_resources.of(spec, kind)[resource]
	not is_null(amount)
	not within(amount, maximum)
	finding := {
		"rule": "pod-too-large",
		"path": sprintf("/spec/resources/%s/%s", [kind, pointer.segment(resource)]),
		"found": amount,
		"expected": sprintf("at most %s in environment `%s`", [maximum, environment]),
	}
}

# What its containers ask for together, where the Pod as a whole says nothing.
deny contains finding if {
	some resource, maximum in fields.object_at(size, "pod")
	not pod_resources.requested_by_pod(resource)
	total := sum([quantity.milli(amount) | some holder in together; amount := asked(holder, resource)])
	total > quantity.milli(maximum)
	finding := {
		"rule": "pod-too-large",
		"path": "/spec/containers",
		"expected": sprintf("at most %s of %s in all in environment `%s`", [maximum, resource, environment]),
		"msg": sprintf("its containers ask for %s", [written(total)]),
	}
}

# A quantity that cannot be read is within nothing.
within(amount, maximum) if quantity.milli(amount) <= quantity.milli(maximum)

# The containers that run side by side.
together := [place.container | some place in pod_resources.containers; stays(place)]

stays(place) if place.list == "containers"

stays(place) if place.container.restartPolicy == "Always"

asked(container, resource) := amount if {
	amount := pod_resources.of(container, "requests")[resource]
	not is_null(amount)
} else := pod_resources.of(container, "limits")[resource]

# As a quantity: whole where it is.
written(milli) := sprintf("%d", [milli / 1000]) if {
	milli % 1000 == 0
} else := sprintf("%dm", [milli])

size := sizes[environment]

environment := name if {
	name := namespace.label(environment_label)
	sizes[name]
} else := "other"

spec := fields.object_at(input.review.object, "spec")

environment_label := object.get(input, ["parameters", "environmentLabel"], "environment")

sizes := object.get(input, ["parameters", "sizes"], {
	"production": {
		"container": {"cpu": "16", "memory": "64Gi"},
		"pod": {"cpu": "32", "memory": "128Gi"},
	},
	"other": {
		"container": {"cpu": "4", "memory": "8Gi"},
		"pod": {"cpu": "8", "memory": "16Gi"},
	},
})
