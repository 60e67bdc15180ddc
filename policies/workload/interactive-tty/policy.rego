# METADATA
# scope: package
# title: No interactive terminals
# description: |-
#   A container with stdin or tty waits for a person who types into it. A workload has no such person; what
#   has a terminal is a shell that somebody left open, or a way in. Neither field is true in any container.
#   Ephemeral containers, which exist to be typed into, may have both where the parameter says so.
# custom:
#   severity: low
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [T1609]
#   peers: [gatekeeper/K8sDisallowInteractiveTTY]
#   remedy: Remove `stdin` and `tty` from the container.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       debugging:
#         description: Let ephemeral containers have a terminal.
#         type: boolean
#         default: false
#   facts: []
#   needs: []
#   sensitive: false
package workload.interactive_tty

import data.lib.containers
import data.lib.fields

deny contains finding if {
	some list in judged_lists
	some index, container in fields.list_at(input.review.object.spec, list)
	some field in ["stdin", "tty"]
	value := container[field]
	not value in {null, false}
	finding := {
		"rule": "interactive-terminal",
		"path": sprintf("%s/%s", [containers.path(list, index), field]),
		"found": value,
		"expected": "false or unset",
	}
}

judged_lists := [list |
	some list in containers.lists
	not for_debugging(list)
]

for_debugging(list) if {
	list == "ephemeralContainers"
	debugging == true
}

debugging := object.get(input, ["parameters", "debugging"], false)
