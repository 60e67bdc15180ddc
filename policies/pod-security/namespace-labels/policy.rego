# METADATA
# scope: package
# title: Valid Pod Security labels
# description: >-
#   A label pod-security.kubernetes.io/… with a value that means nothing protects nothing. New and
#   changed mistakes are refused; labels of a namespace that is exempt are pointed out, because they do
#   not count.
# custom:
#   severity: medium
#   category: pod-security
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [namespaces], operations: [CREATE, UPDATE]}
#   controls: [PSS-baseline, PSS-restricted]
#   remedy: >-
#     Set the level to privileged, baseline or restricted and the version to `latest` or to one such as
#     `v1.37`, or remove the label.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       level:
#         description: Level to judge by, in every namespace. Not read with namespaceLabels.
#         type: string
#         enum: [baseline, restricted]
#         default: baseline
#       version:
#         description: Version of the standard, `latest` or `v1.N`. Not read with namespaceLabels.
#         type: string
#         pattern: ^(latest|v1\.(0|[1-9][0-9]*))$
#         default: latest
#       namespaceLabels:
#         description: >-
#           Behave as the built-in plugin. The namespace's pod-security.kubernetes.io labels choose level and
#           version; Pods are refused, workloads warned.
#         type: boolean
#         default: false
#       defaults:
#         description: Levels and versions for what a namespace has no label for. Read with namespaceLabels.
#         type: object
#         additionalProperties: false
#         default: {}
#         properties:
#           enforce: {type: string, enum: [privileged, baseline, restricted], default: privileged}
#           enforce-version: {type: string, pattern: '^(latest|v1\.(0|[1-9][0-9]*))$', default: latest}
#           audit: {type: string, enum: [privileged, baseline, restricted], default: privileged}
#           audit-version: {type: string, pattern: '^(latest|v1\.(0|[1-9][0-9]*))$', default: latest}
#           warn: {type: string, enum: [privileged, baseline, restricted], default: privileged}
#           warn-version: {type: string, pattern: '^(latest|v1\.(0|[1-9][0-9]*))$', default: latest}
#       exemptions:
#         description: Requests that are never judged.
#         type: object
#         additionalProperties: false
#         default: {}
#         properties:
#           usernames:
#             description: Authenticated users, by their whole name.
#             type: array
#             uniqueItems: true
#             items: {type: string, minLength: 1}
#             default: []
#           namespaces:
#             description: Namespaces by name.
#             type: array
#             uniqueItems: true
#             items: {type: string, minLength: 1}
#             default: []
#           runtimeClasses:
#             description: Pods with one of these runtime classes.
#             type: array
#             uniqueItems: true
#             items: {type: string, minLength: 1}
#             default: []
#   facts: []
#   needs: []
#   sensitive: false
package pod_security.namespace_labels

import data.lib.fields
import data.lib.namespace
import data.lib.pod_security
import data.lib.pod_security_labels as labels
import data.lib.pointer

deny contains {"rule": rule, "path": path, "found": value, "expected": expected, "msg": msg} if {
	judged
	not mistakes_as_before
	some mistake in labels.mistakes(new_labels)
	path := pointer.label(mistake.label)
	value := mistake.value
	expected := mistake.expected
	msg := sprintf("metadata.labels[%s]: Invalid value: \"%v\": must be %s", [mistake.label, value, expected])
}

# wayguard:ignore finding-path,finding-expected nothing is wrong with the object: the words are the API server's
warn contains {"rule": rule, "msg": msg} if {
	judged
	exempt_namespace
	not refused
	not enforces_no_more
	not without_effect
	msg := sprintf("namespace \"%s\" is exempt from Pod Security, and the policy (%s) will be ignored", [
		input.review.object.metadata.name,
		concat(", ", ignored),
	])
}

# What the namespace enforces from now on, if Pods that run in it may break it: they are looked at, and whoever
# changes the labels is warned of them.
recheck_pods := sprintf("%s:%s", [enforced.level, enforced.version]) if {
	judged
	updated
	pod_security.by_labels
	not refused
	not exempt_namespace
	not enforces_no_more
}

exempt_namespace if input.review.object.metadata.name in pod_security.parameters.exemptions.namespaces

# Upstream has no name for this: it is not one of the checks of a standard.
rule := "namespaceLabels"

# Subresources (`finalize`, `status`) do not change labels.
judged if {
	namespace.is_subject
	object.get(input.review, "subResource", "") in {"", null}
}

new_labels := namespace.labels_of(input.review.object)

old_labels := namespace.labels_of(fields.object_at(input.review, "oldObject"))

updated if input.review.operation == "UPDATE"

# An update may keep the mistakes that the namespace has, all of them: whoever mends one mends the others.
mistakes_as_before if {
	updated
	labels.mistakes(new_labels) == labels.mistakes(old_labels)
}

refused if {
	not mistakes_as_before
	count(labels.mistakes(new_labels)) > 0
}

# An update is worth a warning only if it enforces something else than before that is not less.
enforces_no_more if {
	updated
	enforced.level == "privileged"
}

enforces_no_more if {
	updated
	enforced.version == enforced_before.version
	labels.strictness[enforced.level] <= labels.strictness[enforced_before.level]
}

enforced := labels.enforce(new_labels, pod_security.fallbacks)

enforced_before := labels.enforce(old_labels, pod_security.fallbacks)

# What the namespace asks for, and what it would get without labels, mode by mode.
standards := {
	"enforce": enforced,
	"audit": labels.audit(new_labels, pod_security.fallbacks),
	"warn": labels.warn(new_labels, pod_security.fallbacks),
}

unlabelled := {
	"enforce": labels.enforce({}, pod_security.fallbacks),
	"audit": labels.audit({}, pod_security.fallbacks),
	"warn": labels.warn({}, pod_security.fallbacks),
}

# Nothing is lost by the exemption if nothing is asked for, or nothing but what holds everywhere.
without_effect if count(asking) == 0

without_effect if count(deviating) == 0

asking := {mode | some mode, standard in standards; standard.level != "privileged"}

deviating := {mode |
	some mode, standard in standards
	usual := unlabelled[mode]
	not equivalent(standard, usual)
}

equivalent(a, b) if {
	a.level == "privileged"
	b.level == "privileged"
}

equivalent(a, b) if {
	a.level == b.level
	a.version == b.version
}

# The standards that labels name and that will not be applied, e.g. `enforce=restricted:latest`.
ignored := [sprintf("%s=%s:%s", [mode, standard.level, standard.version]) |
	some mode in ["enforce", "audit", "warn"]
	standard := standards[mode]
	standard.level != "privileged"
	labelled(mode)
]

labelled(mode) if new_labels[sprintf("pod-security.kubernetes.io/%s", [mode])]

labelled(mode) if new_labels[sprintf("pod-security.kubernetes.io/%s-version", [mode])]
