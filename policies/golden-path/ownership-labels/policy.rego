# METADATA
# scope: package
# title: Ownership labels
# description: |-
#   Everything that runs says whose it is, in which environment, and who manages it. A namespace must carry
#   the labels; what is created in it inherits the namespace's values where it has none of its own, so that
#   a team writes them once. On a namespace the labels named by `immutable` keep their value: other policies
#   (production's, for instance) are bound to them, and a team must not leave those by relabelling.
# custom:
#   severity: medium
#   category: golden-path
#   match:
#     resourceRules:
#       - apiGroups: [""]
#         resources: [namespaces, pods, services, persistentvolumeclaims]
#         operations: [CREATE, UPDATE]
#       - {apiGroups: [apps], resources: [deployments, statefulsets, daemonsets], operations: [CREATE, UPDATE]}
#       - {apiGroups: [batch], resources: [jobs, cronjobs], operations: [CREATE, UPDATE]}
#   controls: [CIS-5.6.1]
#   peers: [gatekeeper/K8sRequiredLabels, kyverno/require-labels]
#   remedy: >-
#     Put the label on the namespace, from where everything in it inherits it, or on the object itself.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       labels:
#         description: The labels that must be present.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [team, environment, managed-by]
#       values:
#         description: >-
#           Per label, the values that it may have, for example
#           `environment: [development, staging, production]`. A label that is not listed may have any value.
#         type: object
#         additionalProperties: {type: array, minItems: 1, items: {type: string}}
#         default: {}
#       immutable:
#         description: Labels of a namespace that keep the value they once had.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [team, environment]
#   facts: []
#   needs: [namespace]
#   sensitive: false
package golden_path.ownership_labels

import data.lib.fields
import data.lib.label_value
import data.lib.namespace
import data.lib.pointer

deny contains object.union(finding, fields.seen(labels, name)) if {
	some name in required
	not labelled(name)
	finding := {
		"rule": "required-label",
		"path": pointer.label(name),
		"expected": expected(name),
	}
}

deny contains object.union(finding, fields.seen(labels, name)) if {
	namespace.is_subject
	input.review.operation == "UPDATE"
	some name in immutable

	# wayguard:ignore need-undeclared without it (a file, an audit) the label cannot have been changed
	before := namespace.labels_of(input.review.oldObject)[name]
	acceptable(name, before)
	not kept(name, before)
	not demanded(name)
	finding := {
		"rule": "immutable-label",
		"path": pointer.label(name),
		"expected": sprintf("`%s`, as it was when the namespace was created", [before]),
		"remedy": "Keep the label as it is; for another team or environment create another namespace.",
	}
}

defaults contains {"path": pointer.label(name), "value": inherited} if {
	not namespace.is_subject
	some name in required
	not fields.present(labels, name)
	inherited := namespace.label(name)
	acceptable(name, inherited)
}

labels := namespace.labels_of(input.review.object)

labelled(name) if acceptable(name, labels[name])

kept(name, before) if labels[name] == before

# A required label that was taken away is reported once, as the required label that it is.
demanded(name) if {
	name in required
	not labelled(name)
}

acceptable(name, value) if {
	label_value.valid(value)
	permitted(name, value)
}

permitted(name, value) if value in values[name]

permitted(name, _) if not restricted(name)

restricted(name) if values[name]

expected(name) := sprintf("%s%s", [kind_of_value(name), place])

kind_of_value(name) := sprintf("one of: %s", [concat(", ", values[name])]) if {
	restricted(name)
} else := "set to a label value"

place := "" if {
	namespace.is_subject
} else := " (here, or on the namespace, which is then inherited)"

required := object.get(input, ["parameters", "labels"], ["team", "environment", "managed-by"])

values := object.get(input, ["parameters", "values"], {})

immutable := object.get(input, ["parameters", "immutable"], ["team", "environment"])
