package lib.fields_test

import data.lib.fields

test_an_object_is_read_as_it_is if fields.object_at({"a": {"b": 1}}, "a") == {"b": 1}

test_an_absent_object_reads_as_empty if fields.object_at({}, "a") == {}

test_a_null_object_reads_as_empty if fields.object_at({"a": null}, "a") == {}

test_a_field_of_a_null_parent_reads_as_empty if fields.object_at(null, "a") == {}

test_a_string_where_an_object_belongs_reads_as_empty if fields.object_at({"a": "b"}, "a") == {}

test_a_list_is_read_as_it_is if fields.list_at({"a": [1]}, "a") == [1]

test_an_absent_list_reads_as_empty if fields.list_at({}, "a") == []

test_a_null_list_reads_as_empty if fields.list_at({"a": null}, "a") == []

test_false_is_present if fields.present({"a": false}, "a")

test_null_is_not_present if {
	parent := {"a": null}
	not fields.present(parent, "a")
}

test_an_absent_field_is_not_present if {
	parent := {}
	not fields.present(parent, "a")
}

test_a_field_that_is_false_is_seen_as_false if fields.seen({"a": false}, "a") == {"found": false}

test_an_absent_field_is_not_seen if fields.seen({}, "a") == {}

test_a_null_field_is_not_seen if fields.seen({"a": null}, "a") == {}
