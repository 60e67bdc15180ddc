package pod_security.seccomp_profile_restricted_test

import data.pod_security.seccomp_profile_restricted

# A Pod that breaks the rule.
bad := {"containers": [{"name": "web"}]}

test_an_absent_profile_is_refused_in_upstreams_words if {
	denied(bad, {"level": "restricted"}) == {{
		"rule": "seccompProfile_restricted",
		"path": "/spec/containers/0/securityContext/seccompProfile/type",
		"expected": "`RuntimeDefault` or `Localhost`, here or on the pod",
		"msg": concat("", [
			"violates PodSecurity \"restricted:latest\": seccompProfile (pod or container \"web\" must set ",
			"securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")",
		]),
	}}
}

test_an_unconfined_container_is_refused_even_if_the_pod_is_confined if {
	spec := {
		"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
		"containers": [
			{"name": "web", "securityContext": {"seccompProfile": {"type": "Unconfined"}}},
			{"name": "silent"},
		],
	}
	denied(spec, {"level": "restricted"}) == {{
		"rule": "seccompProfile_restricted",
		"path": "/spec/containers/0/securityContext/seccompProfile/type",
		"found": "Unconfined",
		"expected": "`RuntimeDefault` or `Localhost`",
		"msg": concat("", [
			"violates PodSecurity \"restricted:latest\": seccompProfile ",
			"(container \"web\" must not set securityContext.seccompProfile.type to \"Unconfined\")",
		]),
	}}
}

test_a_bad_profile_of_the_pod_is_the_one_mistake if {
	silent := {"containers": [{"name": "web"}]}
	places(denied(
		object.union(silent, {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}),
		{"level": "restricted"},
	)) == {["/spec/securityContext/seccompProfile/type", "Unconfined"]}
	places(denied(
		object.union(silent, {"securityContext": {"seccompProfile": {}}}),
		{"level": "restricted"},
	)) == {["/spec/securityContext/seccompProfile/type", "absent"]}
}

test_silent_containers_of_every_list_are_refused if {
	every context in [null, {}, {"seccompProfile": null}] {
		spec := object.union(everywhere({"securityContext": context}), {"securityContext": context})
		places(denied(spec, {"level": "restricted"})) == {
			["/spec/initContainers/0/securityContext/seccompProfile/type", "absent"],
			["/spec/containers/0/securityContext/seccompProfile/type", "absent"],
			["/spec/ephemeralContainers/0/securityContext/seccompProfile/type", "absent"],
		}
	}
}

test_a_profile_on_the_pod_or_on_every_container_passes if {
	every profile in [{"type": "RuntimeDefault"}, {"type": "Localhost", "localhostProfile": "x"}] {
		context := {"securityContext": {"seccompProfile": profile}}
		denied(object.union(everywhere({}), context), {"level": "restricted"}) == set()
		denied(everywhere(context), {"level": "restricted"}) == set()
	}
}

test_the_check_begins_with_version_1_19 if {
	denied(bad, {"level": "restricted", "version": "v1.18"}) == set()
	count(denied(bad, {"level": "restricted", "version": "v1.19"})) == 1
	denied(bad, {"level": "baseline"}) == set()
}

test_windows_pods_pass_from_version_1_25_on if {
	windows := object.union(bad, {"os": {"name": "windows"}})
	count(denied(windows, {"level": "restricted", "version": "v1.24"})) == 1
	denied(windows, {"level": "restricted", "version": "v1.25"}) == set()
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
	count(seccomp_profile_restricted.deny) == 1 with input as request
	count(seccomp_profile_restricted.warn) == 1 with input as request
	count(seccomp_profile_restricted.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	seccomp_profile_restricted.deny == set() with input as workload
	seccomp_profile_restricted.warn == {finding |
		some denial in seccomp_profile_restricted.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	seccomp_profile_restricted.audit == seccomp_profile_restricted.warn with input as workload
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
	seccomp_profile_restricted.deny == set() with input as request
	seccomp_profile_restricted.warn == set() with input as request
	seccomp_profile_restricted.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := seccomp_profile_restricted.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}

test_the_words_name_who_sets_which_type if {
	profile := {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}
	unconfined := "pod must not set securityContext.seccompProfile.type to \"Unconfined\")"
	words({"securityContext": profile.securityContext, "containers": []}) == {unconfined}
	untyped := {"seccompProfile": {}}
	no_type := "pod must not set securityContext.seccompProfile.type to \"\")"
	words({"securityContext": untyped, "containers": []}) == {no_type}
}

words(spec) := {split(finding.msg, "(")[1] | some finding in denied(spec, {"level": "restricted"})}
