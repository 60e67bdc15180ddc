# METADATA
# scope: package
# title: Labels and annotations
# description: |-
#   Which labels and annotations an object must carry, with which values, and which it may carry at all, is a
#   platform's own matter: a cost centre, a contact, no annotation that reconfigures a proxy. The parameters
#   say it, with patterns (RE2) that must match a value or a name as a whole. Without parameters everything
#   passes. For labels that objects inherit from their namespace see golden-path/ownership-labels.
# custom:
#   severity: low
#   category: workload
#   match:
#     resourceRules:
#       - apiGroups: [""]
#         resources: [namespaces, pods, services, persistentvolumeclaims]
#         operations: [CREATE, UPDATE]
#       - {apiGroups: [apps], resources: [deployments, statefulsets, daemonsets], operations: [CREATE, UPDATE]}
#       - {apiGroups: [batch], resources: [jobs, cronjobs], operations: [CREATE, UPDATE]}
#       - {apiGroups: [networking.k8s.io], resources: [ingresses], operations: [CREATE, UPDATE]}
#   controls: []
#   peers:
#     - gatekeeper/K8sRequiredAnnotations
#     - gatekeeper/K8sRequiredLabels
#     - kyverno/allowed-annotations
#     - kyverno/metadata-match-regex
#     - kyverno/require-annotations
#     - kyverno/require-labels
#     - kyverno/restrict-annotations
#   remedy: Write the label or annotation as the platform asks for it, or leave out what it does not allow.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       labels:
#         description: Labels that must be there, each with the pattern of its value; empty allows any.
#         type: object
#         additionalProperties: {type: string}
#         default: {}
#       annotations:
#         description: Annotations that must be there, likewise.
#         type: object
#         additionalProperties: {type: string}
#         default: {}
#       allowedLabels:
#         description: Patterns of the names that labels may have; empty allows each.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       allowedAnnotations:
#         description: Patterns of the names that annotations may have; empty allows each.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       forbiddenLabels:
#         description: Patterns of the names that no label has.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       forbiddenAnnotations:
#         description: Patterns of the names that no annotation has.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package workload.metadata

import data.lib.fields
import data.lib.pointer

deny contains object.union(finding, fields.seen(given[kind], name)) if {
	some kind, wanted in required
	some name, pattern in wanted
	not fits(given[kind], name, pattern)
	finding := {
		"rule": sprintf("required-%s", [kind]),
		"path": path(kind, name),
		"expected": expected(pattern),
	}
}

deny contains finding if {
	some kind, patterns in allowed
	count(patterns) > 0
	some name, value in given[kind]
	not matches_any(patterns, name)
	finding := {
		"rule": sprintf("%s-not-allowed", [kind]),
		"path": path(kind, name),
		"found": value,
		"expected": "left out",
		"msg": sprintf("`%s` is not among the %ss that are allowed", [name, kind]),
	}
}

deny contains finding if {
	some kind, patterns in forbidden
	some name, value in given[kind]
	matches_any(patterns, name)
	finding := {
		"rule": sprintf("forbidden-%s", [kind]),
		"path": path(kind, name),
		"found": value,
		"expected": "left out",
		"msg": sprintf("the %s `%s` is forbidden", [kind, name]),
	}
}

fits(holder, name, pattern) if {
	is_string(holder[name])
	pattern == ""
}

fits(holder, name, pattern) if matches_whole(pattern, holder[name])

matches_any(patterns, name) if {
	some pattern in patterns
	matches_whole(pattern, name)
}

matches_whole(pattern, text) if {
	is_string(text)
	regex.match(concat("", ["^(?:", pattern, ")$"]), text)
}

expected(pattern) := sprintf("a text that matches `%s`", [pattern]) if {
	pattern != ""
} else := "set"

path(kind, name) := pointer.label(name) if kind == "label"

path(kind, name) := pointer.annotation(name) if kind == "annotation"

given := {
	"annotation": fields.object_at(metadata, "annotations"),
	"label": fields.object_at(metadata, "labels"),
}

metadata := fields.object_at(input.review.object, "metadata")

required := {
	"annotation": object.get(input, ["parameters", "annotations"], {}),
	"label": object.get(input, ["parameters", "labels"], {}),
}

allowed := {
	"annotation": object.get(input, ["parameters", "allowedAnnotations"], []),
	"label": object.get(input, ["parameters", "allowedLabels"], []),
}

forbidden := {
	"annotation": object.get(input, ["parameters", "forbiddenAnnotations"], []),
	"label": object.get(input, ["parameters", "forbiddenLabels"], []),
}
