package storage.sizes_test

import data.storage.sizes

claim(requests) := {
	"kind": {"kind": "PersistentVolumeClaim"},
	"object": {"spec": {"resources": {"requests": requests}}},
}

finding(most) := {
	"rule": "claim-size",
	"path": "/spec/resources/requests/storage",
	"expected": sprintf("more than 0 and at most %s", [most]),
}

of_size(size, most) := object.union(finding(most), {"found": size})

test_a_small_claim_is_allowed if {
	every size in ["1Gi", "100Gi", "102400Mi", 1024] {
		sizes.deny == set() with input.review as claim({"storage": size})
	}
}

test_a_large_claim_is_denied if {
	every size in ["101Gi", "1Ti", "107374182401"] {
		sizes.deny == {of_size(size, "100Gi")} with input.review as claim({"storage": size})
	}
}

test_what_is_no_size_is_denied if {
	every size in ["lots", "0", "-1Gi", {}] {
		sizes.deny == {of_size(size, "100Gi")} with input.review as claim({"storage": size})
	}
}

test_an_absent_size_is_denied if {
	sizes.deny == {finding("100Gi")} with input.review as claim({})
	sizes.deny == {finding("100Gi")} with input.review as claim(null)
	sizes.deny == {finding("100Gi")} with input.review as {"kind": {"kind": "PersistentVolumeClaim"}, "object": {}}
}

environments := {"development": "10Gi", "production": "1Ti"}

in_environment(size, label, value) := result if {
	result := sizes.deny with input.review as claim({"storage": size})
		with input.namespace.metadata.labels as {label: value}
		with input.parameters.environments as environments
}

test_environments_have_their_own_maximum if {
	in_environment("11Gi", "environment", "development") == {of_size("11Gi", "10Gi")}
	in_environment("10Gi", "environment", "development") == set()
	in_environment("1Ti", "environment", "production") == set()
	in_environment("101Gi", "environment", "staging") == {of_size("101Gi", "100Gi")}
	in_environment("101Gi", "stage", "production") == {of_size("101Gi", "100Gi")}
}

test_the_label_is_a_parameter if {
	result := in_environment("101Gi", "stage", "production") with input.parameters.environmentLabel as "stage"
	result == set()
}

test_the_maximum_is_a_parameter if {
	result := sizes.deny with input.review as claim({"storage": "6Gi"})
		with input.parameters.maximum as "5Gi"
	result == {of_size("6Gi", "5Gi")}
}

test_a_maximum_that_is_no_size_allows_nothing if {
	result := sizes.deny with input.review as claim({"storage": "6Gi"})
		with input.parameters.maximum as "plenty"
	result == {of_size("6Gi", "plenty")}
}

stateful_set(templates) := {
	"kind": {"kind": "StatefulSet"},
	"object": {"spec": {"volumeClaimTemplates": templates}},
}

test_templates_are_judged if {
	templates := [{"spec": {"resources": {"requests": {"storage": "1Ti"}}}}]
	result := sizes.deny with input.review as stateful_set(templates)
	result == {object.union(
		of_size("1Ti", "100Gi"),
		{"path": "/spec/volumeClaimTemplates/0/spec/resources/requests/storage"},
	)}
}
