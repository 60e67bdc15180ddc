# METADATA
# scope: package
# title: Where Pods may run
# description: |-
#   Nodes are the platform's. A Pod that names its node goes past the scheduler, and past taints and quotas
#   with it; one that tolerates the control plane's taint, or all taints, may land where the cluster's own
#   secrets lie. No Pod does either. With `labels` Pods choose nodes by those labels only, be it by
#   nodeSelector or by nodeAffinity; an empty list leaves the choice to the scheduler. A node's own static
#   Pods, and a node that was given by the scheduler before an update, are not held against anyone.
# custom:
#   severity: high
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [T1610]
#   peers:
#     - kyverno/restrict-controlplane-scheduling
#     - kyverno/restrict-node-affinity
#     - kyverno/restrict-node-selection
#   remedy: Leave the choice of nodes to the scheduler, or choose by a label that the platform offers.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       labels:
#         description: The labels of nodes by which Pods may choose; without this parameter all but the roles.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#   facts: []
#   needs: []
#   sensitive: false
package workload.node_placement

import data.lib.fields
import data.lib.pointer

deny contains finding if {
	node := spec.nodeName
	not node in {null, "", assigned}
	not from_node
	finding := {
		"rule": "node-name",
		"path": "/spec/nodeName",
		"found": node,
		"expected": "unset",
		"msg": "a Pod that names its node goes past the scheduler",
	}
}

deny contains finding if {
	some index, toleration in fields.list_at(spec, "tolerations")
	tolerates_control_plane(toleration)
	not from_node
	finding := {
		"rule": "control-plane-toleration",
		"path": sprintf("/spec/tolerations/%d", [index]),
		"found": toleration,
		"expected": "left out",
		"msg": "it tolerates the taint of the control plane",
	}
}

deny contains finding if {
	some choice in choices
	not choosable(choice.label)
	finding := {
		"rule": "node-label",
		"path": choice.path,
		"found": choice.label,
		"expected": expected,
		"msg": sprintf("nodes are not chosen by `%s`", [choice.label]),
	}
}

# Without a key it tolerates every taint, with any effect but the mild PreferNoSchedule.
tolerates_control_plane(toleration) if {
	object.get(toleration, "key", "") in {
		"",
		"node-role.kubernetes.io/control-plane",
		"node-role.kubernetes.io/master",
	}
	object.get(toleration, "effect", "") != "PreferNoSchedule"
}

# Every label by which the Pod chooses nodes, as {"path", "label"}.
choices contains {"path": path, "label": label} if {
	some label, _ in fields.object_at(spec, "nodeSelector")
	path := concat("", ["/spec/nodeSelector/", pointer.segment(label)])
}

choices contains {"path": path, "label": expression.key} if {
	some term in terms
	some index, expression in fields.list_at(term.term, "matchExpressions")
	path := sprintf("%s/matchExpressions/%d/key", [term.path, index])
}

terms contains {"path": path, "term": term} if {
	rule := "requiredDuringSchedulingIgnoredDuringExecution"
	some index, term in fields.list_at(fields.object_at(affinity, rule), "nodeSelectorTerms")
	path := sprintf("/spec/affinity/nodeAffinity/%s/nodeSelectorTerms/%d", [rule, index])
}

terms contains {"path": path, "term": preference.preference} if {
	rule := "preferredDuringSchedulingIgnoredDuringExecution"
	some index, preference in fields.list_at(affinity, rule)
	path := sprintf("/spec/affinity/nodeAffinity/%s/%d/preference", [rule, index])
}

choosable(label) if label in input.parameters.labels

choosable(label) if {
	not restricted
	not startswith(label, "node-role.kubernetes.io/")
}

restricted if is_array(input.parameters.labels)

expected := sprintf("one of the labels %s", [concat(", ", input.parameters.labels)]) if {
	count(input.parameters.labels) > 0
} else := "left to the scheduler" if {
	restricted
} else := "a label that is not a node's role"

# The node that the Pod had before this request.
# wayguard:ignore need-undeclared without it (a file, an audit) the Pod had none
assigned := object.get(input, ["review", "oldObject", "spec", "nodeName"], null)

# wayguard:ignore need-undeclared whoever is not known is no node
from_node if "system:nodes" in input.review.userInfo.groups

affinity := fields.object_at(fields.object_at(spec, "affinity"), "nodeAffinity")

spec := fields.object_at(input.review.object, "spec")
