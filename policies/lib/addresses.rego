# METADATA
# scope: package
# title: Addresses and ranges of addresses
# description: |-
#   Reads IP addresses and CIDR ranges that people wrote. What is neither is in no range and is undefined
#   here, never an error: OPA's own functions fail on a text that is no address.
package lib.addresses

# The CIDR of a range, or of a single address: `10.0.0.1` is `10.0.0.1/32`.
range_of(text) := cidr if {
	is_string(text)
	cidr := cidr_of(text)
}

cidr_of(text) := text if {
	net.cidr_is_valid(text)
} else := single if {
	single := sprintf("%v/%d", [text, bits[family_of(text)]])
	net.cidr_is_valid(single)
}

bits := {"IPv4": 32, "IPv6": 128}

family_of(text) := "IPv6" if {
	contains(text, ":")
} else := "IPv4"

# True when the text is an address or a range.
readable(text) if range_of(text)

# True when the text is an address or a range that lies wholly within one of the ranges.
within(text, ranges) if {
	inner := range_of(text)
	some entry in ranges
	outer := range_of(entry)
	net.cidr_contains(outer, inner)
}

# How many leading bits a range fixes: 0 for `0.0.0.0/0`, 32 for one IPv4 address.
fixed_bits(text) := to_number(split(range_of(text), "/")[1])

# `IPv4` or `IPv6`.
family(text) := family_of(range_of(text))
