package lib.pointer_test

import data.lib.pointer

test_a_plain_key_stays_as_it_is if pointer.segment("team") == "team"

test_a_slash_is_written_as_tilde_one if pointer.segment("app.kubernetes.io/name") == "app.kubernetes.io~1name"

test_a_tilde_is_escaped_before_the_slash if pointer.segment("a~/b") == "a~0~1b"

test_a_label_points_into_the_metadata if {
	pointer.label("example.com/team") == "/metadata/labels/example.com~1team"
}

test_an_annotation_points_into_the_metadata if {
	pointer.annotation("example.com/owner") == "/metadata/annotations/example.com~1owner"
}

test_an_item_is_its_list_and_its_index if pointer.item("/spec/volumes", 2) == "/spec/volumes/2"
