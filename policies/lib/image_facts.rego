# METADATA
# scope: package
# title: What is known of each image
# description: |-
#   Each place of a Pod that names an image, with what its registry and those who signed it say: the fact `images`,
#   which a policy declares. Where nothing is known there is an empty object, so that what must be proven is not.
package lib.image_facts

import data.lib.pod_images

# As {"path", "seen", "fact"}.
all contains {"path": place.path, "seen": place.seen, "fact": fact_of(place)} if {
	some place in pod_images.all
}

fact_of(place) := fact if {
	fact := input.facts.images[place.image]
	is_object(fact)
} else := {}

# Why nothing can be proven of an image: undefined where something is known of it.
nothing_known(fact) := "its registry has no such image" if {
	fact.absent == true
} else := sprintf("its registry could not be asked: %s", [fact.unavailable]) if {
	is_string(fact.unavailable)
} else := fact.invalid if {
	is_string(fact.invalid)
} else := "its registry is not asked, as no ImageAuthority names it" if {
	fact.unasked == true
} else := "nothing is known of it" if {
	not known(fact)
}

known(fact) if is_string(fact.digest)

# The members of a list in a fact; none where there is no list.
list(fact, key) := members if {
	members := fact[key]
	is_array(members)
} else := []

# Whether a moment (RFC 3339) is at most so many days ago. One that is ahead of the clock by more than five minutes
# is not, or a wrong year would make a scan good for ever.
within_days(moment, days) if {
	is_string(moment)
	age := time.now_ns() - time.parse_rfc3339_ns(moment) # wayguard:ignore not-repeatable an age grows
	age <= days * ((24 * 3600) * 1000000000)
	age >= -300 * 1000000000
}
