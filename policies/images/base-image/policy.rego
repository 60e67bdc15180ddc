# METADATA
# scope: package
# title: Images are built on allowed base images
# description: |-
#   The image names the image that it was built on (`org.opencontainers.image.base.name`, a label or an annotation that
#   builders write), and that one is in a repository that the parameter names, by the same patterns as
#   `images/allowed-registries`. It is the image's own word: together with `images/signed` it is its signer's.
# custom:
#   severity: medium
#   category: images
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [NSA-image-repositories]
#   peers: [kyverno/allowed-base-images, kyverno/require-base-image]
#   remedy: >-
#     Build on an allowed base image, and have the build say so
#     (`--label org.opencontainers.image.base.name=REGISTRY/BASE:TAG`).
#   parameters:
#     type: object
#     additionalProperties: false
#     required: [bases]
#     properties:
#       bases:
#         description: Patterns of repositories of base images, such as `registry.example.com/base`.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#   facts: [images]
#   needs: []
#   sensitive: false
package images.base_image

import data.lib.image_facts
import data.lib.image_reference
import data.lib.registry_pattern

deny contains object.union(finding, entry.seen) if {
	some entry in image_facts.all
	not on_an_allowed_base(entry.fact)
	finding := {
		"rule": "base-image-not-allowed",
		"path": entry.path,
		"expected": sprintf("built on an image from %s", [concat(" or ", bases)]),
		"msg": why(entry.fact),
	}
}

on_an_allowed_base(fact) if {
	reference := image_reference.parse(base_of(fact))
	some pattern in bases
	registry_pattern.matches(reference, pattern)
}

# What the manifest says goes before what the configuration does: it is written later.
base_of(fact) := name if {
	name := said(fact, "annotations")
} else := said(fact, "labels")

said(fact, place) := name if {
	name := fact.config[place]["org.opencontainers.image.base.name"]
	is_string(name)
}

why(fact) := reason if {
	reason := image_facts.nothing_known(fact)
} else := sprintf("it says that it was built on `%s`", [base]) if {
	base := base_of(fact)
} else := "it does not say on what it was built"

bases := object.get(input, ["parameters", "bases"], [])
