package storage.classes_test

import data.storage.classes

claim(spec) := {"kind": {"kind": "PersistentVolumeClaim"}, "object": {"spec": spec}}

missing := {
	"rule": "missing-class",
	"path": "/spec/storageClassName",
	"expected": "the name of a storage class",
}

wrong(class, expected) := {
	"rule": "class",
	"path": "/spec/storageClassName",
	"found": class,
	"expected": expected,
}

test_an_absent_class_is_denied if {
	every spec in [{}, null, {"storageClassName": null}] {
		classes.deny == {missing} with input.review as claim(spec)
	}
}

test_an_absent_class_may_be_allowed if {
	result := classes.deny with input.review as claim({})
		with input.parameters.required as false
	result == set()
}

test_any_class_will_do_where_none_are_listed if {
	classes.deny == set() with input.review as claim({"storageClassName": "fast"})
}

test_the_empty_class_has_to_be_offered if {
	classes.deny == {wrong("", "the name of a storage class")} with input.review as claim({"storageClassName": ""})
	result := classes.deny with input.review as claim({"storageClassName": ""})
		with input.parameters.allowed as [""]
	result == set()
}

test_only_listed_classes_are_allowed if {
	offered := ["fast", "slow"]
	classes.deny == set() with input.review as claim({"storageClassName": "slow"})
		with input.parameters.allowed as offered
	every class in ["other", ""] {
		classes.deny == {wrong(class, "one of `fast`, `slow`")} with input.review as claim({"storageClassName": class})
			with input.parameters.allowed as offered
	}
	none := classes.deny with input.review as claim({})
		with input.parameters.allowed as offered
	none == {object.union(missing, {"expected": "one of `fast`, `slow`"})}
}

test_a_null_class_is_absent_also_where_some_are_listed if {
	result := classes.deny with input.review as claim({"storageClassName": null})
		with input.parameters.allowed as ["fast"]
	result == {object.union(missing, {"expected": "one of `fast`"})}
}

stateful_set(templates) := {
	"kind": {"kind": "StatefulSet"},
	"object": {"spec": {"volumeClaimTemplates": templates}},
}

test_templates_are_judged if {
	result := classes.deny with input.review as stateful_set([
		{"spec": {"storageClassName": "fast"}},
		{"spec": {"storageClassName": "other"}},
		{"spec": {}},
	])
		with input.parameters.allowed as ["fast"]
	{[entry.rule, entry.path] | some entry in result} == {
		["class", "/spec/volumeClaimTemplates/1/spec/storageClassName"],
		["missing-class", "/spec/volumeClaimTemplates/2/spec/storageClassName"],
	}
}
