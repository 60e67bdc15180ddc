# METADATA
# scope: package
# title: Label selectors
# description: |-
#   Tells whether a LabelSelector (matchLabels and matchExpressions) selects an object by its labels, as
#   k8s.io/apimachinery's LabelSelectorAsSelector does: the empty selector selects everything, an absent one
#   nothing, and an operator that is unknown nothing either.
package lib.label_selector

import data.lib.fields

selects(selector, labels) if {
	is_object(selector)
	not excluded(selector, labels)
}

excluded(selector, labels) if {
	some name, value in fields.object_at(selector, "matchLabels")
	not has(labels, name, [value])
}

excluded(selector, labels) if {
	some expression in fields.list_at(selector, "matchExpressions")
	not satisfied(expression, labels)
}

satisfied(expression, labels) if {
	expression.operator == "In"
	has(labels, expression.key, expression.values)
}

satisfied(expression, labels) if {
	expression.operator == "NotIn"
	not has(labels, expression.key, expression.values)
}

satisfied(expression, labels) if {
	expression.operator == "Exists"
	labels[expression.key]
}

satisfied(expression, labels) if {
	expression.operator == "DoesNotExist"
	not labels[expression.key]
}

has(labels, name, values) if labels[name] in values
