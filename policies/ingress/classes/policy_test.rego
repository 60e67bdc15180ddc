package ingress.classes_test

import data.ingress.classes

by_field(class) := {"metadata": {"name": "web"}, "spec": {"ingressClassName": class}}

by_annotation(class) := {"metadata": {"annotations": {"kubernetes.io/ingress.class": class}}, "spec": {}}

field := "/spec/ingressClassName"

annotation := "/metadata/annotations/kubernetes.io~1ingress.class"

missing(expected) := {"rule": "missing-class", "path": field, "expected": expected}

wrong(path, class, expected) := {"rule": "class", "path": path, "found": class, "expected": expected}

test_an_absent_class_is_denied if {
	expected := {missing("the name of a class")}
	classes.deny == expected with input.review.object as {"spec": {}}
	classes.deny == expected with input.review.object as {"metadata": {"name": "web"}}
	classes.deny == expected with input.review.object as by_field(null)
	classes.deny == expected with input.review.object as by_annotation(null)
}

test_an_absent_class_may_be_allowed if {
	result := classes.deny with input.review.object as {"spec": {}}
		with input.parameters.required as false
	result == set()
}

test_any_class_will_do_where_none_are_listed if {
	classes.deny == set() with input.review.object as by_field("nginx")
	classes.deny == set() with input.review.object as by_annotation("nginx")
}

test_an_empty_class_names_nothing if {
	classes.deny == {wrong(field, "", "the name of a class")} with input.review.object as by_field("")
}

test_only_listed_classes_are_allowed if {
	offered := ["HAProxy", "nginx"]
	expected := "one of HAProxy, nginx"
	right := classes.deny with input.review.object as by_field("nginx")
		with input.parameters.allowed as offered
	right == set()
	other := classes.deny with input.review.object as by_field("public")
		with input.parameters.allowed as offered
	other == {wrong(field, "public", expected)}
	older := classes.deny with input.review.object as by_annotation("public")
		with input.parameters.allowed as offered
	older == {wrong(annotation, "public", expected)}
	none := classes.deny with input.review.object as {"spec": {}}
		with input.parameters.allowed as offered
	none == {missing(expected)}
}

test_both_places_are_judged if {
	both := object.union(by_annotation("public"), by_field("nginx"))
	result := classes.deny with input.review.object as both
		with input.parameters.allowed as ["nginx"]
	result == {wrong(annotation, "public", "one of nginx")}
}
