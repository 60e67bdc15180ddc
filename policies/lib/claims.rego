# METADATA
# scope: package
# title: Claims for storage
# description: |-
#   Where an object claims storage: a PersistentVolumeClaim itself, the templates of a StatefulSet, and the
#   templates of a Pod's generic ephemeral volumes.
package lib.claims

import data.lib.fields

# As {"path", "spec"}: `path` points at the claim's spec.
all := [{"path": "/spec", "spec": spec}] if {
	input.review.kind.kind == "PersistentVolumeClaim"
} else := array.concat(of_templates, of_volumes)

of_templates := [{"path": path, "spec": fields.object_at(template, "spec")} |
	some index, template in fields.list_at(spec, "volumeClaimTemplates")
	path := sprintf("/spec/volumeClaimTemplates/%d/spec", [index])
]

of_volumes := [{"path": path, "spec": fields.object_at(template, "spec")} |
	some index, volume in fields.list_at(spec, "volumes")
	template := volume.ephemeral.volumeClaimTemplate
	path := sprintf("/spec/volumes/%d/ephemeral/volumeClaimTemplate/spec", [index])
]

spec := fields.object_at(input.review.object, "spec")
