package pod_security.host_probes_and_host_lifecycle_test

import data.pod_security.host_probes_and_host_lifecycle

# A Pod that breaks the rule.
bad := {"containers": [{"name": "web", "livenessProbe": {"httpGet": {"host": "10.0.0.1"}}}]}

test_a_probes_host_is_refused_in_upstreams_words if {
	denied(bad, {"level": "baseline"}) == {{
		"rule": "hostProbesAndHostLifecycle",
		"path": "/spec/containers/0/livenessProbe/httpGet/host",
		"found": "10.0.0.1",
		"expected": "empty or unset",
		"msg": concat("", [
			"violates PodSecurity \"baseline:latest\": probe or lifecycle host ",
			"(container \"web\" uses probe or lifecycle host \"10.0.0.1\")",
		]),
	}}
}

test_a_hooks_host_is_refused_in_the_same_words if {
	hooked := {"containers": [{"name": "web", "lifecycle": {"preStop": {"tcpSocket": {"host": "10.0.0.1"}}}}]}
	denied(hooked, {"level": "baseline"}) == {object.union(finding, {"path": path}) |
		path := "/spec/containers/0/lifecycle/preStop/tcpSocket/host"
		some finding in denied(bad, {"level": "baseline"})
	}
}

test_every_probe_and_hook_of_every_list_is_judged if {
	actions := {"httpGet": {"host": "a"}, "tcpSocket": {"host": "b"}}
	container := {
		"livenessProbe": actions,
		"readinessProbe": actions,
		"startupProbe": actions,
		"lifecycle": {"postStart": actions, "preStop": actions},
	}
	handlers := ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle/postStart", "lifecycle/preStop"]
	places(denied(everywhere(container), {"level": "restricted"})) == {[path, actions[action].host] |
		some list in ["initContainers", "containers", "ephemeralContainers"]
		some handler in handlers
		some action in ["httpGet", "tcpSocket"]
		path := sprintf("/spec/%s/0/%s/%s/host", [list, handler, action])
	}
}

test_absent_null_and_empty_hosts_pass if {
	actions := {"httpGet": {"path": "/", "host": ""}, "tcpSocket": {"port": 80, "host": null}}
	container := {"livenessProbe": actions, "readinessProbe": null, "lifecycle": {"preStop": actions}}
	every candidate in [{}, {"lifecycle": null}, {"livenessProbe": {"exec": {}}}, container] {
		denied(everywhere(candidate), {"level": "baseline"}) == set()
	}
}

test_the_check_begins_with_version_1_34 if {
	every level in ["baseline", "restricted"] {
		denied(bad, {"level": level, "version": "v1.33"}) == set()
		count(denied(bad, {"level": level, "version": "v1.34"})) == 1
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
	count(host_probes_and_host_lifecycle.deny) == 1 with input as request
	count(host_probes_and_host_lifecycle.warn) == 1 with input as request
	count(host_probes_and_host_lifecycle.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	host_probes_and_host_lifecycle.deny == set() with input as workload
	host_probes_and_host_lifecycle.warn == {finding |
		some denial in host_probes_and_host_lifecycle.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	host_probes_and_host_lifecycle.audit == host_probes_and_host_lifecycle.warn with input as workload
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
	host_probes_and_host_lifecycle.deny == set() with input as request
	host_probes_and_host_lifecycle.warn == set() with input as request
	host_probes_and_host_lifecycle.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := host_probes_and_host_lifecycle.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}
