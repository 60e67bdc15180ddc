# METADATA
# scope: package
# title: No ingress from everywhere
# description: |-
#   A NetworkPolicy that lets everybody in undoes the default deny beside it. Ingress rules name who may
#   come: they have peers, do not let in every Pod of every namespace, and no block of addresses that is
#   (nearly) the whole internet. What really serves the internet is entered through an ingress controller
#   or gateway, whose namespace is named.
# custom:
#   severity: medium
#   category: network
#   match:
#     resourceRules:
#       - {apiGroups: [networking.k8s.io], resources: [networkpolicies], operations: [CREATE, UPDATE]}
#   controls: [NSA-network-policies]
#   remedy: Name in `from` the Pods, namespaces and blocks of addresses that really come in.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       fixedBits:
#         description: How many leading bits a block of addresses must fix, for each family.
#         type: object
#         additionalProperties: false
#         required: [IPv4, IPv6]
#         properties:
#           IPv4: {type: integer, minimum: 1, maximum: 32}
#           IPv6: {type: integer, minimum: 1, maximum: 128}
#         default: {IPv4: 8, IPv6: 7}
#   facts: []
#   needs: []
#   sensitive: false
package network.ingress_from_everywhere

import data.lib.network_policy

deny contains object.union(finding, entry.seen) if {
	some entry in network_policy.without_peers("ingress")
	finding := {
		"rule": "no-source",
		"path": entry.path,
		"expected": "set; a rule without sources lets in everybody",
	}
}

deny contains object.union(finding, entry.seen) if {
	some entry in network_policy.wide_blocks("ingress", fixed_bits)
	finding := {
		"rule": "wide-block",
		"path": entry.path,
		"expected": sprintf("a block of /%d or longer (IPv4), /%d or longer (IPv6)", [
			fixed_bits.IPv4,
			fixed_bits.IPv6,
		]),
	}
}

deny contains object.union(finding, entry.seen) if {
	some entry in network_policy.every_namespace("ingress")
	finding := {
		"rule": "every-namespace",
		"path": entry.path,
		"expected": "some Pods or some namespaces, not every Pod of every namespace",
	}
}

fixed_bits := object.get(input, ["parameters", "fixedBits"], {"IPv4": 8, "IPv6": 7})
