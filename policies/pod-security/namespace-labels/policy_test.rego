package pod_security.namespace_labels_test

import data.pod_security.namespace_labels

kind := {"group": "", "version": "v1", "kind": "Namespace"}

exempting := {"namespaceLabels": true, "exemptions": {"namespaces": ["shop"]}}

namespace(labels) := {"metadata": {
	"name": "shop",
	"labels": {concat("", ["pod-security.kubernetes.io/", key]): value | some key, value in labels},
}}

creates(labels) := {"operation": "CREATE", "kind": kind, "object": namespace(labels), "oldObject": null}

updates(old, new) := {
	"operation": "UPDATE",
	"kind": kind,
	"object": namespace(new),
	"oldObject": namespace(old),
}

denied(review) := findings if {
	findings := namespace_labels.deny with input as {"review": review, "parameters": {"namespaceLabels": true}}
}

warnings(review, parameters) := {finding.msg | some finding in findings} if {
	findings := namespace_labels.warn with input as {"review": review, "parameters": parameters}
}

paths(findings) := {finding.path | some finding in findings}

test_an_invalid_level_is_refused_in_upstreams_words if {
	denied(creates({"enforce": "bogus"})) == {{
		"rule": "namespaceLabels",
		"path": "/metadata/labels/pod-security.kubernetes.io~1enforce",
		"found": "bogus",
		"expected": "one of privileged, baseline, restricted",
		"msg": concat("", [
			"metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"bogus\": ",
			"must be one of privileged, baseline, restricted",
		]),
	}}
}

test_an_invalid_version_is_refused_in_upstreams_words if {
	denied(creates({"warn-version": "1.24"})) == {{
		"rule": "namespaceLabels",
		"path": "/metadata/labels/pod-security.kubernetes.io~1warn-version",
		"found": "1.24",
		"expected": "\"latest\" or \"v1.x\"",
		"msg": concat("", [
			"metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: \"1.24\": ",
			"must be \"latest\" or \"v1.x\"",
		]),
	}}
}

test_every_label_is_judged if {
	labels := {
		"enforce": "x",
		"enforce-version": "x",
		"audit": "x",
		"audit-version": "x",
		"warn": "x",
		"warn-version": "x",
	}
	paths(denied(creates(labels))) == {path |
		some name, _ in labels
		path := concat("", ["/metadata/labels/pod-security.kubernetes.io~1", name])
	}
}

test_valid_absent_and_foreign_labels_pass if {
	denied(creates({"enforce": "baseline", "enforce-version": "v1.24", "audit-version": "latest"})) == set()
	denied(creates({"enfroce": "bogus"})) == set()
	denied({"operation": "CREATE", "kind": kind, "object": {"metadata": {"name": "shop"}}}) == set()
	null_labels := {"metadata": {"name": "shop", "labels": null}}
	denied({"operation": "CREATE", "kind": kind, "object": null_labels}) == set()
}

test_a_mistake_that_the_namespace_has_may_stay if {
	denied(updates({"enforce": "bogus"}, {"enforce": "bogus", "warn": "baseline"})) == set()
}

test_a_changed_or_new_mistake_is_refused if {
	denied(updates({"enforce": "bogus"}, {"enforce": "bogus2"})) != set()
	denied(updates({}, {"enforce": "bogus"})) != set()
	denied({"operation": "UPDATE", "kind": kind, "object": namespace({"enforce": "bogus"})}) != set()
}

test_mending_one_of_two_mistakes_is_refused_as_upstream_does if {
	paths(denied(updates({"enforce": "bogus", "warn": "bogus"}, {"enforce": "bogus"}))) == {
		"/metadata/labels/pod-security.kubernetes.io~1enforce",
	}
}

test_subresources_and_other_kinds_are_not_judged if {
	denied(object.union(creates({"enforce": "bogus"}), {"subResource": "finalize"})) == set()
	denied(object.union(creates({"enforce": "bogus"}), {"kind": {"kind": "Pod"}})) == set()
}

test_labels_of_a_new_exempt_namespace_are_pointed_out if {
	labels := {"enforce": "restricted", "audit": "baseline", "audit-version": "v1.24", "warn": "privileged"}
	warnings(creates(labels), exempting) == {concat("", [
		"namespace \"shop\" is exempt from Pod Security, and the policy ",
		"(enforce=restricted:latest, audit=baseline:v1.24) will be ignored",
	])}
}

test_all_labels_and_none_that_ask_for_anything_are_pointed_out if {
	labels := {"enforce": "baseline", "audit": "baseline", "warn": "baseline"}
	warnings(creates(labels), exempting) == {concat("", [
		"namespace \"shop\" is exempt from Pod Security, and the policy ",
		"(enforce=baseline:latest, audit=baseline:latest, warn=baseline:latest) will be ignored",
	])}
	parameters := object.union(exempting, {"defaults": {"enforce": "baseline", "audit": "baseline"}})
	warnings(creates({"enforce": "privileged"}), parameters) == {
		"namespace \"shop\" is exempt from Pod Security, and the policy () will be ignored",
	}
}

test_a_label_of_a_version_alone_is_pointed_out if {
	parameters := object.union(exempting, {"defaults": {"enforce": "baseline"}})
	warnings(creates({"enforce-version": "v1.20"}), parameters) == {concat("", [
		"namespace \"shop\" is exempt from Pod Security, and the policy ",
		"(enforce=baseline:v1.20) will be ignored",
	])}
}

test_an_old_mistake_does_not_hide_the_warning if {
	review := updates({"audit": "bogus"}, {"audit": "bogus", "enforce": "restricted"})
	count(warnings(review, exempting)) == 1
}

test_no_warning_if_the_namespace_is_not_exempt_or_the_labels_change_nothing if {
	warnings(creates({"enforce": "restricted"}), {"namespaceLabels": true}) == set()
	warnings(creates({}), exempting) == set()
	warnings(creates({"enforce": "privileged", "warn-version": "v1.20"}), exempting) == set()
	defaults := {"defaults": {"enforce": "baseline", "audit": "baseline", "warn": "baseline"}}
	warnings(creates({"enforce": "baseline"}), object.union(exempting, defaults)) == set()
}

test_no_warning_for_labels_that_are_refused if {
	warnings(creates({"enforce": "restricted", "audit": "bogus"}), exempting) == set()
}

test_an_update_of_an_exempt_namespace_warns_only_if_more_is_enforced if {
	count(warnings(updates({"enforce": "baseline"}, {"enforce": "restricted"}), exempting)) == 1
	other_version := {"enforce": "baseline", "enforce-version": "v1.9"}
	count(warnings(updates({"enforce": "baseline"}, other_version), exempting)) == 1
	warnings(updates({"enforce": "restricted"}, {"enforce": "baseline"}), exempting) == set()
	warnings(updates({"enforce": "restricted"}, {"enforce": "privileged"}), exempting) == set()
	audited_too := {"enforce": "baseline", "audit": "restricted"}
	warnings(updates({"enforce": "baseline"}, audited_too), exempting) == set()
}

rechecked(review) := standard if {
	standard := namespace_labels.recheck_pods with input as {"review": review, "parameters": {"namespaceLabels": true}}
}

test_pods_are_looked_at_again_if_more_is_enforced if {
	rechecked(updates({}, {"enforce": "baseline"})) == "baseline:latest"
	rechecked(updates({"enforce": "baseline"}, {"enforce": "restricted"})) == "restricted:latest"
	newer := updates({"enforce": "baseline", "enforce-version": "v1.9"}, {"enforce": "baseline"})
	rechecked(newer) == "baseline:latest"
}

test_pods_are_not_looked_at_again_if_no_more_is_enforced if {
	not rechecked(creates({"enforce": "restricted"}))
	not rechecked(updates({"enforce": "restricted"}, {"enforce": "baseline"}))
	not rechecked(updates({"enforce": "baseline"}, {"enforce": "baseline", "audit": "restricted"}))
	not rechecked(updates({"enforce": "baseline"}, {"enforce": "privileged"}))
	not rechecked(updates({}, {"enforce": "bogus"}))
	exempt := {"review": updates({}, {"enforce": "baseline"}), "parameters": exempting}
	not namespace_labels.recheck_pods with input as exempt
	fixed := {"review": updates({}, {"enforce": "baseline"}), "parameters": {}}
	not namespace_labels.recheck_pods with input as fixed
}

test_labels_of_other_kinds_warn_of_nothing if {
	warnings(object.union(creates({"enforce": "restricted"}), {"kind": {"kind": "Pod"}}), exempting) == set()
	not rechecked(object.union(updates({}, {"enforce": "restricted"}), {"kind": {"kind": "Pod"}}))
}

test_no_subresource_may_be_written_as_null if {
	count(denied(object.union(creates({"enforce": "bogus"}), {"subResource": null}))) == 1
}

test_only_an_update_may_keep_a_mistake if {
	created := object.union(updates({"enforce": "bogus"}, {"enforce": "bogus"}), {"operation": "CREATE"})
	count(denied(created)) == 1
}

test_privileged_enforces_nothing_in_any_version if {
	looser := {"enforce": "privileged", "enforce-version": "v1.9"}
	not rechecked(updates({"enforce": "restricted"}, looser))
	audited := object.union(looser, {"audit": "restricted"})
	warnings(updates({"enforce": "restricted"}, audited), exempting) == set()
}

test_nothing_is_lost_where_labels_ask_for_nothing if {
	parameters := object.union(exempting, {"defaults": {"enforce": "baseline"}})
	warnings(creates({"enforce": "privileged"}), parameters) == set()
}

test_a_version_of_privileged_is_nothing_else_than_the_default if {
	parameters := object.union(exempting, {"defaults": {"audit": "baseline"}})
	warnings(creates({"warn-version": "v1.20"}), parameters) == set()
	warnings(creates({"warn": "baseline", "warn-version": "v1.20"}), parameters) == {concat("", [
		"namespace \"shop\" is exempt from Pod Security, and the policy ",
		"(warn=baseline:v1.20) will be ignored",
	])}
	warnings(creates({"audit": "privileged", "warn": "baseline"}), parameters) != set()
}
