# METADATA
# scope: package
# title: What the namespace says
# description: |-
#   Reads labels of the request's namespace. A namespace that is unknown (a check on a laptop) or has no
#   such label yields nothing: policies that depend on it declare `needs: [namespace]`.
package lib.namespace

import data.lib.fields

# The value of the namespace's label `name`; undefined where the namespace is unknown or has no such label.
label(name) := value if {
	value := input.namespace.metadata.labels[name]
	is_string(value)
}

# True when the namespace's label `name` has one of the values.
label_in(name, values) if {
	some value in values
	value == label(name)
}

# True when the namespace's label `name` is one of the environments, and anywhere where none is listed.
in_environments(environments, _) if count(environments) == 0

in_environments(environments, name) if label_in(name, environments)

# True when a Namespace object itself is under review.
is_subject if {
	input.review.kind.kind == "Namespace"
	input.review.kind.group == ""
}

# The labels of any object's own metadata, as an object.
labels_of(object) := fields.object_at(fields.object_at(object, "metadata"), "labels")
