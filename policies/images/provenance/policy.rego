# METADATA
# scope: package
# title: Images are built where they should be, from what they should be
# description: |-
#   Signed provenance (SLSA 0.2 or 1) names a builder that is allowed and a source repository that is allowed. A value
#   that ends in `/` or `@` stands for everything that begins with it; every other value is meant exactly.
# custom:
#   severity: high
#   category: images
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [SLSA-provenance]
#   peers: [kyverno/verify-image-slsa]
#   remedy: Build the image with an allowed builder, from an allowed repository, and let the builder attest it.
#   parameters:
#     type: object
#     additionalProperties: false
#     required: [builders, sources]
#     properties:
#       builders:
#         description: Identifiers of builders, such as `https://github.com/actions/runner/github-hosted`.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#       sources:
#         description: Source repositories, such as `https://github.com/my-team/`.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#   facts: [images]
#   needs: []
#   sensitive: false
package images.provenance

import data.lib.image_facts

deny contains object.union(finding, entry.seen) if {
	some entry in image_facts.all
	not built_as_allowed(entry.fact)
	finding := {
		"rule": "built-elsewhere",
		"path": entry.path,
		"expected": sprintf("built by %s from %s", [concat(" or ", builders), concat(" or ", sources)]),
		"msg": why(entry.fact),
	}
}

# One statement must name both: a good builder of another source, beside a good source of another builder, is neither.
built_as_allowed(fact) if {
	some statement in image_facts.list(fact, "provenance")
	some builder in builders
	fits(statement.builder, builder)
	some source in sources
	fits(statement.source.uri, source)
}

fits(text, value) if text == value

fits(text, value) if {
	some ending in {"/", "@"}
	endswith(value, ending)
	startswith(text, value)
}

why(fact) := reason if {
	reason := image_facts.nothing_known(fact)
} else := "nobody who is trusted says how it was built" if {
	image_facts.list(fact, "provenance") == []
} else := concat("; ", sort([said |
	some statement in image_facts.list(fact, "provenance")
	builder := object.get(statement, "builder", "an unnamed builder")
	source := object.get(statement, ["source", "uri"], "an unnamed source")
	said := sprintf("it was built by %s from %s", [builder, source])
]))

builders := object.get(input, ["parameters", "builders"], [])

sources := object.get(input, ["parameters", "sources"], [])
