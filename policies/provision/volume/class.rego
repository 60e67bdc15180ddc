# METADATA
# scope: package
# title: Storage volume
# description: |-
#   A claim of type `volume` becomes a PersistentVolumeClaim of the same name, of the platform's StorageClass and
#   one of its sizes. It grows with the claim and never shrinks.
# custom:
#   severity: medium
#   category: provisioning
#   remedy: "`kubectl get claimclass volume-default -o yaml` shows what is offered."
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       storageClass:
#         description: The StorageClass; empty for the cluster's default.
#         type: string
#         default: ""
#       sizes:
#         description: What each size is, and what it costs.
#         type: object
#         additionalProperties:
#           type: object
#           additionalProperties: false
#           required: [storage, monthlyEUR]
#           properties:
#             storage: {type: string}
#             monthlyEUR: {description: Euro a month., type: number, minimum: 0}
#         default:
#           small: {storage: 10Gi, monthlyEUR: 1}
#           medium: {storage: 100Gi, monthlyEUR: 10}
#           large: {storage: 500Gi, monthlyEUR: 50}
#       waitsForPod:
#         description: >-
#           The StorageClass binds when the first Pod comes (WaitForFirstConsumer); until then it counts as ready.
#         type: boolean
#         default: true
package provision.volume

import data.lib.provision
import data.lib.quantity

settings := input.class.settings

claim := input.claim.spec

size := settings.sizes[claim.size]

deny contains {
	"path": "/spec/size",
	"found": provision.found("size"),
	"expected": provision.one_of(object.keys(settings.sizes)),
} if {
	not size
}

deny contains {
	"path": "/spec/size",
	"found": claim.size,
	"expected": sprintf("a size of %s or more: volumes do not shrink", [there]),
	"remedy": "Make a new claim of that size and move the data.",
} if {
	there := input.observed.volume.spec.resources.requests.storage
	quantity.exceeds(there, size.storage)
}

cost := size.monthlyEUR

objects["volume"] := {
	"apiVersion": "v1",
	"kind": "PersistentVolumeClaim",
	"metadata": {"name": provision.name},
	"spec": object.union(storage_class, {
		"accessModes": [claim.parameters.accessMode],
		"resources": {"requests": {"storage": size.storage}},
	}),
}

ready if input.observed.volume.status.phase == "Bound"

ready if {
	settings.waitsForPod
	input.observed.volume.status.phase == "Pending"
}

progress := sprintf("the volume is %s", [lower(input.observed.volume.status.phase)])

storage_class := {"storageClassName": settings.storageClass} if settings.storageClass != ""

else := {}
