# METADATA
# scope: package
# title: Default-deny network policy
# description: |-
#   Where no NetworkPolicy selects a Pod, everything may connect to it and it may connect to everything. Each
#   namespace with workloads has policies that select all its Pods and allow nothing, one for both directions
#   or one for each; what is needed is then allowed by further policies beside them.
# custom:
#   severity: medium
#   category: network
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE]}
#       - {apiGroups: [apps], resources: [deployments, statefulsets, daemonsets], operations: [CREATE]}
#       - {apiGroups: [batch], resources: [jobs, cronjobs], operations: [CREATE]}
#   controls: [CIS-5.3.2, NSA-network-policies]
#   remedy: >-
#     Add a NetworkPolicy to the namespace with `podSelector: {}`, `policyTypes: [Ingress, Egress]` and no
#     rules.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       directions:
#         description: The directions that must be denied by default.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {enum: [Ingress, Egress]}
#         default: [Ingress, Egress]
#   facts: []
#   needs: []
#   inventory:
#     - {group: networking.k8s.io, version: v1, kind: NetworkPolicy}
#   sensitive: false
package network.default_deny

import data.lib.fields

# wayguard:ignore finding-path,finding-expected what is missing is another object, which the message names
deny contains finding if {
	open := [lower(direction) | some direction in directions; not denied(direction)]
	count(open) > 0
	finding := {
		"rule": "no-default-deny",
		"msg": sprintf(
			"no NetworkPolicy of namespace `%s` denies %s by default",
			[namespace, concat(" and ", open)],
		),
	}
}

denied(direction) if {
	some policy in data.inventory.namespace[namespace]["networking.k8s.io/v1"].NetworkPolicy
	denies_all(policy, direction)
}

denies_all(policy, direction) if {
	selector := fields.object_at(policy.spec, "podSelector") # absent selects all, as the empty one does
	fields.object_at(selector, "matchLabels") == {}
	fields.list_at(selector, "matchExpressions") == []
	direction in types_of(policy)
	fields.list_at(policy.spec, lower(direction)) == []
}

# The API server fills in the types; in a file they may be absent, and are then those that it would fill in:
# egress only where there are rules for it, which is no default-deny.
types_of(policy) := policy.spec.policyTypes if {
	is_array(policy.spec.policyTypes)
} else := ["Ingress"]

namespace := input.review.namespace

directions := object.get(input, ["parameters", "directions"], ["Ingress", "Egress"])
