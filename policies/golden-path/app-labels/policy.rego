# METADATA
# scope: package
# title: App labels
# description: |-
#   A workload that names neither a selector nor labels for its Pods gets `app: <name>` as both, which is
#   what nearly every manifest says there. Where one of the two is given nothing is added: the other half is
#   the author's to say. An object without a name (generateName) gets nothing either, for its name is not
#   known yet. A selector cannot be changed later, hence only what is created is filled in.
# custom:
#   severity: low
#   category: golden-path
#   match:
#     resourceRules:
#       - {apiGroups: [apps], resources: [deployments, statefulsets, daemonsets, replicasets], operations: [CREATE]}
#   controls: []
#   remedy: Set spec.selector.matchLabels and the same labels in spec.template.metadata.labels.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: []
#   needs: []
#   sensitive: false
package golden_path.app_labels

import data.lib.fields
import data.lib.label_value

defaults contains {"path": "/spec/selector/matchLabels/app", "value": name} if neither_is_given

defaults contains {"path": "/spec/template/metadata/labels/app", "value": name} if neither_is_given

name := input.review.object.metadata.name

neither_is_given if {
	input.review.operation == "CREATE"
	label_value.valid(name)
	fields.object_at(selector, "matchLabels") == {}
	fields.list_at(selector, "matchExpressions") == []
	fields.object_at(template_metadata, "labels") == {}
}

spec := fields.object_at(input.review.object, "spec")

selector := fields.object_at(spec, "selector")

template_metadata := fields.object_at(fields.object_at(spec, "template"), "metadata")
