# METADATA
# scope: package
# title: Network policies for some Pods
# description: |-
#   A NetworkPolicy with an empty podSelector applies to every Pod of its namespace. That is right for the
#   policies that deny by default, and for little else: one that allows something opens it for every Pod,
#   also for those that come later. Policies that allow say for which Pods; those that allow nothing pass,
#   as do those whose name the platform gave leave (such as the one that allows DNS).
# custom:
#   severity: low
#   category: network
#   match:
#     resourceRules:
#       - {apiGroups: [networking.k8s.io], resources: [networkpolicies], operations: [CREATE, UPDATE]}
#   controls: [NSA-network-policies]
#   peers: [kyverno/restrict-networkpolicy-empty-podselector]
#   remedy: Select in spec.podSelector the Pods that the rules are meant for.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       names:
#         description: Names of policies that may allow something for every Pod.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [allow-dns]
#   facts: []
#   needs: []
#   sensitive: false
package network.empty_pod_selector

import data.lib.fields
import data.lib.network_policy

deny contains object.union(finding, fields.seen(network_policy.spec, "podSelector")) if {
	network_policy.selects_all(fields.object_at(network_policy.spec, "podSelector"))
	allowing := [direction | some direction in ["ingress", "egress"]; allows(direction)]
	count(allowing) > 0
	not leave_given
	finding := {
		"rule": "empty-pod-selector",
		"path": "/spec/podSelector",
		"expected": "a selection of Pods",
		"msg": sprintf("the policy allows %s for every Pod of the namespace", [concat(" and ", allowing)]),
	}
}

allows(direction) if count(fields.list_at(network_policy.spec, direction)) > 0

leave_given if input.review.object.metadata.name in names

names := object.get(input, ["parameters", "names"], ["allow-dns"])
