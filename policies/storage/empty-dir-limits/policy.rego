# METADATA
# scope: package
# title: Limits of emptyDir volumes
# description: |-
#   An emptyDir without a limit fills the node's disk, or its memory, until the node evicts Pods, others
#   than the one to blame among them. Each emptyDir has a sizeLimit; or, where it lies on disk, every
#   container that mounts it requests ephemeral storage and has a limit for it. What lies in memory needs
#   the sizeLimit. A platform may say how large a sizeLimit can be.
# custom:
#   severity: medium
#   category: storage
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [NSA-resource-policies, T1499]
#   peers: [kyverno/require-emptydir-requests-and-limits]
#   remedy: Set emptyDir.sizeLimit to what the application needs at most.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       maximum:
#         description: The largest sizeLimit; absent means that any will do.
#         type: string
#         minLength: 1
#   facts: []
#   needs: []
#   sensitive: false
package storage.empty_dir_limits

import data.lib.containers
import data.lib.fields
import data.lib.quantity

deny contains object.union(finding, fields.seen(volume.emptyDir, "sizeLimit")) if {
	some index, volume in fields.list_at(fields.object_at(input.review.object, "spec"), "volumes")
	is_object(volume.emptyDir)
	not limited(volume)
	finding := {
		"rule": "no-size-limit",
		"path": sprintf("/spec/volumes/%d/emptyDir/sizeLimit", [index]),
		"expected": "set, or every container that mounts it has a request and a limit for ephemeral-storage",
	}
}

deny contains finding if {
	some index, volume in fields.list_at(fields.object_at(input.review.object, "spec"), "volumes")
	limit := volume.emptyDir.sizeLimit
	quantity.exceeds(limit, maximum)
	finding := {
		"rule": "size-limit",
		"path": sprintf("/spec/volumes/%d/emptyDir/sizeLimit", [index]),
		"found": limit,
		"expected": sprintf("at most %s", [maximum]),
	}
}

limited(volume) if quantity.positive(volume.emptyDir.sizeLimit)

limited(volume) if {
	not in_memory(volume)
	not fields.present(volume.emptyDir, "sizeLimit")
	mounting := [place.container |
		some place in containers.all
		some mount in fields.list_at(place.container, "volumeMounts")
		mount.name == volume.name
	]
	every container in mounting {
		bounded(container, "requests")
		bounded(container, "limits")
	}
}

in_memory(volume) if volume.emptyDir.medium == "Memory"

bounded(container, kind) if {
	amounts := fields.object_at(fields.object_at(container, "resources"), kind)
	quantity.positive(amounts["ephemeral-storage"])
}

maximum := input.parameters.maximum
