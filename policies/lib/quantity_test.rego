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
