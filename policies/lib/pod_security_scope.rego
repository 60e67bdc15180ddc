# METADATA
# scope: package
# title: What Pod Security judges
# description: |-
#   Which requests the Pod Security policies judge at all. The answers are those of the built-in plugin:
#   subresources that cannot change a Pod's spec are let through, and exempt users, namespaces and runtime
#   classes; where namespace labels choose the level, also updates of a Pod that change no image and add no
#   container. Where the level is fixed, an update is judged, and the Policy's `existing` decides what
#   becomes of findings that the Pod had before.
package lib.pod_security_scope

import data.lib.fields

# What the built-in plugin judges.
judged_by_labels if {
	judged
	not insignificant_update
}

# What a fixed level judges.
judged if {
	not passive_subresource
	not exempt
}

# True when the object is the Pod of a workload's template, not a Pod of its own.
controller if input.owner != null

# A subresource that is not on this list carries a Pod and is judged, also one that did not exist when this
# was written: it may well change the Pod's spec.
passive_subresources := {
	"attach",
	"binding",
	"eviction",
	"exec",
	"log",
	"portforward",
	"proxy",
	"status",
}

passive_subresource if input.review.subResource in passive_subresources

# No subresource of a workload changes its template (`scale`, `status`).
passive_subresource if {
	controller
	subresource := input.review.subResource
	subresource != ""
	subresource != null
}

exempt if {
	# wayguard:ignore need-undeclared whoever is not known is not exempt
	username := input.review.userInfo.username
	username != ""
	username in input.parameters.exemptions.usernames
}

exempt if {
	namespace != ""
	namespace in input.parameters.exemptions.namespaces
}

exempt if {
	runtime_class := input.review.object.spec.runtimeClassName
	runtime_class != ""
	runtime_class in input.parameters.exemptions.runtimeClasses
}

# The name of the namespace concerned. A file on a laptop has no request around it, hence the second way.
namespace := input.review.namespace if input.review.namespace != ""

namespace := input.namespace.metadata.name if not request_names_namespace

request_names_namespace if input.review.namespace != ""

# An update of a Pod matters to Pod Security only by its images and by containers that come or go: all
# other fields that the standards look at cannot be changed.
insignificant_update if {
	input.review.operation == "UPDATE"
	not controller
	new := input.review.object.spec

	# wayguard:ignore need-undeclared without it every update is judged
	old := input.review.oldObject.spec
	images(new, "containers") == images(old, "containers")
	images(new, "initContainers") == images(old, "initContainers")
	not changed_ephemeral_container(new, old)
}

images(spec, list) := [image |
	some container in fields.list_at(spec, list)
	image := object.get(container, "image", "")
]

# Ephemeral containers are matched by name, because they are only ever added.
changed_ephemeral_container(new, old) if {
	some container in fields.list_at(new, "ephemeralContainers")
	before := [image |
		some previous in fields.list_at(old, "ephemeralContainers")
		previous.name == container.name
		image := object.get(previous, "image", "")
	]
	not begins_with_image(before, container)
}

begins_with_image(images_before, container) if images_before[0] == object.get(container, "image", "")
