package pod_security.allow_privilege_escalation_test

import data.pod_security.allow_privilege_escalation

# A Pod that breaks the rule.
bad := {"containers": [{"name": "web"}]}

test_an_absent_field_is_refused_in_upstreams_words if {
	denied(bad, {"level": "restricted"}) == {{
		"rule": "allowPrivilegeEscalation",
		"path": "/spec/containers/0/securityContext/allowPrivilegeEscalation",
		"expected": "false",
		"msg": concat("", [
			"violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false ",
			"(container \"web\" must set securityContext.allowPrivilegeEscalation=false)",
		]),
	}}
}

test_null_is_refused_as_absent if {
	every context in [null, {}, {"allowPrivilegeEscalation": null}] {
		spec := {"containers": [{"securityContext": context}]}
		places(denied(spec, {"level": "restricted"})) == {[
			"/spec/containers/0/securityContext/allowPrivilegeEscalation",
			"absent",
		]}
	}
}

test_true_is_refused_in_every_list if {
	container := {"securityContext": {"allowPrivilegeEscalation": true}}
	places(denied(everywhere(container), {"level": "restricted"})) == {
		["/spec/initContainers/0/securityContext/allowPrivilegeEscalation", true],
		["/spec/containers/0/securityContext/allowPrivilegeEscalation", true],
		["/spec/ephemeralContainers/0/securityContext/allowPrivilegeEscalation", true],
	}
}

test_false_passes if {
	container := {"securityContext": {"allowPrivilegeEscalation": false}}
	denied(everywhere(container), {"level": "restricted"}) == set()
}

test_the_check_begins_with_version_1_8 if {
	denied(bad, {"level": "restricted", "version": "v1.7"}) == set()
	count(denied(bad, {"level": "restricted", "version": "v1.8"})) == 1
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
	count(allow_privilege_escalation.deny) == 1 with input as request
	count(allow_privilege_escalation.warn) == 1 with input as request
	count(allow_privilege_escalation.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	allow_privilege_escalation.deny == set() with input as workload
	allow_privilege_escalation.warn == {finding |
		some denial in allow_privilege_escalation.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	allow_privilege_escalation.audit == allow_privilege_escalation.warn with input as workload
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
	allow_privilege_escalation.deny == set() with input as request
	allow_privilege_escalation.warn == set() with input as request
	allow_privilege_escalation.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := allow_privilege_escalation.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}
