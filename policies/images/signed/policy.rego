# METADATA
# scope: package
# title: Images are signed by who should
# description: |-
#   Each image was signed as the ImageAuthority objects ask that speak of its repository: by so many different keys or
#   identities, with the proofs that they require. An image of which none of them speaks is refused, unless the
#   parameter says otherwise; then it runs because nobody has said who may release it. With `pin`, what was
#   verified is what runs: the digest is written beside the tag of a new Pod's images, and a workload that names
#   only a tag is warned, for its next Pod may be of another digest.
# custom:
#   severity: critical
#   category: images
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [SLSA-verified-deployment, NSA-image-signing]
#   peers: [kyverno/verify-image, kyverno/verify-image-cve-2022-42889, kubewarden/verify-image-signatures]
#   remedy: >-
#     Deploy a digest that was released (`wayguard image verify IMAGE` shows who signed it), or have its release
#     sign it.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       unmatched:
#         description: What becomes of an image of whose repository no ImageAuthority speaks.
#         enum: [deny, warn, allow]
#         default: deny
#       pin:
#         description: Write the digest that was verified beside the tag, on Pods.
#         type: boolean
#         default: false
#   facts: [images]
#   needs: []
#   sensitive: false
package images.signed

import data.lib.containers
import data.lib.fields
import data.lib.image_facts

deny contains object.union(finding, entry.seen) if {
	some entry in image_facts.all
	not signed(entry.fact)
	not unmatched(entry.fact)
	finding := {
		"rule": "not-signed",
		"path": entry.path,
		"expected": sprintf("signed for %s", [asking(entry.fact)]),
		"msg": why(entry.fact),
	}
}

deny contains finding if {
	object.get(input, ["parameters", "unmatched"], "deny") == "deny"
	some finding in without_authority
}

warn contains finding if {
	input.parameters.unmatched == "warn"
	some finding in without_authority
}

overrides contains {"path": entry.path, "value": entry.pinned} if {
	not of_workload
	some entry in moving
	not entry.image in images_before
}

warn contains finding if {
	of_workload
	some entry in moving
	finding := {
		"rule": "not-pinned",
		"path": entry.path,
		"found": entry.image,
		"expected": sprintf("`%s`", [entry.pinned]),
		"msg": "its tag may be another image by the time that a Pod is made of it",
	}
}

# Signed images that are named by a tag alone, where they are to be pinned.
moving contains {"path": entry.path, "image": image, "pinned": pinned} if {
	input.parameters.pin == true
	some entry in image_facts.all
	image := entry.seen.found
	not contains(image, "@")
	signed(entry.fact)
	pinned := sprintf("%s@%s", [image, entry.fact.digest])
}

# What Git says stays as it is: its Pods are pinned when they are made.
of_workload if is_object(input.owner)

# What runs already stays as it is: another name would restart it, or is refused for a volume.
images_before contains container.image if {
	some list in containers.lists
	some container in fields.list_at(spec_before, list) # wayguard:ignore need-undeclared a scan changes nothing
}

images_before contains volume.image.reference if {
	some volume in fields.list_at(spec_before, "volumes")
}

spec_before := fields.object_at(object.get(input, ["review", "oldObject"], {}), "spec")

without_authority contains object.union(finding, entry.seen) if {
	some entry in image_facts.all
	unmatched(entry.fact)
	finding := {
		"rule": "no-authority",
		"path": entry.path,
		"expected": "an image of a repository for which an ImageAuthority says who signs",
		"msg": "no ImageAuthority speaks of its repository",
	}
}

signed(fact) if {
	not image_facts.nothing_known(fact)
	count(image_facts.list(fact, "authorities")) > 0
	every authority in fact.authorities {
		authority.satisfied == true
	}
}

# Only where it is known that none speaks of it; nothing at all is not that.
unmatched(fact) if {
	not image_facts.nothing_known(fact)
	fact.authorities == []
}

# A registry that nobody names is not asked at all.
unmatched(fact) if {
	fact.unasked == true
	fact.authorities == []
}

asking(fact) := concat(" and ", names) if {
	names := {sprintf("`%s`", [authority.name]) |
		some authority in image_facts.list(fact, "authorities")
		not authority.satisfied
	}
	count(names) > 0
} else := "its ImageAuthority"

why(fact) := reason if {
	reason := image_facts.nothing_known(fact)
} else := concat("; ", [reason | some reason in array.concat(short(fact), refused(fact))])

short(fact) := [reason |
	some authority in image_facts.list(fact, "authorities")
	not authority.satisfied
	reason := sprintf("%v of %v that `%s` wants have signed", [authority.signers, authority.required, authority.name])
]

# The first few reasons are enough to see what is wrong.
refused(fact) := [rejected.message | some index, rejected in image_facts.list(fact, "rejected"); index < 3]
