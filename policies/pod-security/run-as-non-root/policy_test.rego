package pod_security.run_as_non_root_test

import data.pod_security.run_as_non_root

# A Pod that breaks the rule.
bad := {"containers": [{"name": "web"}]}

test_an_absent_field_is_refused_in_upstreams_words if {
	denied(bad, {"level": "restricted"}) == {{
		"rule": "runAsNonRoot",
		"path": "/spec/containers/0/securityContext/runAsNonRoot",
		"expected": "true, here or on the pod",
		"msg": concat("", [
			"violates PodSecurity \"restricted:latest\": runAsNonRoot != true ",
			"(pod or container \"web\" must set securityContext.runAsNonRoot=true)",
		]),
	}}
}

test_a_container_that_says_false_is_refused_even_if_the_pod_says_true if {
	spec := {
		"securityContext": {"runAsNonRoot": true},
		"containers": [{"name": "web", "securityContext": {"runAsNonRoot": false}}, {"name": "other"}],
	}
	denied(spec, {"level": "restricted"}) == {{
		"rule": "runAsNonRoot",
		"path": "/spec/containers/0/securityContext/runAsNonRoot",
		"found": false,
		"expected": "true",
		"msg": concat("", [
			"violates PodSecurity \"restricted:latest\": runAsNonRoot != true ",
			"(container \"web\" must not set securityContext.runAsNonRoot=false)",
		]),
	}}
}

test_a_pod_that_says_false_is_the_one_mistake if {
	spec := {
		"securityContext": {"runAsNonRoot": false},
		"containers": [{"name": "silent"}, {"securityContext": {"runAsNonRoot": true}}],
	}
	found := denied(spec, {"level": "restricted"})
	places(found) == {["/spec/securityContext/runAsNonRoot", false]}
	words := "(pod must not set securityContext.runAsNonRoot=false)"
	{endswith(finding.msg, words) | some finding in found} == {true}
}

test_silent_containers_of_every_list_are_refused if {
	every context in [null, {}, {"runAsNonRoot": null}] {
		spec := object.union(everywhere({"securityContext": context}), {"securityContext": context})
		places(denied(spec, {"level": "restricted"})) == {
			["/spec/initContainers/0/securityContext/runAsNonRoot", "absent"],
			["/spec/containers/0/securityContext/runAsNonRoot", "absent"],
			["/spec/ephemeralContainers/0/securityContext/runAsNonRoot", "absent"],
		}
	}
}

test_true_on_the_pod_or_on_every_container_passes if {
	pod := object.union(everywhere({}), {"securityContext": {"runAsNonRoot": true}})
	denied(pod, {"level": "restricted"}) == set()
	denied(everywhere({"securityContext": {"runAsNonRoot": true}}), {"level": "restricted"}) == set()
}

test_from_version_1_35_on_pods_in_a_user_namespace_pass if {
	apart := object.union(bad, {"hostUsers": false})
	count(denied(apart, {"level": "restricted", "version": "v1.34"})) == 1
	denied(apart, {"level": "restricted", "version": "v1.35"}) == set()
}

test_every_version_of_restricted_has_the_check_and_baseline_has_not if {
	count(denied(bad, {"level": "restricted", "version": "v1.0"})) == 1
	denied(bad, {"level": "baseline"}) == set()
}

test_with_namespace_labels_pods_are_refused_and_workloads_warned if {
	request := {
		"review": {"operation": "CREATE", "object": {"spec": bad}},
		"namespace": {"metadata": {"name": "shop", "labels": {
			"pod-security.kubernetes.io/enforce": "restricted",
			"pod-security.kubernetes.io/audit": "restricted",
		}}},
		"parameters": {"namespaceLabels": true},
	}
	count(run_as_non_root.deny) == 1 with input as request
	count(run_as_non_root.warn) == 1 with input as request
	count(run_as_non_root.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	run_as_non_root.deny == set() with input as workload
	run_as_non_root.warn == {finding |
		some denial in run_as_non_root.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	run_as_non_root.audit == run_as_non_root.warn with input as workload
}

test_null_lists_hold_nothing_to_refuse if {
	spec := {
		"initContainers": null,
		"containers": null,
		"ephemeralContainers": null,
		"volumes": null,
		"securityContext": null,
	}
	denied(spec, {"level": "restricted"}) == set()
}

test_in_a_privileged_namespace_nothing_is_said if {
	request := {
		"review": {"operation": "CREATE", "object": {"spec": bad}},
		"namespace": {"metadata": {
			"name": "shop",
			"labels": {"pod-security.kubernetes.io/enforce": "privileged"},
		}},
		"parameters": {"namespaceLabels": true},
	}
	run_as_non_root.deny == set() with input as request
	run_as_non_root.warn == set() with input as request
	run_as_non_root.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := run_as_non_root.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}

test_the_pod_must_say_true if {
	found := denied({"securityContext": {"runAsNonRoot": false}, "containers": []}, {"level": "restricted"})
	{finding.expected | some finding in found} == {"true"}
}

# equivalent:
#   line: '"since": 0,'
#   becomes: '"since": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_an_absent_field_is_refused_in_upstreams_words
