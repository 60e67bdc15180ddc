# METADATA
# scope: package
# title: Ports of Services
# description: |-
#   Services listen on ports that the platform knows, so that firewalls and network policies can be written
#   without looking at each of them. As it comes, the ports of http and https and those from 1024 on are
#   allowed; the others belong to services of the system (ssh, DNS, mail).
# custom:
#   severity: low
#   category: network
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [services], operations: [CREATE, UPDATE]}
#   controls: []
#   peers: [kyverno/restrict-service-port-range]
#   remedy: Choose a port from the allowed ranges; targetPort may be any.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       ranges:
#         description: Ports that Services may listen on.
#         type: array
#         items:
#           type: object
#           additionalProperties: false
#           required: [from, to]
#           properties:
#             from: {type: integer, minimum: 1, maximum: 65535}
#             to: {type: integer, minimum: 1, maximum: 65535}
#         default: [{from: 80, to: 80}, {from: 443, to: 443}, {from: 1024, to: 65535}]
#   facts: []
#   needs: []
#   sensitive: false
package network.service_ports

import data.lib.fields

deny contains object.union(finding, fields.seen(port, "port")) if {
	some index, port in fields.list_at(fields.object_at(input.review.object, "spec"), "ports")
	not in_range(port)
	finding := {
		"rule": "service-port",
		"path": sprintf("/spec/ports/%d/port", [index]),
		"expected": sprintf("one of %s", [concat(", ", words)]),
	}
}

in_range(port) if {
	some range in ranges
	port.port >= range.from
	port.port <= range.to
}

words := [word |
	some range in ranges
	word := word_of(range)
]

word_of(range) := sprintf("%d", [range.from]) if {
	range.from == range.to
} else := sprintf("%d-%d", [range.from, range.to])

ranges := object.get(
	input,
	["parameters", "ranges"],
	[{"from": 80, "to": 80}, {"from": 443, "to": 443}, {"from": 1024, "to": 65535}],
)
