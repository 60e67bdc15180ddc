# METADATA
# scope: package
# title: Users and groups of containers
# description: |-
#   As which user and groups a container runs decides what it can read on shared volumes and what it could do
#   on the node. Each of the four fields (runAsUser, runAsGroup, fsGroup, supplementalGroups) has ranges that
#   its numbers must lie in, by default everything but 0, which is root, and may be required to be set. What
#   a container says goes before what its Pod says. Pods for Windows, where these fields do not exist, are
#   not judged.
# custom:
#   severity: medium
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [CIS-5.2.7, CIS-5.6.3, NSA-non-root]
#   peers:
#     - gatekeeper/K8sPSPAllowedUsers
#     - gatekeeper/K8sPSPFSGroup
#     - kyverno/require-non-root-groups
#     - kyverno/restrict-usergroup-fsgroup-id
#   remedy: Set the field in the securityContext to a number that is allowed.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       runAsUser:
#         description: The user. With `required` each container has one, of its own or from its Pod.
#         type: object
#         additionalProperties: false
#         default: {}
#         properties:
#           required: {type: boolean, default: false}
#           ranges:
#             type: array
#             default: [{min: 1, max: 2147483647}]
#             items:
#               type: object
#               required: [min, max]
#               additionalProperties: false
#               properties: {min: {type: integer, minimum: 0}, max: {type: integer, minimum: 0}}
#       runAsGroup:
#         description: The primary group, likewise.
#         type: object
#         additionalProperties: false
#         default: {}
#         properties:
#           required: {type: boolean, default: false}
#           ranges:
#             type: array
#             default: [{min: 1, max: 2147483647}]
#             items:
#               type: object
#               required: [min, max]
#               additionalProperties: false
#               properties: {min: {type: integer, minimum: 0}, max: {type: integer, minimum: 0}}
#       fsGroup:
#         description: The group of the Pod's volumes. With `required` the Pod sets it.
#         type: object
#         additionalProperties: false
#         default: {}
#         properties:
#           required: {type: boolean, default: false}
#           ranges:
#             type: array
#             default: [{min: 1, max: 2147483647}]
#             items:
#               type: object
#               required: [min, max]
#               additionalProperties: false
#               properties: {min: {type: integer, minimum: 0}, max: {type: integer, minimum: 0}}
#       supplementalGroups:
#         description: Further groups, each of which is judged. With `required` the Pod lists some.
#         type: object
#         additionalProperties: false
#         default: {}
#         properties:
#           required: {type: boolean, default: false}
#           ranges:
#             type: array
#             default: [{min: 1, max: 2147483647}]
#             items:
#               type: object
#               required: [min, max]
#               additionalProperties: false
#               properties: {min: {type: integer, minimum: 0}, max: {type: integer, minimum: 0}}
#   facts: []
#   needs: []
#   sensitive: false
package workload.users

import data.lib.containers
import data.lib.fields

# A number of a container, or of the Pod for all its containers, that is outside the ranges.
deny contains finding if {
	not for_windows
	some field in ["runAsUser", "runAsGroup"]
	some place in places
	value := place.context[field]
	not is_null(value)
	not allowed(field, value)
	finding := out_of_range(field, sprintf("%s/securityContext/%s", [place.path, field]), value)
}

deny contains finding if {
	not for_windows
	value := pod_context.fsGroup
	not is_null(value)
	not allowed("fsGroup", value)
	finding := out_of_range("fsGroup", "/spec/securityContext/fsGroup", value)
}

deny contains finding if {
	not for_windows
	some index, value in fields.list_at(pod_context, "supplementalGroups")
	not allowed("supplementalGroups", value)
	path := sprintf("/spec/securityContext/supplementalGroups/%d", [index])
	finding := out_of_range("supplementalGroups", path, value)
}

# A container that says nothing, in a Pod that says nothing.
deny contains finding if {
	not for_windows
	some field in ["runAsUser", "runAsGroup"]
	setting(field).required == true
	not fields.present(pod_context, field)
	some place in places
	place.path != "/spec"
	not fields.present(place.context, field)
	finding := missing(field, sprintf("%s/securityContext/%s", [place.path, field]))
}

deny contains finding if {
	not for_windows
	setting("fsGroup").required == true
	not fields.present(pod_context, "fsGroup")
	finding := missing("fsGroup", "/spec/securityContext/fsGroup")
}

deny contains finding if {
	not for_windows
	setting("supplementalGroups").required == true
	count(fields.list_at(pod_context, "supplementalGroups")) == 0
	finding := missing("supplementalGroups", "/spec/securityContext/supplementalGroups")
}

out_of_range(field, path, value) := {
	"rule": rules[field],
	"path": path,
	"found": value,
	"expected": expected(field),
}

missing(field, path) := {
	"rule": rules[field],
	"path": path,
	"expected": concat(" ", ["set to", expected(field)]),
}

rules := {
	"fsGroup": "fs-group",
	"runAsGroup": "run-as-group",
	"runAsUser": "run-as-user",
	"supplementalGroups": "supplemental-groups",
}

# The Pod and its containers, as {"path", "context"}.
places contains {"path": "/spec", "context": pod_context}

places contains {"path": place.path, "context": fields.object_at(place.container, "securityContext")} if {
	some place in containers.all
}

allowed(field, value) if {
	some range in ranges(field)
	value >= range.min
	value <= range.max
}

expected(field) := sprintf("a number of %s", [concat(" or ", texts)]) if {
	texts := [sprintf("%d to %d", [range.min, range.max]) | some range in ranges(field)]
}

ranges(field) := object.get(setting(field), "ranges", [{"min": 1, "max": 2147483647}])

setting(field) := object.get(input, ["parameters", field], {})

pod_context := fields.object_at(fields.object_at(input.review.object, "spec"), "securityContext")

for_windows if input.review.object.spec.os.name == "windows"
