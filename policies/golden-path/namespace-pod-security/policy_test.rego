package golden_path.namespace_pod_security_test

import data.golden_path.namespace_pod_security

kind := {"group": "", "version": "v1", "kind": "Namespace"}

enforcing(level) := {"metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/enforce": level}}}

unlabelled := {"metadata": {"name": "shop"}}

creating(object) := {"review": {"operation": "CREATE", "kind": kind, "object": object}}

changing(before, after) := {"review": {
	"operation": "UPDATE",
	"kind": kind,
	"oldObject": before,
	"object": after,
}}

lowered := {
	"rule": "enforce-lowered",
	"path": "/metadata/labels/pod-security.kubernetes.io~1enforce",
	"expected": "baseline or restricted",
}

lowered_to(level) := object.union(lowered, {"found": level})

enforce_default := {"path": "/metadata/labels/pod-security.kubernetes.io~1enforce", "value": "baseline"}

warn_default := {"path": "/metadata/labels/pod-security.kubernetes.io~1warn", "value": "restricted"}

test_a_new_namespace_gets_both_levels if {
	namespace_pod_security.defaults == {enforce_default, warn_default} with input as creating(unlabelled)
}

test_a_new_namespace_keeps_the_level_that_it_names if {
	namespace_pod_security.defaults == {warn_default} with input as creating(enforcing("restricted"))
}

test_the_levels_are_parameters if {
	result := namespace_pod_security.defaults with input as creating(enforcing("baseline"))
		with input.parameters as {"enforce": "restricted", "warn": "baseline"}
	result == {{"path": "/metadata/labels/pod-security.kubernetes.io~1warn", "value": "baseline"}}
}

test_an_older_namespace_gets_nothing if {
	namespace_pod_security.defaults == set() with input as changing(unlabelled, unlabelled)
}

test_a_new_namespace_may_name_a_lower_level if {
	namespace_pod_security.deny == set() with input as creating(enforcing("privileged"))
}

test_a_new_namespace_may_not_where_new_ones_are_judged if {
	namespace_pod_security.deny == {lowered_to("privileged")} with input as creating(enforcing("privileged"))
		with input.parameters.judgeNew as true
}

test_lowering_is_denied if {
	change := changing(enforcing("baseline"), enforcing("privileged"))
	namespace_pod_security.deny == {lowered_to("privileged")} with input as change
}

test_taking_the_label_away_is_denied_and_nothing_is_found if {
	namespace_pod_security.deny == {lowered} with input as changing(enforcing("baseline"), unlabelled)
}

test_a_level_that_does_not_exist_is_denied if {
	change := changing(enforcing("baseline"), enforcing("none"))
	namespace_pod_security.deny == {lowered_to("none")} with input as change
}

test_naming_the_lowest_level_for_the_first_time_is_denied if {
	change := changing(unlabelled, enforcing("privileged"))
	namespace_pod_security.deny == {lowered_to("privileged")} with input as change
}

test_lowering_to_the_policys_level_is_allowed if {
	namespace_pod_security.deny == set() with input as changing(enforcing("restricted"), enforcing("baseline"))
}

test_lowering_below_a_stricter_policys_level_is_denied if {
	change := changing(enforcing("restricted"), enforcing("baseline"))
	expected := {object.union(lowered_to("baseline"), {"expected": "restricted"})}
	namespace_pod_security.deny == expected with input as change
		with input.parameters.enforce as "restricted"
}

test_raising_to_less_than_the_policys_level_is_allowed if {
	change := changing(enforcing("privileged"), enforcing("baseline"))
	namespace_pod_security.deny == set() with input as change
		with input.parameters.enforce as "restricted"
}

test_an_older_namespace_that_stays_as_it_is_is_allowed if {
	namespace_pod_security.deny == set() with input as changing(enforcing("privileged"), enforcing("privileged"))
	namespace_pod_security.deny == set() with input as changing(unlabelled, unlabelled)
}

test_judging_new_ones_leaves_older_ones_and_those_without_a_level_alone if {
	namespace_pod_security.deny == set() with input as changing(enforcing("privileged"), enforcing("privileged"))
		with input.parameters.judgeNew as true
	namespace_pod_security.deny == set() with input as creating(unlabelled)
		with input.parameters.judgeNew as true
}

test_a_first_level_above_the_lowest_is_a_raise if {
	namespace_pod_security.deny == set() with input as changing(unlabelled, enforcing("baseline"))
		with input.parameters.enforce as "restricted"
}

# equivalent:
#   line: 'old_labels[enforce_label] in ranking'
#   becomes: 'true'
#   because: what is not in the ranking has no rank, so the `else` holds
#   shownBy: test_a_first_level_above_the_lowest_is_a_raise
