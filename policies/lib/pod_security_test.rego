package lib.pod_security_test

import data.lib.pod_security

baseline_check := {"id": "b", "level": "baseline", "since": 0, "reason": "reason"}

restricted_check := {"id": "r", "level": "restricted", "since": 8, "reason": "reason"}

labels := {
	"pod-security.kubernetes.io/enforce": "baseline",
	"pod-security.kubernetes.io/warn": "restricted",
	"pod-security.kubernetes.io/warn-version": "v1.30",
	"pod-security.kubernetes.io/audit": "restricted",
	"pod-security.kubernetes.io/audit-version": "v1.7",
}

in_namespace(namespace_labels) := {
	"review": {"operation": "CREATE", "object": {"spec": {}}, "userInfo": {"username": "alice"}},
	"namespace": {"metadata": {"name": "shop", "labels": namespace_labels}},
	"parameters": {"namespaceLabels": true},
}

fixed(parameters, spec) := {"review": {"object": {"spec": spec}}, "parameters": parameters}

standard(level, version, minor) := {"level": level, "version": version, "minor": minor}

test_labels_choose_a_standard_for_each_mode if {
	request := in_namespace(labels)
	pod_security.enforced(baseline_check) == standard("baseline", "latest", 37) with input as request
	pod_security.warned(baseline_check) == standard("restricted", "v1.30", 30) with input as request
	pod_security.audited(baseline_check) == standard("restricted", "v1.7", 7) with input as request
}

test_a_restricted_check_is_not_part_of_baseline if {
	not pod_security.enforced(restricted_check) with input as in_namespace(labels)
}

test_a_check_begins_with_its_version if {
	not pod_security.audited(restricted_check) with input as in_namespace(labels)
	pod_security.warned(restricted_check).minor == 30 with input as in_namespace(labels)
}

test_workloads_are_never_refused_by_labels if {
	request := object.union(in_namespace(labels), {"owner": {"kind": "Deployment"}})
	not pod_security.enforced(baseline_check) with input as request
	pod_security.warned(baseline_check).level == "restricted" with input as request
	pod_security.audited(baseline_check).level == "restricted" with input as request
}

test_without_labels_nothing_is_judged if {
	every namespace_labels in [{}, null] {
		request := in_namespace(namespace_labels)
		not pod_security.enforced(baseline_check) with input as request
		not pod_security.warned(baseline_check) with input as request
		not pod_security.audited(baseline_check) with input as request
	}
}

test_a_namespace_with_absent_labels_gets_the_defaults if {
	request := {
		"review": {"object": {"spec": {}}},
		"namespace": {"metadata": {"name": "shop"}},
		"parameters": {"namespaceLabels": true, "defaults": {"enforce": "restricted", "enforce-version": "v1.30"}},
	}
	pod_security.enforced(baseline_check) == standard("restricted", "v1.30", 30) with input as request
	not pod_security.warned(baseline_check) with input as request
}

test_a_live_request_in_an_unknown_namespace_is_held_to_restricted if {
	request := {
		"review": {"operation": "CREATE", "object": {"spec": {}}, "userInfo": {"username": "alice"}},
		"parameters": {"namespaceLabels": true},
	}
	pod_security.enforced(baseline_check) == standard("restricted", "latest", 37) with input as request
	not pod_security.warned(baseline_check) with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	not pod_security.enforced(baseline_check) with input as workload
}

test_nothing_is_said_of_a_file_in_an_unknown_namespace if {
	request := {"review": {"object": {"spec": {}}}, "parameters": {"namespaceLabels": true}}
	not pod_security.enforced(baseline_check) with input as request
	not pod_security.warned(baseline_check) with input as request
	not pod_security.audited(baseline_check) with input as request
}

test_a_fixed_level_refuses_pods_and_workloads_and_warns_of_nothing if {
	request := object.union(in_namespace(labels), {"parameters": {
		"namespaceLabels": false,
		"level": "restricted",
		"version": "v1.30",
	}})
	pod_security.enforced(restricted_check) == standard("restricted", "v1.30", 30) with input as request
	not pod_security.warned(restricted_check) with input as request
	not pod_security.audited(restricted_check) with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	pod_security.enforced(restricted_check) == standard("restricted", "v1.30", 30) with input as workload
}

test_only_labels_let_insignificant_updates_pass if {
	spec := {"containers": [{"image": "a"}]}
	review := {"operation": "UPDATE", "object": {"spec": spec}, "oldObject": {"spec": spec}}
	pod_security.enforced(baseline_check) with input as {"review": review, "parameters": {}}
	labelled := object.union(in_namespace(labels), {"review": review})
	not pod_security.enforced(baseline_check) with input as labelled
	not pod_security.warned(baseline_check) with input as labelled
	not pod_security.audited(baseline_check) with input as labelled
}

test_absent_parameters_mean_the_checks_own_level if {
	every parameters in [{}, null] {
		request := fixed(parameters, {})
		pod_security.enforced(baseline_check) == standard("baseline", "latest", 37) with input as request
		pod_security.enforced(restricted_check) == standard("restricted", "latest", 37) with input as request
	}
	pod_security.enforced(baseline_check).level == "baseline" with input as {"review": {"object": {}}}
}

test_an_overridden_check_is_left_out_of_restricted_only if {
	check := object.union(baseline_check, {"overridden_since": 22})
	pod_security.enforced(check) with input as fixed({"level": "restricted", "version": "v1.21"}, {})
	not pod_security.enforced(check) with input as fixed({"level": "restricted", "version": "v1.22"}, {})
	pod_security.enforced(check) with input as fixed({"level": "baseline", "version": "v1.22"}, {})
}

test_windows_pods_pass_where_the_check_says_so if {
	check := object.union(restricted_check, {"windows_passes_since": 25})
	windows := {"os": {"name": "windows"}}
	pod_security.enforced(check) with input as fixed({"level": "restricted", "version": "v1.24"}, windows)
	not pod_security.enforced(check) with input as fixed({"level": "restricted", "version": "v1.25"}, windows)
	pod_security.enforced(check) with input as fixed({"level": "restricted"}, {"os": {"name": "linux"}})
	pod_security.enforced(restricted_check) with input as fixed({"level": "restricted"}, windows)
	brought_by_baseline := object.union(check, {"level": "baseline"})
	not pod_security.enforced(brought_by_baseline) with input as fixed({"level": "restricted"}, windows)
}

test_pods_in_a_user_namespace_pass_where_the_check_says_so if {
	check := object.union(restricted_check, {"user_namespace_passes_since": 35})
	apart := {"hostUsers": false}
	pod_security.enforced(check) with input as fixed({"level": "restricted", "version": "v1.34"}, apart)
	not pod_security.enforced(check) with input as fixed({"level": "restricted", "version": "v1.35"}, apart)
	pod_security.enforced(check) with input as fixed({"level": "restricted"}, {"hostUsers": true})
	pod_security.enforced(check) with input as fixed({"level": "restricted"}, {})
}

test_exemptions_hold_for_every_mode if {
	request := object.union(in_namespace(labels), {"parameters": {"exemptions": {"namespaces": ["shop"]}}})
	not pod_security.enforced(baseline_check) with input as request
	not pod_security.warned(baseline_check) with input as request
	not pod_security.audited(baseline_check) with input as request
}

test_findings_speak_upstreams_words if {
	problem := {"at": pod_security.field("/spec/x", 1, "unset"), "detail": "x"}
	pod_security.denial(standard("baseline", "v1.24", 24), baseline_check, problem) == {
		"rule": "b",
		"path": "/spec/x",
		"found": 1,
		"expected": "unset",
		"msg": "violates PodSecurity \"baseline:v1.24\": reason (x)",
	}
	notice := pod_security.notice(standard("restricted", "latest", 37), baseline_check, problem)
	notice.msg == "would violate PodSecurity \"restricted:latest\": reason (x)"
}

test_an_absent_field_has_no_found if {
	pod_security.field("/spec/x", null, "set") == {"path": "/spec/x", "expected": "set"}
	pod_security.field("/spec/x", false, "true") == {"path": "/spec/x", "found": false, "expected": "true"}
	pod_security.container_field("containers", 2, "image", null, "set") == {
		"path": "/spec/containers/2/image",
		"expected": "set",
	}
}

test_annotation_keys_are_escaped if {
	pod_security.annotation_path("a.io/b~c") == "/metadata/annotations/a.io~1b~0c"
}

test_a_fixed_level_does_not_look_at_labels if {
	request := object.union(in_namespace(labels), {"parameters": {
		"namespaceLabels": false,
		"level": "restricted",
		"version": "v1.30",
	}})
	pod_security.enforced(baseline_check) == standard("restricted", "v1.30", 30) with input as request
	not pod_security.audited(baseline_check) with input as request
}

test_a_fixed_level_does_not_judge_what_carries_no_pod if {
	request := {"review": {"object": {"spec": {}}, "subResource": "binding"}, "parameters": {}}
	not pod_security.enforced(baseline_check) with input as request
}

test_defaults_say_nothing_of_an_unknown_namespace if {
	request := {
		"review": {"object": {"spec": {}}},
		"parameters": {"namespaceLabels": true, "defaults": {"warn": "baseline", "audit": "baseline"}},
	}
	not pod_security.warned(baseline_check) with input as request
	not pod_security.audited(baseline_check) with input as request
}

test_defaults_that_are_none_are_as_if_absent if {
	request := object.union(in_namespace({}), {"parameters": {"namespaceLabels": true, "defaults": null}})
	not pod_security.enforced(baseline_check) with input as request
}

test_a_check_holds_from_its_own_version_on if {
	request := fixed({"level": "restricted", "version": "v1.30"}, {})
	every level in ["baseline", "restricted"] {
		pod_security.enforced({"id": "n", "level": level, "since": 30, "reason": "r"}) with input as request
		not pod_security.enforced({"id": "n", "level": level, "since": 31, "reason": "r"}) with input as request
	}
}

# equivalent:
#   line: 'version := labels.known_version(object.get(parameters, "version", "latest"))'
#   becomes: 'version := labels.known_version(object.get(parameters, "version", ""))'
#   because: a version that is none is the latest
#   shownBy: test_absent_parameters_mean_the_checks_own_level
# equivalent:
#   line: 'check.level == "baseline"'
#   becomes: 'true'
#   because: a check of `restricted` is included by the rule above already, on weaker conditions
#   shownBy: test_a_check_holds_from_its_own_version_on
