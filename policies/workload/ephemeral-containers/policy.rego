# METADATA
# scope: package
# title: Debug containers
# description: |-
#   `kubectl debug` puts a container with any image into a running Pod, next to its data and its network.
#   Refuses ephemeral containers, everywhere or in the environments that the parameter names; the environment
#   is a label of the namespace. With `images` those whose image comes from a listed place are let through.
#   Meant for the subresource pods/ephemeralcontainers, too.
# custom:
#   severity: medium
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods/ephemeralcontainers], operations: [UPDATE]}
#   controls: [T1609, T1610]
#   peers: [kyverno/block-ephemeral-containers]
#   remedy: Look at logs and metrics, or debug a copy of the Pod in another environment.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       images:
#         description: Patterns of the places of debug images, as in images/allowed-registries.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       environments:
#         description: Values of the environment label where this holds; empty means everywhere.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       environmentLabel:
#         description: The namespace's label that names its environment.
#         type: string
#         minLength: 1
#         default: environment
#   facts: []
#   needs: [namespace]
#   sensitive: false
package workload.ephemeral_containers

import data.lib.containers
import data.lib.fields
import data.lib.image_reference
import data.lib.namespace
import data.lib.registry_pattern

deny contains object.union(finding, fields.seen(container, "image")) if {
	some index, container in fields.list_at(input.review.object.spec, "ephemeralContainers")
	namespace.in_environments(environments, environment_label)
	not allowed(container)
	finding := {
		"rule": "ephemeral-container",
		"path": concat("", [containers.path("ephemeralContainers", index), "/image"]),
		"expected": expected,
		"msg": sprintf("%s is an ephemeral container", [containers.title(container)]),
	}
}

allowed(container) if {
	reference := image_reference.parse(container.image)
	some pattern in images
	registry_pattern.matches(reference, pattern)
}

expected := sprintf("an image from %s", [concat(" or ", images)]) if {
	count(images) > 0
} else := "left out, with its container"

images := object.get(input, ["parameters", "images"], [])

environments := object.get(input, ["parameters", "environments"], [])

environment_label := object.get(input, ["parameters", "environmentLabel"], "environment")
