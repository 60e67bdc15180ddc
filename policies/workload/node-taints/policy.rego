# METADATA
# scope: package
# title: Taints of nodes stay
# description: |-
#   Taints keep everybody's Pods away from the control plane and from nodes that are set aside. Whoever may
#   write Nodes, to label one, say, can take such a taint away or change its effect, and then schedule there
#   what they like. The taints whose keys match stay as they are, but for the groups of the parameter. Adding
#   taints is free.
# custom:
#   severity: high
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [nodes], operations: [UPDATE]}
#   controls: [T1610]
#   peers: [kyverno/protect-node-taints]
#   remedy: Leave the taint as it is, or ask one of the groups that may change it.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       keys:
#         description: Globs of the keys of the taints that stay; `*` stands for any text.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: ['node-role.kubernetes.io/*']
#       groups:
#         description: Groups of users who may change them.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: ['system:masters', 'system:serviceaccounts:kube-system']
#   facts: []
#   needs: [oldObject, user]
#   sensitive: false
package workload.node_taints

import data.lib.fields

deny contains object.union(finding, fields.seen(spec_of(input.review.object), "taints")) if {
	some taint in taints_of(input.review.oldObject)
	protected(taint)
	not kept(taint)
	not trusted
	finding := {
		"rule": "taint-removed",
		"path": "/spec/taints",
		"expected": sprintf("with the taint `%s`, as before", [written(taint)]),
	}
}

protected(taint) if {
	some pattern in keys
	glob.match(pattern, null, taint.key)
}

kept(taint) if {
	some other in taints_of(input.review.object)
	identity(other) == identity(taint)
}

identity(taint) := [object.get(taint, field, "") | some field in ["key", "value", "effect"]]

written(taint) := sprintf("%s:%v", [taint.key, effect]) if {
	effect := object.get(taint, "effect", "")
	object.get(taint, "value", "") == ""
} else := sprintf("%s=%v:%v", [taint.key, taint.value, object.get(taint, "effect", "")])

trusted if {
	some group in input.review.userInfo.groups
	group in groups
}

taints_of(node) := fields.list_at(spec_of(node), "taints")

spec_of(node) := fields.object_at(node, "spec")

keys := object.get(input, ["parameters", "keys"], ["node-role.kubernetes.io/*"])

groups := object.get(
	input,
	["parameters", "groups"],
	["system:masters", "system:serviceaccounts:kube-system"],
)
