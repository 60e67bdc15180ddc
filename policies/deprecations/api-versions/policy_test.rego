package deprecations.api_versions_test

import data.deprecations.api_versions

written(api_version, kind) := {"review": {"object": {"apiVersion": api_version, "kind": kind}}}

requested(group, version, kind) := {"review": {
	"requestKind": {"group": group, "version": version, "kind": kind},
	"object": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"},
}}

old_ingress := {
	"rule": "removed-api-version",
	"path": "/apiVersion",
	"found": "extensions/v1beta1",
	"expected": "networking.k8s.io/v1",
	"msg": "Kubernetes 1.22 stopped serving `Ingress` in this version",
}

test_a_removed_version_is_denied_with_what_replaces_it if {
	review := written("extensions/v1beta1", "Ingress")
	api_versions.deny == {old_ingress} with input as review
	api_versions.warn == set() with input as review
}

test_the_version_of_its_removal_is_too_late if {
	review := written("extensions/v1beta1", "Ingress")
	at := api_versions.deny with input as review
		with input.parameters.target as "1.22"
	at == {old_ingress}
	silent := api_versions.warn with input as review
		with input.parameters.target as "1.22"
	silent == set()
}

test_before_its_removal_a_deprecated_version_is_warned_of if {
	review := written("extensions/v1beta1", "Ingress")
	denied := api_versions.deny with input as review
		with input.parameters.target as "1.21"
	denied == set()
	warned := api_versions.warn with input as review
		with input.parameters.target as "1.21"
	warned == {{
		"rule": "deprecated-api-version",
		"path": "/apiVersion",
		"found": "extensions/v1beta1",
		"expected": "networking.k8s.io/v1",
		"msg": "`Ingress` is deprecated in this version, and Kubernetes 1.22 stops serving it",
	}}
}

test_the_warning_starts_with_the_deprecation if {
	review := written("extensions/v1beta1", "Ingress")
	first := api_versions.warn with input as review
		with input.parameters.target as "1.14"
	count(first) == 1
	before := api_versions.warn with input as review
		with input.parameters.target as "1.13"
	before == set()
}

test_a_kind_without_end_is_warned_of_for_ever if {
	review := written("v1", "Endpoints")
	api_versions.deny == set() with input as review
	api_versions.warn == {{
		"rule": "deprecated-api-version",
		"path": "/apiVersion",
		"found": "v1",
		"expected": "discovery.k8s.io/v1",
		"msg": "`Endpoints` is deprecated since Kubernetes 1.33",
	}} with input as review
}

test_a_kind_without_successor_says_so if {
	api_versions.deny == {{
		"rule": "removed-api-version",
		"path": "/apiVersion",
		"found": "policy/v1beta1",
		"expected": "another kind, for nothing replaces this one",
		"msg": "Kubernetes 1.25 stopped serving `PodSecurityPolicy` in this version",
	}} with input as written("policy/v1beta1", "PodSecurityPolicy")
}

test_what_was_asked_for_counts_and_not_what_it_was_converted_to if {
	api_versions.deny == {old_ingress} with input as requested("extensions", "v1beta1", "Ingress")
	api_versions.deny == set() with input as requested("networking.k8s.io", "v1", "Ingress")
}

test_a_kind_of_the_core_group_has_no_group_in_its_version if {
	result := api_versions.warn with input as requested("", "v1", "Endpoints")
	{entry.found | some entry in result} == {"v1"}
	absent := api_versions.warn with input.review.requestKind as {"version": "v1", "kind": "Endpoints"}
	absent == result
}

test_an_empty_request_kind_leaves_the_object_to_speak if {
	review := object.union(written("extensions/v1beta1", "Ingress"), {"review": {"requestKind": {}}})
	api_versions.deny == {old_ingress} with input as review
}

test_workloads_of_the_first_versions_are_denied if {
	every kind in ["Deployment", "StatefulSet"] {
		result := api_versions.deny with input as written("apps/v1beta1", kind)
		{entry.expected | some entry in result} == {"apps/v1"}
	}
}

test_current_versions_pass if {
	every review in [
		written("apps/v1", "Deployment"),
		written("v1", "Pod"),
		written("example.com/v1beta1", "Ingress"),
	] {
		api_versions.deny == set() with input as review
		api_versions.warn == set() with input as review
	}
}

test_an_object_without_a_version_is_no_ones if {
	api_versions.deny == set() with input as {"review": {"object": {"kind": "Ingress"}}}
	api_versions.warn == set() with input as {"review": {"object": {"kind": "Ingress"}}}
}

test_a_target_that_is_no_version_is_the_newest if {
	review := written("admissionregistration.k8s.io/v1beta1", "MutatingAdmissionPolicy")
	unreadable := api_versions.warn with input as review
		with input.parameters.target as "latest"
	unset := api_versions.warn with input as review
	unreadable == unset
	count(unset) == 1
	of_a_patch := api_versions.warn with input as review
		with input.parameters.target as "1.36.5"
	of_a_patch == unset
}
