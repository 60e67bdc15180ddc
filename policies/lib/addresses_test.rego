package lib.addresses_test

import data.lib.addresses

test_a_range_is_itself if addresses.range_of("10.0.0.0/8") == "10.0.0.0/8"

test_an_address_is_a_range_of_one if {
	addresses.range_of("203.0.113.7") == "203.0.113.7/32"
	addresses.range_of("2001:db8::1") == "2001:db8::1/128"
}

test_what_is_no_address_is_not_read if {
	texts := ["", "example.com", "10.0.0", "10.0.0.0/33", "10.0.0.256", "::/129", 7, null, {}]
	{text | some text in texts; addresses.readable(text)} == set()
}

test_addresses_and_ranges_are_read if {
	texts := {"10.0.0.1", "10.0.0.0/8", "::1", "::/0"}
	{text | some text in texts; addresses.readable(text)} == texts
}

test_an_address_lies_within_a_range_and_within_itself if {
	addresses.within("10.1.2.3", ["192.0.2.0/24", "10.0.0.0/8"])
	addresses.within("10.1.2.3", ["10.1.2.3"])
	addresses.within("2001:db8::1", ["2001:db8::/32"])
}

test_a_range_lies_within_a_wider_one_only if {
	addresses.within("10.1.0.0/16", ["10.0.0.0/8"])
	not addresses.within("10.0.0.0/8", ["10.1.0.0/16"])
	not addresses.within("10.0.0.0/8", ["10.0.0.0/8x"])
}

test_nothing_lies_within_another_family_or_no_range if {
	not addresses.within("10.1.2.3", ["::/0"])
	not addresses.within("10.1.2.3", [])
	not addresses.within("example.com", ["0.0.0.0/0"])
}

test_fixed_bits_are_those_of_the_range if {
	addresses.fixed_bits("0.0.0.0/0") == 0
	addresses.fixed_bits("10.0.0.0/8") == 8
	addresses.fixed_bits("10.0.0.1") == 32
	addresses.fixed_bits("::1") == 128
}

test_the_family_is_told_by_the_text if {
	addresses.family("10.0.0.0/8") == "IPv4"
	addresses.family("::/0") == "IPv6"
	not addresses.family("example.com")
}
