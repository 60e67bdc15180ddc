package lib.label_selector_test

import data.lib.label_selector

web := {"app": "web", "tier": "front"}

selected_by(selector) if label_selector.selects(selector, web)

by(operator, values) := {"matchExpressions": [{"key": "app", "operator": operator, "values": values}]}

test_the_empty_selector_selects_everything if {
	selected_by({})
	selected_by({"matchLabels": null, "matchExpressions": null})
	label_selector.selects({}, {})
}

test_an_absent_selector_selects_nothing if not selected_by(null)

test_every_label_must_be_there if {
	selected_by({"matchLabels": {"app": "web"}})
	selected_by({"matchLabels": web})
	not selected_by({"matchLabels": {"app": "db"}})
	not selected_by({"matchLabels": {"app": "web", "zone": "a"}})
}

test_values_are_listed_or_not if {
	selected_by(by("In", ["db", "web"]))
	not selected_by(by("In", ["db"]))
	selected_by(by("NotIn", ["db"]))
	not selected_by(by("NotIn", ["db", "web"]))
	absent := {"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a"]}]}
	selected_by(absent)
}

test_names_are_there_or_not if {
	selected_by({"matchExpressions": [{"key": "app", "operator": "Exists"}]})
	not selected_by({"matchExpressions": [{"key": "zone", "operator": "Exists"}]})
	selected_by({"matchExpressions": [{"key": "zone", "operator": "DoesNotExist"}]})
	not selected_by({"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]})
}

test_an_unknown_operator_selects_nothing if not selected_by(by("Like", ["web"]))

test_labels_and_expressions_both_count if {
	both := object.union({"matchLabels": {"tier": "front"}}, by("In", ["web"]))
	selected_by(both)
	not selected_by(object.union(both, {"matchLabels": {"tier": "back"}}))
}
