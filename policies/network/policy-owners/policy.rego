# METADATA
# scope: package
# title: Network policies of the platform
# description: |-
#   In each namespace some NetworkPolicies are the platform's: the default deny, the one that lets monitoring
#   in. Teams may write policies of their own beside them, and RBAC cannot tell these apart. The policies
#   that are listed are written, changed and deleted only by the people listed with them; Kubernetes' own
#   controllers are among them, or a namespace could not go away with its policies. Who asks must be known.
# custom:
#   severity: high
#   category: network
#   match:
#     resourceRules:
#       - {apiGroups: [networking.k8s.io], resources: [networkpolicies], operations: [CREATE, UPDATE, DELETE]}
#   controls: [NSA-network-policies]
#   peers: [gatekeeper/DenyNetworkPolicyModifications]
#   remedy: Write a NetworkPolicy of your own with another name, or ask the platform to change this one.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       owned:
#         description: NetworkPolicies, by name, and who may write them.
#         type: array
#         items:
#           type: object
#           additionalProperties: false
#           required: [names]
#           properties:
#             names: {type: array, minItems: 1, items: {type: string, minLength: 1}}
#             groups: {type: array, items: {type: string, minLength: 1}, default: []}
#             users: {type: array, items: {type: string, minLength: 1}, default: []}
#         default:
#           - {names: [default-deny], groups: ["system:masters", "system:serviceaccounts:kube-system"]}
#   facts: []
#   needs: [user]
#   sensitive: false
package network.policy_owners

import data.lib.fields

deny contains finding if {
	owners := [entry | some entry in owned; name in entry.names]
	count(owners) > 0
	not among(owners)
	finding := {
		"rule": "owner",
		"path": "/metadata/name",
		"found": name,
		"expected": "a name that is not the platform's",
		"msg": sprintf("`%v` may not write this policy", [object.get(user, "username", "")]),
	}
}

among(owners) if {
	some entry in owners
	user.username in entry.users
}

among(owners) if {
	some entry in owners
	some group in user.groups
	group in entry.groups
}

# On a deletion there is only the old object.
name := given if {
	given := input.review.object.metadata.name
} else := deleted

# wayguard:ignore need-undeclared all but a deletion has an object of its own
deleted := input.review.oldObject.metadata.name

user := fields.object_at(input.review, "userInfo")

owned := object.get(
	input,
	["parameters", "owned"],
	[{"names": ["default-deny"], "groups": ["system:masters", "system:serviceaccounts:kube-system"]}],
)
