# METADATA
# scope: package
# title: Pull policies
# description: |-
#   With a tag that moves and a pull policy other than Always a node runs whatever it once pulled, and two
#   Pods of one workload run different code. Where the tag is `latest`, or there is none, an absent policy
#   means Always; else it means IfNotPresent. With `always` every image is pulled anew each time, which also
#   has the registry check the Pod's right to it: an image that another team's Pod left on the node is not
#   free for all. A digest needs no pull, but for that check.
# custom:
#   severity: medium
#   category: images
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers: [kyverno/always-pull-images, kyverno/imagepullpolicy-always, polaris/pullPolicyNotAlways]
#   remedy: Set imagePullPolicy to Always, or name the image by a fixed version.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       always:
#         description: Require Always for every image, whatever its tag.
#         type: boolean
#         default: false
#       tags:
#         description: Tags that move and therefore do not name a version.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [latest]
#   facts: []
#   needs: []
#   sensitive: false
package images.pull_policy

import data.lib.containers
import data.lib.fields
import data.lib.image_reference

deny contains object.union(finding, fields.seen(place.holder, place.field)) if {
	some place in places
	reason := reason_to_pull(place.image)
	not pulled(place)
	finding := {
		"rule": "not-always-pulled",
		"path": place.path,
		"expected": "Always",
		"msg": reason,
	}
}

# Every image of the Pod with the field that says when it is pulled.
places contains place if {
	some list in containers.lists
	some index, container in fields.list_at(spec, list)
	place := {
		"path": concat("", [containers.path(list, index), "/imagePullPolicy"]),
		"holder": container,
		"field": "imagePullPolicy",
		"image": object.get(container, "image", ""),
	}
}

places contains place if {
	some index, volume in fields.list_at(spec, "volumes")
	is_object(volume.image)
	place := {
		"path": sprintf("/spec/volumes/%d/image/pullPolicy", [index]),
		"holder": volume.image,
		"field": "pullPolicy",
		"image": object.get(volume.image, "reference", ""),
	}
}

pulled(place) if place.holder[place.field] == "Always"

# What the API server fills in.
pulled(place) if {
	not fields.present(place.holder, place.field)
	reference := image_reference.parse(place.image)
	reference.tag in {"", "latest"}
	reference.digest == ""
}

reason_to_pull(image) := "every image is pulled anew, so that the right to it is checked" if {
	always == true
} else := msg if {
	reference := image_reference.parse(image)
	reference.digest == ""
	reference.tag in moving
	msg := sprintf("the tag `%s` moves, and the node may run an older image of it", [reference.tag])
} else := "an image without a tag is `latest`, and the node may run an older one" if {
	reference := image_reference.parse(image)
	reference.digest == ""
	reference.tag == ""
}

spec := fields.object_at(input.review.object, "spec")

always := object.get(input, ["parameters", "always"], false)

moving := object.get(input, ["parameters", "tags"], ["latest"])
