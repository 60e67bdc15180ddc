package lib.label_value_test

import data.lib.label_value

test_a_word_is_valid if label_value.valid("team-alpha_1.0")

test_one_character_is_valid if label_value.valid("a")

letters(n) := concat("", [letter | some _ in numbers.range(1, n); letter := "a"])

test_sixty_three_characters_are_valid if label_value.valid(letters(63))

test_sixty_four_characters_are_not if {
	value := letters(64)
	not label_value.valid(value)
}

test_the_empty_value_is_not if not label_value.valid("")

test_a_leading_dash_is_not if not label_value.valid("-alpha")

test_a_space_is_not if not label_value.valid("team alpha")

test_a_trailing_line_break_is_not if not label_value.valid("alpha\n")

test_a_number_is_not if not label_value.valid(7)
