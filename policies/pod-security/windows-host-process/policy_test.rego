package pod_security.windows_host_process_test

import data.pod_security.windows_host_process

# A Pod that breaks the rule.
bad := {"securityContext": {"windowsOptions": {"hostProcess": true}}, "containers": [{"name": "web"}]}

test_a_host_process_pod_is_refused_in_upstreams_words if {
	denied(bad, {"level": "baseline"}) == {{
		"rule": "windowsHostProcess",
		"path": "/spec/securityContext/windowsOptions/hostProcess",
		"found": true,
		"expected": "false or unset",
		"msg": concat("", [
			"violates PodSecurity \"baseline:latest\": hostProcess ",
			"(pod must not set securityContext.windowsOptions.hostProcess=true)",
		]),
	}}
}

test_host_process_containers_of_every_list_are_refused if {
	container := {"securityContext": {"windowsOptions": {"hostProcess": true}}}
	places(denied(everywhere(container), {"level": "restricted", "version": "v1.0"})) == {
		["/spec/initContainers/0/securityContext/windowsOptions/hostProcess", true],
		["/spec/containers/0/securityContext/windowsOptions/hostProcess", true],
		["/spec/ephemeralContainers/0/securityContext/windowsOptions/hostProcess", true],
	}
}

test_absent_null_and_false_pass if {
	denied(everywhere({}), {"level": "baseline"}) == set()
	every options in [null, {}, {"hostProcess": null}, {"hostProcess": false}] {
		context := {"securityContext": {"windowsOptions": options}}
		denied(object.union(everywhere(context), context), {"level": "baseline"}) == set()
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
	count(windows_host_process.deny) == 1 with input as request
	count(windows_host_process.warn) == 1 with input as request
	count(windows_host_process.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	windows_host_process.deny == set() with input as workload
	windows_host_process.warn == {finding |
		some denial in windows_host_process.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	windows_host_process.audit == windows_host_process.warn with input as workload
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
	windows_host_process.deny == set() with input as request
	windows_host_process.warn == set() with input as request
	windows_host_process.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := windows_host_process.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}

test_a_container_is_named_with_what_it_must_be if {
	container := {"name": "web", "securityContext": {"windowsOptions": {"hostProcess": true}}}
	found := denied({"containers": [container]}, {"level": "baseline"})
	{[finding.expected, split(finding.msg, "(")[1]] | some finding in found} == {[
		"false or unset",
		"container \"web\" must not set securityContext.windowsOptions.hostProcess=true)",
	]}
}

# equivalent:
#   line: '"since": 0,'
#   becomes: '"since": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_a_host_process_pod_is_refused_in_upstreams_words
