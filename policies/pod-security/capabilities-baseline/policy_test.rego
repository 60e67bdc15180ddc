package pod_security.capabilities_baseline_test

import data.pod_security.capabilities_baseline

# A Pod that breaks the rule.
bad := {"containers": [{"name": "web", "securityContext": {"capabilities": {"add": ["CHOWN", "NET_RAW"]}}}]}

test_a_capability_beyond_the_default_set_is_refused_in_upstreams_words if {
	denied(bad, {"level": "baseline"}) == {{
		"rule": "capabilities_baseline",
		"path": "/spec/containers/0/securityContext/capabilities/add/1",
		"found": "NET_RAW",
		"expected": concat("", [
			"one of AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, ",
			"SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT",
		]),
		"msg": concat("", [
			"violates PodSecurity \"baseline:latest\": non-default capabilities ",
			"(container \"web\" must not include \"NET_RAW\" in securityContext.capabilities.add)",
		]),
	}}
}

test_every_capability_of_every_container_is_judged if {
	spec := {"containers": [
		{"name": "a", "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_RAW", "SYS_TIME"]}}},
		{"name": "b", "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}},
	]}
	places(denied(spec, {"level": "baseline"})) == {
		["/spec/containers/0/securityContext/capabilities/add/0", "NET_RAW"],
		["/spec/containers/0/securityContext/capabilities/add/1", "SYS_TIME"],
		["/spec/containers/1/securityContext/capabilities/add/0", "SYS_ADMIN"],
	}
}

test_names_are_compared_exactly_in_every_list if {
	container := {"securityContext": {"capabilities": {"add": ["chown", "CAP_CHOWN", "ALL", ""]}}}
	count(denied(everywhere(container), {"level": "baseline"})) == 12
}

test_absent_null_empty_and_default_capabilities_pass if {
	lists := [null, [], ["AUDIT_WRITE", "NET_BIND_SERVICE", "SYS_CHROOT"]]
	every list in lists {
		denied(everywhere({"securityContext": {"capabilities": {"add": list}}}), {"level": "baseline"}) == set()
	}
	denied(everywhere({}), {"level": "baseline"}) == set()
	denied(everywhere({"securityContext": {"capabilities": null}}), {"level": "baseline"}) == set()
}

test_in_restricted_another_check_takes_its_place_from_version_1_22_on if {
	count(denied(bad, {"level": "restricted", "version": "v1.21"})) == 1
	denied(bad, {"level": "restricted", "version": "v1.22"}) == set()
	denied(bad, {"level": "restricted"}) == set()
}

test_the_first_version_has_the_check if {
	count(denied(bad, {"level": "baseline", "version": "v1.0"})) == 1
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
	count(capabilities_baseline.deny) == 1 with input as request
	count(capabilities_baseline.warn) == 1 with input as request
	count(capabilities_baseline.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	capabilities_baseline.deny == set() with input as workload
	capabilities_baseline.warn == {finding |
		some denial in capabilities_baseline.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	capabilities_baseline.audit == capabilities_baseline.warn with input as workload
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
	capabilities_baseline.deny == set() with input as request
	capabilities_baseline.warn == set() with input as request
	capabilities_baseline.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := capabilities_baseline.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}

# equivalent:
#   line: '"since": 0,'
#   becomes: '"since": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_a_capability_beyond_the_default_set_is_refused_in_upstreams_words
