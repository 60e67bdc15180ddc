package golden_path.ownership_labels_test

import data.golden_path.ownership_labels

owned := {"team": "alpha", "environment": "development", "managed-by": "idp"}

namespace_kind := {"group": "", "version": "v1", "kind": "Namespace"}

deployment_kind := {"group": "apps", "version": "v1", "kind": "Deployment"}

a_namespace(labels) := {"metadata": {"name": "shop", "labels": labels}}

creating_namespace(labels) := {
	"review": {"operation": "CREATE", "kind": namespace_kind, "object": a_namespace(labels)},
	"namespace": a_namespace(labels),
}

relabelling(before, after) := {
	"review": {
		"operation": "UPDATE",
		"kind": namespace_kind,
		"oldObject": a_namespace(before),
		"object": a_namespace(after),
	},
	"namespace": a_namespace(after),
}

creating_in(namespace_labels, metadata) := {
	"review": {"operation": "CREATE", "kind": deployment_kind, "object": {"metadata": metadata}},
	"namespace": a_namespace(namespace_labels),
}

missing_on_namespace(name) := {
	"rule": "required-label",
	"path": concat("", ["/metadata/labels/", name]),
	"expected": "set to a label value",
}

missing_on_object(name) := {
	"rule": "required-label",
	"path": concat("", ["/metadata/labels/", name]),
	"expected": "set to a label value (here, or on the namespace, which is then inherited)",
}

test_a_namespace_with_all_labels_passes if {
	ownership_labels.deny == set() with input as creating_namespace(owned)
}

test_a_namespace_gets_no_labels_by_itself if {
	ownership_labels.defaults == set() with input as creating_namespace({"team": "alpha"})
}

test_a_namespace_without_any_label_is_denied_for_each if {
	expected := {missing_on_namespace(name) | some name, _ in owned}
	review := {"operation": "CREATE", "kind": namespace_kind, "object": {"metadata": {"name": "shop"}}}
	ownership_labels.deny == expected with input as {"review": review}
}

test_a_namespace_without_a_team_is_denied_for_the_team if {
	labels := object.remove(owned, ["team"])
	ownership_labels.deny == {missing_on_namespace("team")} with input as creating_namespace(labels)
}

test_an_empty_label_is_denied_and_shown if {
	labels := object.union(owned, {"team": ""})
	expected := {object.union(missing_on_namespace("team"), {"found": ""})}
	ownership_labels.deny == expected with input as creating_namespace(labels)
}

test_an_impossible_label_value_is_denied_and_shown if {
	labels := object.union(owned, {"team": "team alpha"})
	expected := {object.union(missing_on_namespace("team"), {"found": "team alpha"})}
	ownership_labels.deny == expected with input as creating_namespace(labels)
}

test_an_object_without_labels_inherits_the_namespaces if {
	expected := {
		{"path": "/metadata/labels/team", "value": "alpha"},
		{"path": "/metadata/labels/environment", "value": "development"},
		{"path": "/metadata/labels/managed-by", "value": "idp"},
	}
	ownership_labels.defaults == expected with input as creating_in(owned, {"name": "web"})
}

test_an_object_keeps_its_own_label if {
	labels := {"team": "beta", "environment": "development"}
	result := ownership_labels.defaults with input as creating_in(owned, {"name": "web", "labels": labels})
	result == {{"path": "/metadata/labels/managed-by", "value": "idp"}}
}

test_an_object_with_all_labels_inherits_nothing_and_passes if {
	review := creating_in(owned, {"name": "web", "labels": owned})
	ownership_labels.defaults == set() with input as review
	ownership_labels.deny == set() with input as review
}

test_an_object_that_was_not_filled_in_is_denied if {
	expected := {missing_on_object(name) | some name, _ in owned}
	ownership_labels.deny == expected with input as creating_in(owned, {"name": "web"})
}

test_an_unlabelled_namespace_has_nothing_to_inherit if {
	review := creating_in({}, {"name": "web"})
	ownership_labels.defaults == set() with input as review
	ownership_labels.deny == {missing_on_object(name) | some name, _ in owned} with input as review
}

test_an_unknown_namespace_has_nothing_to_inherit if {
	object := {"metadata": {"name": "web"}}
	review := {"review": {"operation": "CREATE", "kind": deployment_kind, "object": object}}
	ownership_labels.defaults == set() with input as review
}

test_an_invalid_value_is_not_inherited if {
	labels := object.union(owned, {"team": ""})
	result := ownership_labels.defaults with input as creating_in(labels, {"name": "web", "labels": {"x": "y"}})
	{entry.path | some entry in result} == {"/metadata/labels/environment", "/metadata/labels/managed-by"}
}

test_a_label_with_a_slash_is_escaped if {
	parameters := {"labels": ["example.com/team"]}
	namespace := {"metadata": {"name": "shop", "labels": {"example.com/team": "alpha"}}}
	review := {"operation": "CREATE", "kind": deployment_kind, "object": {"metadata": {"name": "web"}}}
	result := ownership_labels.defaults with input as {
		"review": review,
		"namespace": namespace,
		"parameters": parameters,
	}
	result == {{"path": "/metadata/labels/example.com~1team", "value": "alpha"}}
}

test_only_listed_values_pass if {
	parameters := {"labels": ["environment"], "values": {"environment": ["staging", "production"]}}
	result := ownership_labels.deny with input as creating_namespace({"environment": "prod"})
		with input.parameters as parameters
	result == {{
		"rule": "required-label",
		"path": "/metadata/labels/environment",
		"found": "prod",
		"expected": "one of: staging, production",
	}}
	good := ownership_labels.deny with input as creating_namespace({"environment": "production"})
		with input.parameters as parameters
	good == set()
}

test_a_namespace_that_changes_its_environment_is_denied if {
	after := object.union(owned, {"environment": "production"})
	ownership_labels.deny == {{
		"rule": "immutable-label",
		"path": "/metadata/labels/environment",
		"found": "production",
		"expected": "`development`, as it was when the namespace was created",
		"remedy": "Keep the label as it is; for another team or environment create another namespace.",
	}} with input as relabelling(owned, after)
}

test_a_namespace_that_loses_its_team_is_denied_once if {
	after := object.remove(owned, ["team"])
	ownership_labels.deny == {missing_on_namespace("team")} with input as relabelling(owned, after)
}

test_a_namespace_may_change_who_manages_it if {
	after := object.union(owned, {"managed-by": "argocd"})
	ownership_labels.deny == set() with input as relabelling(owned, after)
}

test_a_namespace_may_get_its_first_team if {
	before := object.remove(owned, ["team"])
	ownership_labels.deny == set() with input as relabelling(before, owned)
}

test_a_namespace_may_mend_an_invalid_team if {
	before := object.union(owned, {"team": ""})
	ownership_labels.deny == set() with input as relabelling(before, owned)
}

test_a_deployment_may_change_its_team if {
	labels := object.union(owned, {"team": "beta"})
	review := object.union(creating_in(owned, {"name": "web", "labels": labels}), {"review": {
		"operation": "UPDATE",
		"oldObject": {"metadata": {"name": "web", "labels": owned}},
	}})
	ownership_labels.deny == set() with input as review
}

test_only_an_update_can_change_a_label if {
	change := relabelling(owned, object.union(owned, {"team": "beta"}))
	count(ownership_labels.deny) == 1 with input as change
	ownership_labels.deny == set() with input as object.union(change, {"review": {"operation": "CREATE"}})
}

test_a_namespace_does_not_inherit_from_what_it_was if {
	change := relabelling(owned, {})
	ownership_labels.defaults == set() with input as object.union(change, {"namespace": a_namespace(owned)})
}

test_a_label_that_is_not_required_is_immutable_all_the_same if {
	after := object.remove(owned, ["team"])
	result := ownership_labels.deny with input as relabelling(owned, after)
		with input.parameters.labels as ["managed-by"]
	{[entry.rule, entry.path] | some entry in result} == {["immutable-label", "/metadata/labels/team"]}
}

test_what_is_immutable_is_a_parameter if {
	after := object.union(owned, {"team": "beta", "managed-by": "argocd"})
	result := ownership_labels.deny with input as relabelling(owned, after)
		with input.parameters.immutable as ["managed-by"]
	{entry.path | some entry in result} == {"/metadata/labels/managed-by"}
}

# equivalent:
#   line: 'restricted(name)'
#   becomes: 'true'
#   because: without a list of values the next step has none to put together
#   shownBy: test_a_namespace_without_any_label_is_denied_for_each
