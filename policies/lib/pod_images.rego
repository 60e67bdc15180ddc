# METADATA
# scope: package
# title: Every image of a Pod
# description: |-
#   The images that a node pulls for a Pod: those of its containers of every kind, and image volumes
#   (KEP-4639), which no rule about `containers` sees.
package lib.pod_images

import data.lib.containers
import data.lib.fields

# Every place where the Pod under review names an image, as {"path", "seen"}, and "image" where it is given.
# `seen` is {"found": image} or {}, to be merged into a finding.
all contains entry if {
	some place in containers.all
	entry := at(concat("", [place.path, "/image"]), place.container, "image")
}

all contains entry if {
	some index, volume in fields.list_at(fields.object_at(input.review.object, "spec"), "volumes")
	is_object(volume.image)
	entry := at(sprintf("/spec/volumes/%d/image/reference", [index]), volume.image, "reference")
}

at(path, holder, key) := object.union({"path": path, "seen": fields.seen(holder, key)}, image_of(holder, key))

image_of(holder, key) := {"image": holder[key]} if {
	is_string(holder[key])
} else := {}
