package pod_security.capabilities_restricted_test

import data.pod_security.capabilities_restricted

# A Pod that breaks the rule.
bad := {"containers": [{"name": "web"}]}

test_an_absent_drop_is_refused_in_upstreams_words if {
	denied(bad, {"level": "restricted"}) == {{
		"rule": "capabilities_restricted",
		"path": "/spec/containers/0/securityContext/capabilities/drop",
		"expected": "a list with `ALL`",
		"msg": concat("", [
			"violates PodSecurity \"restricted:latest\": unrestricted capabilities ",
			"(container \"web\" must set securityContext.capabilities.drop=[\"ALL\"])",
		]),
	}}
}

test_an_added_capability_is_refused_in_upstreams_words if {
	spec := {"containers": [{"name": "web", "securityContext": {"capabilities": {
		"drop": ["ALL"],
		"add": ["NET_BIND_SERVICE", "CHOWN"],
	}}}]}
	denied(spec, {"level": "restricted"}) == {{
		"rule": "capabilities_restricted",
		"path": "/spec/containers/0/securityContext/capabilities/add/1",
		"found": "CHOWN",
		"expected": "`NET_BIND_SERVICE` or removed",
		"msg": concat("", [
			"violates PodSecurity \"restricted:latest\": unrestricted capabilities ",
			"(container \"web\" must not include \"CHOWN\" in securityContext.capabilities.add)",
		]),
	}}
}

test_every_capability_of_every_container_is_judged if {
	spec := {"containers": [
		{"name": "a", "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["NET_RAW", "SYS_TIME"]}}},
		{"name": "b", "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}},
	]}
	places(denied(spec, {"level": "restricted"})) == {
		["/spec/containers/0/securityContext/capabilities/add/0", "NET_RAW"],
		["/spec/containers/0/securityContext/capabilities/add/1", "SYS_TIME"],
		["/spec/containers/1/securityContext/capabilities/add/0", "SYS_ADMIN"],
	}
}

test_dropping_less_than_all_is_refused_in_every_list if {
	container := {"securityContext": {"capabilities": {"drop": ["all", "NET_RAW"]}}}
	places(denied(everywhere(container), {"level": "restricted"})) == {
		["/spec/initContainers/0/securityContext/capabilities/drop", ["all", "NET_RAW"]],
		["/spec/containers/0/securityContext/capabilities/drop", ["all", "NET_RAW"]],
		["/spec/ephemeralContainers/0/securityContext/capabilities/drop", ["all", "NET_RAW"]],
	}
}

test_null_is_refused_as_absent if {
	every context in [null, {}, {"capabilities": null}, {"capabilities": {"drop": null}}] {
		places(denied({"containers": [{"securityContext": context}]}, {"level": "restricted"})) == {[
			"/spec/containers/0/securityContext/capabilities/drop",
			"absent",
		]}
	}
}

test_dropping_all_passes if {
	every capabilities in [{"drop": ["ALL"]}, {"drop": ["CHOWN", "ALL"], "add": ["NET_BIND_SERVICE"]}] {
		container := {"securityContext": {"capabilities": capabilities}}
		denied(everywhere(container), {"level": "restricted"}) == set()
	}
}

test_the_check_begins_with_version_1_22 if {
	denied(bad, {"level": "restricted", "version": "v1.21"}) == set()
	count(denied(bad, {"level": "restricted", "version": "v1.22"})) == 1
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
	count(capabilities_restricted.deny) == 1 with input as request
	count(capabilities_restricted.warn) == 1 with input as request
	count(capabilities_restricted.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	capabilities_restricted.deny == set() with input as workload
	capabilities_restricted.warn == {finding |
		some denial in capabilities_restricted.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	capabilities_restricted.audit == capabilities_restricted.warn with input as workload
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
	capabilities_restricted.deny == set() with input as request
	capabilities_restricted.warn == set() with input as request
	capabilities_restricted.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := capabilities_restricted.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}
