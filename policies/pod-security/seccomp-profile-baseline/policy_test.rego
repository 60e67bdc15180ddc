package pod_security.seccomp_profile_baseline_test

import data.pod_security.seccomp_profile_baseline

# A Pod that breaks the rule.
bad := {"containers": [{"name": "web", "securityContext": {"seccompProfile": {"type": "Unconfined"}}}]}

test_an_unconfined_container_is_refused_in_upstreams_words if {
	denied(bad, {"level": "baseline"}) == {{
		"rule": "seccompProfile_baseline",
		"path": "/spec/containers/0/securityContext/seccompProfile/type",
		"found": "Unconfined",
		"expected": "`RuntimeDefault` or `Localhost`",
		"msg": concat("", [
			"violates PodSecurity \"baseline:latest\": seccompProfile ",
			"(container \"web\" must not set securityContext.seccompProfile.type to \"Unconfined\")",
		]),
	}}
}

test_an_unconfined_pod_is_refused if {
	found := denied({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}, {"level": "baseline"})
	places(found) == {["/spec/securityContext/seccompProfile/type", "Unconfined"]}
}

test_a_profile_without_a_type_is_refused_in_every_list if {
	found := denied(everywhere({"securityContext": {"seccompProfile": {}}}), {"level": "baseline"})
	places(found) == {
		["/spec/initContainers/0/securityContext/seccompProfile/type", "absent"],
		["/spec/containers/0/securityContext/seccompProfile/type", "absent"],
		["/spec/ephemeralContainers/0/securityContext/seccompProfile/type", "absent"],
	}
}

test_absent_null_and_filtering_profiles_pass if {
	denied(everywhere({}), {"level": "baseline"}) == set()
	every profile in [null, {"type": "RuntimeDefault"}, {"type": "Localhost"}] {
		context := {"securityContext": {"seccompProfile": profile}}
		denied(object.union(everywhere(context), context), {"level": "baseline"}) == set()
	}
}

test_fields_are_read_from_version_1_19_on_and_annotations_before if {
	key := "seccomp.security.alpha.kubernetes.io/pod"
	denied(bad, {"level": "baseline", "version": "v1.18"}) == set()
	count(denied(bad, {"level": "baseline", "version": "v1.19"})) == 1
	count(annotated({key: "unconfined"}, "v1.18")) == 1
	annotated({key: "unconfined"}, "v1.19") == set()
}

test_a_weakening_annotation_is_refused_in_upstreams_words if {
	key := "container.seccomp.security.alpha.kubernetes.io/web"
	annotated({key: "unconfined"}, "v1.18") == {{
		"rule": "seccompProfile_baseline",
		"path": "/metadata/annotations/container.seccomp.security.alpha.kubernetes.io~1web",
		"found": "unconfined",
		"expected": "`runtime/default`, `docker/default`, `localhost/<profile>` or unset",
		"msg": concat("", [
			"violates PodSecurity \"baseline:v1.18\": seccompProfile (forbidden annotation ",
			"container.seccomp.security.alpha.kubernetes.io/web=\"unconfined\")",
		]),
	}}
}

test_an_empty_annotation_is_refused if {
	places(annotated({"seccomp.security.alpha.kubernetes.io/pod": ""}, "v1.0")) == {[
		"/metadata/annotations/seccomp.security.alpha.kubernetes.io~1pod",
		"",
	]}
}

test_filtering_annotations_and_those_of_absent_containers_pass if {
	annotated(
		{
			"seccomp.security.alpha.kubernetes.io/pod": "runtime/default",
			"container.seccomp.security.alpha.kubernetes.io/web": "localhost/x",
			"container.seccomp.security.alpha.kubernetes.io/first": "docker/default",
			"container.seccomp.security.alpha.kubernetes.io/absent": "unconfined",
		},
		"v1.18",
	) == set()
	annotated(null, "v1.18") == set()
}

test_in_restricted_another_check_takes_its_place_from_version_1_19_on if {
	denied(bad, {"level": "restricted", "version": "v1.19"}) == set()
	denied(bad, {"level": "restricted"}) == set()
	findings := seccomp_profile_baseline.deny with input as {
		"review": {"object": {
			"metadata": {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}},
			"spec": {},
		}},
		"parameters": {"level": "restricted", "version": "v1.18"},
	}
	count(findings) == 1
}

annotated(annotations, version) := findings if {
	findings := seccomp_profile_baseline.deny with input as {
		"review": {"object": {"metadata": {"annotations": annotations}, "spec": {
			"containers": [{"name": "web"}],
			"initContainers": [{"name": "first"}],
		}}},
		"parameters": {"level": "baseline", "version": version},
	}
}

test_with_namespace_labels_pods_are_refused_and_workloads_warned if {
	request := {
		"review": {"operation": "CREATE", "object": {"spec": bad}},
		"namespace": {"metadata": {"name": "shop", "labels": {
			"pod-security.kubernetes.io/enforce": "baseline",
			"pod-security.kubernetes.io/audit": "baseline",
		}}},
		"parameters": {"namespaceLabels": true},
	}
	count(seccomp_profile_baseline.deny) == 1 with input as request
	count(seccomp_profile_baseline.warn) == 1 with input as request
	count(seccomp_profile_baseline.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	seccomp_profile_baseline.deny == set() with input as workload
	seccomp_profile_baseline.warn == {finding |
		some denial in seccomp_profile_baseline.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	seccomp_profile_baseline.audit == seccomp_profile_baseline.warn with input as workload
}

test_null_lists_hold_nothing_to_refuse if {
	spec := {
		"initContainers": null,
		"containers": null,
		"ephemeralContainers": null,
		"volumes": null,
		"securityContext": null,
	}
	denied(spec, {"level": "baseline"}) == set()
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
	seccomp_profile_baseline.deny == set() with input as request
	seccomp_profile_baseline.warn == set() with input as request
	seccomp_profile_baseline.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := seccomp_profile_baseline.deny with input as {
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

words(spec) := {split(finding.msg, "(")[1] | some finding in denied(spec, {"level": "baseline"})}

test_an_annotation_that_is_no_text_is_refused if {
	object := {"metadata": {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": 7}}, "spec": {"containers": []}}
	found := seccomp_profile_baseline.deny with input.review.object as object
		with input.parameters as {"level": "baseline", "version": "v1.18"}
	count(found) == 1
}

# equivalent:
#   line: '"since": 0,'
#   becomes: '"since": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_an_unconfined_container_is_refused_in_upstreams_words
