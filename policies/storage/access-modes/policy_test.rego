package storage.access_modes_test

import data.storage.access_modes

claim(spec) := {"kind": {"kind": "PersistentVolumeClaim"}, "object": {"spec": spec}}

usual := "one of ReadWriteOnce, ReadWriteOncePod, ReadOnlyMany"

finding(index, mode, expected) := {
	"rule": "access-mode",
	"path": sprintf("/spec/accessModes/%d", [index]),
	"found": mode,
	"expected": expected,
}

missing := {"rule": "missing-access-mode", "path": "/spec/accessModes", "expected": usual}

test_usual_modes_are_allowed if {
	modes := ["ReadWriteOnce", "ReadWriteOncePod", "ReadOnlyMany"]
	access_modes.deny == set() with input.review as claim({"accessModes": modes})
}

test_many_writers_are_denied if {
	access_modes.deny == {finding(1, "ReadWriteMany", usual)} with input.review as claim({"accessModes": [
		"ReadWriteOnce",
		"ReadWriteMany",
	]})
}

test_absent_modes_are_denied if {
	access_modes.deny == {missing} with input.review as claim({})
	access_modes.deny == {missing} with input.review as claim({"accessModes": null})
	access_modes.deny == {object.union(missing, {"found": []})} with input.review as claim({"accessModes": []})
}

test_the_modes_are_a_parameter if {
	result := access_modes.deny with input.review as claim({"accessModes": ["ReadWriteOnce"]})
		with input.parameters.allowed as ["ReadWriteOncePod"]
	result == {finding(0, "ReadWriteOnce", "one of ReadWriteOncePod")}
}

stateful_set(templates) := {
	"kind": {"kind": "StatefulSet"},
	"object": {"spec": {"volumeClaimTemplates": templates}},
}

test_templates_are_judged if {
	templates := [{"spec": {"accessModes": ["ReadWriteMany"]}}, {"spec": {}}]
	result := access_modes.deny with input.review as stateful_set(templates)
	{entry.path | some entry in result} == {
		"/spec/volumeClaimTemplates/0/spec/accessModes/0",
		"/spec/volumeClaimTemplates/1/spec/accessModes",
	}
}
