package workload.metadata_test

import data.workload.metadata

# What is found in these metadata where the parameters are these.
findings(given, parameters) := result if {
	result := metadata.deny with input as {"review": {"object": {"metadata": given}}, "parameters": parameters}
}

pattern := "[a-z]+@example\\.com"

test_without_parameters_everything_passes if {
	findings({"labels": {"a": "b"}, "annotations": {"c": "d"}}, {}) == set()
	metadata.deny == set() with input as {"review": {"object": {}}}
}

test_a_required_label_is_there if {
	parameters := {"labels": {"owner": ""}}
	findings({"labels": {"owner": "shop"}}, parameters) == set()
	missing := {"rule": "required-label", "path": "/metadata/labels/owner", "expected": "set"}
	findings({}, parameters) == {missing}
	findings({"labels": null}, parameters) == {missing}
	findings({"labels": {"owner": null}}, parameters) == {missing}
	findings({"annotations": {"owner": "shop"}}, parameters) == {missing}
	metadata.deny == {missing} with input as {"review": {"object": {}}, "parameters": parameters}
}

test_a_required_annotation_is_as_it_should_be if {
	parameters := {"annotations": {"example.com/contact": pattern}}
	findings({"annotations": {"example.com/contact": "shop@example.com"}}, parameters) == set()
	missing := {
		"rule": "required-annotation",
		"path": "/metadata/annotations/example.com~1contact",
		"expected": concat("", ["a text that matches `", pattern, "`"]),
	}
	findings({"labels": {"example.com/contact": "shop@example.com"}}, parameters) == {missing}
	every text in ["shop", "shop@example.com.evil.com", "the shop@example.com", ""] {
		given := {"annotations": {"example.com/contact": text}}
		findings(given, parameters) == {object.union(missing, {"found": text})}
	}
}

test_a_pattern_of_several_branches_is_matched_as_a_whole if {
	findings({"labels": {"env": "production"}}, {"labels": {"env": "dev|production"}}) == set()
	result := findings({"labels": {"env": "developer"}}, {"labels": {"env": "dev|production"}})
	{entry.found | some entry in result} == {"developer"}
}

test_only_allowed_names_may_be_used if {
	given := {"labels": {"team": "shop", "x": "y"}, "annotations": {"x": "z"}}
	findings(given, {"allowedLabels": ["team", "app\\..*"]}) == {{
		"rule": "label-not-allowed",
		"path": "/metadata/labels/x",
		"found": "y",
		"expected": "left out",
		"msg": "`x` is not among the labels that are allowed",
	}}
	findings(given, {"allowedAnnotations": ["team"]}) == {{
		"rule": "annotation-not-allowed",
		"path": "/metadata/annotations/x",
		"found": "z",
		"expected": "left out",
		"msg": "`x` is not among the annotations that are allowed",
	}}
}

test_forbidden_names_are_not_used if {
	given := {"labels": {"a": "1", "ab": "2"}, "annotations": {"a": "3"}}
	findings(given, {"forbiddenLabels": ["a"]}) == {{
		"rule": "forbidden-label",
		"path": "/metadata/labels/a",
		"found": "1",
		"expected": "left out",
		"msg": "the label `a` is forbidden",
	}}
	findings(given, {"forbiddenAnnotations": ["a"]}) == {{
		"rule": "forbidden-annotation",
		"path": "/metadata/annotations/a",
		"found": "3",
		"expected": "left out",
		"msg": "the annotation `a` is forbidden",
	}}
}
