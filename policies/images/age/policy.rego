# METADATA
# scope: package
# title: Images are rebuilt now and then
# description: |-
#   An image that nobody has rebuilt for a long time has missed every mended base image since. Its time is when signed
#   provenance says that it was built, else when the image itself says so; builds that can be repeated byte by byte
#   write 1970, which is no time.
# custom:
#   severity: medium
#   category: images
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [NSA-image-scanning]
#   peers: [kyverno/block-stale-images]
#   remedy: Rebuild the image on the newest base image and deploy it.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       maxAgeDays:
#         description: How many days ago the image may have been built.
#         type: number
#         minimum: 0
#         default: 90
#   facts: [images]
#   needs: []
#   sensitive: false
package images.age

import data.lib.image_facts

deny contains object.union(finding, entry.seen) if {
	some entry in image_facts.all
	not young(entry.fact)
	finding := {
		"rule": "old-image",
		"path": entry.path,
		"expected": sprintf("built in the last %v days", [max_age]),
		"msg": why(entry.fact),
	}
}

young(fact) if image_facts.within_days(built(fact), max_age)

# The last build that was attested; an image that says something else is not asked.
built(fact) := last if {
	last := max([statement.finishedAt |
		some statement in image_facts.list(fact, "provenance")
		is_string(statement.finishedAt)
	])
} else := fact.created if {
	is_string(fact.created)
	not startswith(fact.created, "1970-01-01T")
}

why(fact) := reason if {
	reason := image_facts.nothing_known(fact)
} else := sprintf("it was built at %s", [moment]) if {
	moment := built(fact)
} else := "nothing says when it was built"

max_age := object.get(input, ["parameters", "maxAgeDays"], 90)
