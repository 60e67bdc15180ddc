# METADATA
# scope: package
# title: Namespaces that hold data
# description: |-
#   A namespace is not deleted by accident while a PlatformClaim in it keeps data that outlives the claim (its
#   `deletionPolicy`, or its class's, is `Retain`): what is retained outlives a claim, but nothing outlives its
#   namespace. Whoever means it says so first, by the annotation `wayguard.io/allow-deletion: "true"` on the namespace,
#   or deletes the claims and then what they left.
# custom:
#   severity: high
#   category: self-service
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [namespaces], operations: [DELETE]}
#   controls: []
#   remedy: >-
#     If the data may go: `kubectl annotate namespace NAME wayguard.io/allow-deletion=true`, and delete it again.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: []
#   needs: []
#   inventory:
#     - {group: wayguard.io, version: v1alpha1, kind: PlatformClaim}
#     - {group: wayguard.io, version: v1alpha1, kind: ClaimClass, scope: cluster}
#   sensitive: false
package self_service.namespace_deletion

import data.lib.fields

deny contains finding if {
	input.review.operation == "DELETE"
	not allowed
	count(keeping) > 0
	finding := {
		"rule": "holds-data",
		"path": "/metadata/annotations/wayguard.io~1allow-deletion",
		"expected": "`true`",
		"msg": sprintf("the namespace holds data that outlives its claims: %s", [concat(", ", sort(keeping))]),
	}
}

# wayguard:ignore need-undeclared only a deletion is judged, which has no other object
allowed if annotations["wayguard.io/allow-deletion"] == "true"

annotations := fields.object_at(fields.object_at(input.review.oldObject, "metadata"), "annotations")

# What each of those claims is, in words.
keeping contains sprintf("%s `%s`", [object.get(claim.spec, "type", "claim"), name]) if {
	some name, claim in data.inventory.namespace[input.review.namespace]["wayguard.io/v1alpha1"].PlatformClaim
	provided_for(claim)
	policy_of(claim) == "Retain"
}

# A claim that was refused, or waits, has nothing.
provided_for(claim) if count(claim.status.inventory) > 0

policy_of(claim) := claim.spec.deletionPolicy if {
	is_string(claim.spec.deletionPolicy)
} else := data.inventory.cluster["wayguard.io/v1alpha1"].ClaimClass[claim.status.class].spec.deletionPolicy
