# METADATA
# scope: package
# title: Reclaim policy of storage classes
# description: |-
#   What becomes of a volume when its claim is deleted is said by the storage class. With Retain the data
#   stays, is paid for, and can be bound by a claim of another namespace. On a cluster that teams share,
#   classes say Delete, which is also what an absent field means; data that must stay is backed up.
# custom:
#   severity: medium
#   category: storage
#   match:
#     resourceRules:
#       - {apiGroups: [storage.k8s.io], resources: [storageclasses], operations: [CREATE]}
#   controls: []
#   peers: [kyverno/restrict-storageclass]
#   remedy: Set reclaimPolicy to Delete.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       allowed:
#         description: Reclaim policies that classes may have.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {enum: [Delete, Retain]}
#         default: [Delete]
#       classes:
#         description: Names of classes that may have any.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package storage.reclaim_policy

import data.lib.fields

deny contains object.union(finding, fields.seen(input.review.object, "reclaimPolicy")) if {
	not reclaim_policy in allowed
	not named
	finding := {
		"rule": "reclaim-policy",
		"path": "/reclaimPolicy",
		"expected": sprintf("one of %s (absent means Delete)", [concat(", ", allowed)]),
	}
}

named if input.review.object.metadata.name in classes

reclaim_policy := input.review.object.reclaimPolicy if {
	fields.present(input.review.object, "reclaimPolicy")
} else := "Delete"

allowed := object.get(input, ["parameters", "allowed"], ["Delete"])

classes := object.get(input, ["parameters", "classes"], [])
