# METADATA
# scope: package
# title: No egress to everywhere
# description: |-
#   A NetworkPolicy that lets Pods connect to everything leaves the way open for whoever got into one of
#   them: to fetch tools, to send data out, to try the neighbours. In production an egress rule names where
#   it leads: it has peers, its blocks of addresses are not (nearly) the whole internet, also not in two
#   halves, and it does not lead to every Pod of every namespace. The environment is a label of the
#   namespace; the list of environments may be empty, and then all are judged.
# custom:
#   severity: high
#   category: network
#   match:
#     resourceRules:
#       - {apiGroups: [networking.k8s.io], resources: [networkpolicies], operations: [CREATE, UPDATE]}
#   controls: [NSA-network-policies, T1041]
#   remedy: Name in `to` the blocks of addresses, namespaces and Pods that are really needed.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       environments:
#         description: Values of the environment label that are judged; empty means every namespace.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [production]
#       environmentLabel:
#         description: The namespace's label that names its environment.
#         type: string
#         minLength: 1
#         default: environment
#       fixedBits:
#         description: How many leading bits a block of addresses must fix, for each family.
#         type: object
#         additionalProperties: false
#         required: [IPv4, IPv6]
#         properties:
#           IPv4: {type: integer, minimum: 1, maximum: 32}
#           IPv6: {type: integer, minimum: 1, maximum: 128}
#         default: {IPv4: 8, IPv6: 7}
#       everyNamespace:
#         description: Let rules lead to every Pod of every namespace.
#         type: boolean
#         default: false
#   facts: []
#   needs: [namespace]
#   sensitive: false
package network.egress

import data.lib.namespace
import data.lib.network_policy

deny contains object.union(finding, entry.seen) if {
	judged
	some entry in network_policy.without_peers("egress")
	finding := {
		"rule": "no-destination",
		"path": entry.path,
		"expected": "set; a rule without destinations allows all of them",
	}
}

deny contains object.union(finding, entry.seen) if {
	judged
	some entry in network_policy.wide_blocks("egress", fixed_bits)
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
	judged
	every_namespace_allowed == false
	some entry in network_policy.every_namespace("egress")
	finding := {
		"rule": "every-namespace",
		"path": entry.path,
		"expected": "some Pods or some namespaces, not every Pod of every namespace",
	}
}

judged if count(environments) == 0

judged if namespace.label_in(environment_label, environments)

environments := object.get(input, ["parameters", "environments"], ["production"])

environment_label := object.get(input, ["parameters", "environmentLabel"], "environment")

fixed_bits := object.get(input, ["parameters", "fixedBits"], {"IPv4": 8, "IPv6": 7})

every_namespace_allowed := object.get(input, ["parameters", "everyNamespace"], false)
