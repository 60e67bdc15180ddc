package golden_path.app_labels_test

import data.golden_path.app_labels

deploying(metadata, spec) := {"review": {
	"operation": "CREATE",
	"kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
	"object": {"metadata": metadata, "spec": spec},
}}

both := {
	{"path": "/spec/selector/matchLabels/app", "value": "web"},
	{"path": "/spec/template/metadata/labels/app", "value": "web"},
}

test_both_are_filled_in_when_neither_is_given if {
	app_labels.defaults == both with input as deploying({"name": "web"}, {"template": {"spec": {}}})
}

test_both_are_filled_in_when_both_are_empty if {
	spec := {"selector": {"matchLabels": {}}, "template": {"metadata": {"labels": {}}}}
	app_labels.defaults == both with input as deploying({"name": "web"}, spec)
}

test_both_are_filled_in_when_both_are_null if {
	spec := {"selector": null, "template": {"metadata": null}}
	app_labels.defaults == both with input as deploying({"name": "web"}, spec)
}

test_a_given_selector_is_left_alone if {
	spec := {"selector": {"matchLabels": {"run": "web"}}, "template": {}}
	app_labels.defaults == set() with input as deploying({"name": "web"}, spec)
}

test_a_selector_by_expression_is_left_alone if {
	expression := {"key": "run", "operator": "Exists"}
	spec := {"selector": {"matchExpressions": [expression]}, "template": {}}
	app_labels.defaults == set() with input as deploying({"name": "web"}, spec)
}

test_given_template_labels_are_left_alone if {
	spec := {"template": {"metadata": {"labels": {"run": "web"}}}}
	app_labels.defaults == set() with input as deploying({"name": "web"}, spec)
}

test_a_workload_without_a_name_gets_nothing if {
	app_labels.defaults == set() with input as deploying({"generateName": "web-"}, {"template": {}})
}

test_a_name_that_is_no_label_value_gets_nothing if {
	name := concat("", [letter | some _ in numbers.range(1, 64); letter := "a"])
	app_labels.defaults == set() with input as deploying({"name": name}, {"template": {}})
}

test_an_update_gets_nothing if {
	app_labels.defaults == set() with input as deploying({"name": "web"}, {"template": {}})
		with input.review.operation as "UPDATE"
}

test_what_was_filled_in_is_filled_in_once if {
	spec := {"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}}}
	app_labels.defaults == set() with input as deploying({"name": "web"}, spec)
}
