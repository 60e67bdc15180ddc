package lib.quantity_test

import data.lib.quantity

test_every_way_of_writing_is_read if {
	expected := {
		"0": 0, "1": 1000, "250m": 250, "0.25": 250, ".5": 500, "1.": 1000, "+2": 2000, "007": 7000,
		"1k": 1000000, "1M": 1000000000, "1Ki": 1024000, "256Mi": 268435456000, "1.5Gi": 1610612736000,
		"1e3": 1000000, "1E3": 1000000, "1e+3": 1000000, "5e-1": 500, "128974848000m": 128974848000,
		"1E": 1000000000000000000000, "1Ei": 1152921504606846976000,
	}
	{text: number | some text, _ in expected; number := quantity.milli(text)} == expected
}

test_fractions_are_rounded_up if {
	quantity.milli("0.1m") == 1
	quantity.milli("1n") == 1
	quantity.milli("1500u") == 2
	quantity.milli("0.1Gi") == 107374182400
}

test_numbers_are_read_as_their_text if {
	quantity.milli(1) == 1000
	quantity.milli(0.1) == 100
	quantity.milli(0.3) == 300
}

test_what_is_no_quantity_is_not_read if {
	texts := [
		"", ".", "m", "Mi", "-1", "1 Gi", "1gi", "1KB", "1KiB", "1e", "0x10", "1\n", "1.0.0",
		null, true, {}, [],
	]
	{text | some text in texts; quantity.readable(text)} == set()
}

test_nothing_is_not_positive if {
	{text | some text in ["0", "0Mi", "0m", 0]; quantity.positive(text)} == set()
}

test_the_same_amount_does_not_exceed_itself if {
	not quantity.exceeds("1Gi", "1024Mi")
	not quantity.exceeds("1024Mi", "1Gi")
	not quantity.exceeds("0.1", "100m")
	not quantity.exceeds("100m", "0.1")
	not quantity.exceeds("1G", "1000M")
}

test_one_byte_more_exceeds if {
	quantity.exceeds("1073741825", "1Gi")
	quantity.exceeds("1Gi", "1G")
	quantity.exceeds("101m", "0.1")
}

test_an_unreadable_quantity_exceeds_nothing_and_is_exceeded_by_nothing if {
	not quantity.exceeds("lots", "1")
	not quantity.exceeds("1", "few")
}

test_every_suffix_has_its_scale if {
	expected := {
		"1000000000n": 1000, "3000000n": 3, "2000000u": 2000, "3m": 3, "3": 3000, "3k": 3000000, "3M": 3000000000,
		"3G": 3000000000000, "3T": 3000000000000000, "3P": 3000000000000000000,
		"3E": 3000000000000000000000, "3Ki": 3072000, "3Mi": 3145728000, "3Gi": 3221225472000,
		"3Ti": 3298534883328000, "3Pi": 3377699720527872000, "3Ei": 3458764513820540928000,
	}
	{text: number | some text, _ in expected; number := quantity.milli(text)} == expected
}

# Ten times as small at each step: the scale that divides is seen where it does not divide evenly.
test_small_units_are_divided_exactly if {
	quantity.milli("1000000001n") == 1001
	quantity.milli("999999999n") == 1000
	quantity.milli("1000001u") == 1001
	quantity.milli("5000000000000000000n") == 5000000000000
	quantity.milli("5000000000000000000u") == 5000000000000000
}

test_every_power_of_ten_is_known if {
	every exponent in numbers.range(0, 18) {
		zeros := concat("", ["0" | some n in numbers.range(1, 18); n <= exponent])
		quantity.milli(sprintf("1e%d", [exponent])) == to_number(sprintf("1%s000", [zeros]))
	}
	not quantity.milli("1e19")
}

test_the_smallest_amount_is_positive_and_nothing_can_be_read if {
	quantity.positive("1m")
	quantity.readable("0")
	quantity.readable("1m")
}

# equivalent:
#   line: parts := regex.find_all_string_submatch_n(grammar, text, 1)[0]
#   becomes: parts := regex.find_all_string_submatch_n(grammar, text, 2)[0]
#   because: the grammar is anchored at both ends, so there is never a second match
#   shownBy: test_what_is_no_quantity_is_not_read

# equivalent:
#   line: readable(quantity) if milli(quantity) >= 0
#   becomes: readable(quantity) if milli(quantity) >= -1
#   because: the grammar reads no sign but plus, so no amount is less than nothing
#   shownBy: test_what_is_no_quantity_is_not_read

# equivalent:
#   line: as_text(quantity) := sprintf("%v", [quantity]) if is_number(quantity)
#   becomes: as_text(quantity) := sprintf("%v", [quantity]) if true
#   because: a text is written as itself, and what is neither text nor number is no quantity when it is written
#   shownBy: test_what_is_no_quantity_is_not_read

test_a_zero_before_the_point_says_nothing if quantity.milli("0012") == 12000

# equivalent:
#   line: trimmed := trim_left(text, "0")
#   becomes: trimmed := trim_left(text, "")
#   because: OPA and Wayguard read a number with leading zeros too; other evaluators of Rego do not
#   shownBy: test_a_zero_before_the_point_says_nothing
