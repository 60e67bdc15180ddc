# METADATA
# scope: package
# title: External IPs of Services
# description: |-
#   Whoever may write a Service may name any address in spec.externalIPs, and every node of the cluster then
#   sends what is meant for that address to the Service's Pods: traffic to the internet, to the cloud's
#   metadata service or to another team can be read and answered (CVE-2020-8554). No Service names external
#   IPs, but for those in the ranges that the platform gave out. What is no address is refused too.
# custom:
#   severity: high
#   category: network
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [services], operations: [CREATE, UPDATE]}
#   controls: [T1557]
#   peers: [gatekeeper/K8sExternalIPs, kyverno/restrict-external-ips]
#   remedy: Remove spec.externalIPs and expose the Service by an Ingress or a Gateway.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       allowed:
#         description: Addresses and CIDR ranges that Services may name.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package network.external_ips

import data.lib.addresses
import data.lib.fields
import data.lib.pointer

deny contains finding if {
	spec := fields.object_at(input.review.object, "spec")
	some index, address in fields.list_at(spec, "externalIPs")
	not addresses.within(address, allowed)
	finding := {
		"rule": "external-ip",
		"path": pointer.item("/spec/externalIPs", index),
		"found": address,
		"expected": expected,
	}
}

expected := "unset; no external IPs are allowed" if {
	count(allowed) == 0
} else := sprintf("within %s", [concat(", ", allowed)])

allowed := object.get(input, ["parameters", "allowed"], [])
