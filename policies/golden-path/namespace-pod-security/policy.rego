# METADATA
# scope: package
# title: Pod Security of namespaces
# description: |-
#   A new namespace gets the Pod Security level that it does not name itself: what is below `enforce` is
#   refused in it, what is below `warn` is warned about. Later nobody lowers its `enforce` label below the
#   level of this policy, be it by another value or by taking the label away; raising it is always allowed.
# custom:
#   severity: high
#   category: golden-path
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [namespaces], operations: [CREATE, UPDATE]}
#   controls: [CIS-5.2.1, NSA-pod-security]
#   peers: [kyverno/add-psa-labels]
#   remedy: >-
#     Keep the pod-security.kubernetes.io/enforce label at the required level or above it; a workload that
#     needs more belongs in a namespace of its own.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       enforce:
#         description: The level that a new namespace enforces, and below which it is not lowered.
#         enum: [privileged, baseline, restricted]
#         default: baseline
#       warn:
#         description: The level below which Pods of a new namespace are warned about.
#         enum: [privileged, baseline, restricted]
#         default: restricted
#       judgeNew:
#         description: Also refuse a new namespace that names a level below `enforce`.
#         type: boolean
#         default: false
#   facts: []
#   needs: [oldObject]
#   sensitive: false
package golden_path.namespace_pod_security

import data.lib.fields
import data.lib.namespace
import data.lib.pointer

defaults contains {"path": pointer.label(name), "value": level} if {
	input.review.operation == "CREATE"
	some name, level in wanted
	not fields.present(labels, name)
}

deny contains object.union(finding, fields.seen(labels, enforce_label)) if {
	judged
	not high_enough
	finding := {
		"rule": "enforce-lowered",
		"path": pointer.label(enforce_label),
		"expected": concat(" or ", [name | some name in ranking; rank(name) >= rank(level_of.enforce)]),
	}
}

enforce_label := "pod-security.kubernetes.io/enforce"

wanted := {
	enforce_label: level_of.enforce,
	"pod-security.kubernetes.io/warn": level_of.warn,
}

# Only a change is judged: a namespace that is older than this policy stays as it is.
judged if {
	input.review.operation == "UPDATE"
	not unchanged
	not raised
}

judged if {
	input.review.operation == "CREATE"
	judge_new == true
	fields.present(labels, enforce_label)
}

unchanged if fields.seen(labels, enforce_label) == fields.seen(old_labels, enforce_label)

raised if rank(labels[enforce_label]) > old_rank

high_enough if rank(labels[enforce_label]) >= rank(level_of.enforce)

# What has no level, or one that does not exist, may have meant anything: no change counts as raising it
# from higher than the lowest.
old_rank := rank(old_labels[enforce_label]) if {
	old_labels[enforce_label] in ranking
} else := 0

ranking := ["privileged", "baseline", "restricted"]

rank(level) := number if {
	some number, name in ranking
	name == level
}

labels := namespace.labels_of(input.review.object)

old_labels := namespace.labels_of(input.review.oldObject)

level_of := {
	"enforce": object.get(input, ["parameters", "enforce"], "baseline"),
	"warn": object.get(input, ["parameters", "warn"], "restricted"),
}

judge_new := object.get(input, ["parameters", "judgeNew"], false)
