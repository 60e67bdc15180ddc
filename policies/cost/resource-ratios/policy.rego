# METADATA
# scope: package
# title: Requests and limits in proportion
# description: |-
#   The scheduler reserves what is requested; what a container uses above that, up to its limit, is borrowed
#   from its neighbours. A limit of many times the request makes nodes fail just when all are busy. Limits are
#   at most so many times the request (1 makes them equal); without a limit there is no end, so one is needed
#   where there is a ratio. Where the request is absent Kubernetes takes the limit for it. The parameters may
#   also demand a class of service (QoS), or forbid limits of a resource, such as the cpu's, which slow a
#   container down on an idle node. Resources of the Pod as a whole (KEP-2837) are judged in the same way.
# custom:
#   severity: low
#   category: cost
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/resize], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [NSA-resource-policies]
#   peers:
#     - gatekeeper/K8sContainerRatios
#     - kyverno/enforce-resources-as-ratio
#     - kyverno/forbid-cpu-limits
#     - kyverno/memory-requests-equal-limits
#     - kyverno/require-qos-burstable
#     - kyverno/require-qos-guaranteed
#   remedy: Raise the request to what the container really uses, or lower the limit.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       ratios:
#         description: Per resource, how many times the request the limit may be at most.
#         type: object
#         additionalProperties: {type: number, minimum: 1}
#         default: {memory: 2}
#       withoutLimit:
#         description: Resources that must not be limited.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       qos:
#         description: >-
#           The class of service that a Pod has at least. Guaranteed wants limits of cpu and memory that
#           equal the requests; Burstable wants any request or limit.
#         enum: [BestEffort, Burstable, Guaranteed]
#         default: BestEffort
#   facts: []
#   needs: []
#   sensitive: false
package cost.resource_ratios

import data.lib.fields
import data.lib.pod_resources
import data.lib.pointer
import data.lib.quantity

deny contains object.union(finding, fields.seen(limits, resource)) if {
	some resource, ratio in ratios
	some place in limited_places(resource)
	limits := pod_resources.of(place.holder, "limits")
	requests := pod_resources.of(place.holder, "requests")
	not in_proportion(limits, requests, resource, ratio)
	finding := {
		"rule": sprintf("%s-ratio", [resource]),
		"path": sprintf("%s/resources/limits/%s", [place.path, pointer.segment(resource)]),
		"expected": sprintf("at most %v times the request%s", [ratio, shown(requests, resource)]),
	}
}

deny contains finding if {
	some resource in without_limit
	some place in places
	limits := pod_resources.of(place.holder, "limits")
	fields.present(limits, resource)
	finding := {
		"rule": sprintf("%s-limit-forbidden", [resource]),
		"path": sprintf("%s/resources/limits/%s", [place.path, pointer.segment(resource)]),
		"found": limits[resource],
		"expected": "left out",
		"remedy": "Leave out the limit, and request what the container uses.",
	}
}

deny contains object.union(finding, fields.seen(limits, resource)) if {
	input.parameters.qos == "Guaranteed"
	some resource in ["cpu", "memory"]
	some place in limited_places(resource)
	limits := pod_resources.of(place.holder, "limits")
	requests := pod_resources.of(place.holder, "requests")
	not as_requested(limits, requests, resource)
	finding := {
		"rule": "not-guaranteed",
		"path": sprintf("%s/resources/limits/%s", [place.path, resource]),
		"expected": concat("", ["set, and equal to the request", shown(requests, resource)]),
		"remedy": "Set the limit of every container to its request, for cpu and memory.",
	}
}

deny contains finding if {
	input.parameters.qos == "Burstable"
	not asks_for_something
	finding := {
		"rule": "best-effort",
		"path": "/spec/containers",
		"expected": "with a request or limit of cpu or memory in at least one container",
		"remedy": "Request what the container uses.",
	}
}

# The Pod as a whole and its containers.
places := array.concat(
	[{"path": "/spec", "holder": spec}],
	[{"path": place.path, "holder": place.container} | some place in pod_resources.containers],
)

# Where the Pod as a whole is limited, a container needs no limit of its own.
limited_places(resource) := [place | some place in places; needs_limit(place, resource)]

needs_limit(place, resource) if {
	place.path != "/spec"
	not pod_resources.limited_for_pod(resource)
}

needs_limit(place, resource) if fields.present(pod_resources.of(place.holder, "limits"), resource)

in_proportion(limits, requests, resource, ratio) if {
	quantity.positive(limits[resource])
	quantity.milli(limits[resource]) <= quantity.milli(requests[resource]) * ratio
}

in_proportion(limits, requests, resource, _) if {
	quantity.positive(limits[resource])
	not fields.present(requests, resource)
}

as_requested(limits, requests, resource) if in_proportion(limits, requests, resource, 1)

asks_for_something if {
	some place in places
	some kind in ["requests", "limits"]
	some resource in ["cpu", "memory"]
	quantity.positive(pod_resources.of(place.holder, kind)[resource])
}

shown(requests, resource) := sprintf(", which is %v", [requests[resource]]) if {
	fields.present(requests, resource)
} else := ""

spec := fields.object_at(input.review.object, "spec")

ratios := object.get(input, ["parameters", "ratios"], {"memory": 2})

without_limit := object.get(input, ["parameters", "withoutLimit"], [])
