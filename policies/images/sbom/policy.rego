# METADATA
# scope: package
# title: Images come with a list of what is in them
# description: |-
#   Somebody who is trusted signed a list of what is in the image (CycloneDX or SPDX), so that the next vulnerability
#   in the news can be searched for. An empty list is none.
# custom:
#   severity: medium
#   category: images
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [NTIA-sbom]
#   peers: [kyverno/verify-sbom-cyclonedx]
#   remedy: Make a list where the image is built (such as with `syft`) and sign it (`cosign attest --type cyclonedx`).
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       formats:
#         description: Formats that count.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {enum: [cyclonedx, spdx]}
#         default: [cyclonedx, spdx]
#   facts: [images]
#   needs: []
#   sensitive: false
package images.sbom

import data.lib.image_facts

deny contains object.union(finding, entry.seen) if {
	some entry in image_facts.all
	not listed(entry.fact)
	finding := {
		"rule": "no-sbom",
		"path": entry.path,
		"expected": sprintf("a signed list of its packages (%s)", [concat(" or ", formats)]),
		"msg": why(entry.fact),
	}
}

listed(fact) if {
	some list in image_facts.list(fact, "sboms")
	list.format in formats
	list.components > 0
}

why(fact) := reason if {
	reason := image_facts.nothing_known(fact)
} else := "its list is empty or of another format" if {
	count(image_facts.list(fact, "sboms")) > 0
} else := "it has none"

formats := object.get(input, ["parameters", "formats"], ["cyclonedx", "spdx"])
