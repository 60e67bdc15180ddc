package pod_security.proc_mount_restricted_test

import data.pod_security.proc_mount_restricted

# A Pod that breaks the rule.
bad := {"containers": [{"name": "web", "securityContext": {"procMount": "Unmasked"}}]}

test_an_unmasked_proc_is_refused_in_upstreams_words if {
	denied(bad, {"level": "restricted"}) == {{
		"rule": "procMount_restricted",
		"path": "/spec/containers/0/securityContext/procMount",
		"found": "Unmasked",
		"expected": "`Default` or unset",
		"msg": concat("", [
			"violates PodSecurity \"restricted:latest\": procMount ",
			"(container \"web\" must not set securityContext.procMount to \"Unmasked\")",
		]),
	}}
}

test_containers_of_every_list_are_judged if {
	places(denied(everywhere({"securityContext": {"procMount": ""}}), {"level": "restricted"})) == {
		["/spec/initContainers/0/securityContext/procMount", ""],
		["/spec/containers/0/securityContext/procMount", ""],
		["/spec/ephemeralContainers/0/securityContext/procMount", ""],
	}
}

test_absent_null_and_default_pass if {
	every context in [null, {}, {"procMount": null}, {"procMount": "Default"}] {
		denied(everywhere({"securityContext": context}), {"level": "restricted"}) == set()
	}
	denied(everywhere({}), {"level": "restricted"}) == set()
}

test_a_user_namespace_is_no_excuse if {
	count(denied(object.union(bad, {"hostUsers": false}), {"level": "restricted"})) == 1
}

test_the_check_begins_with_version_1_35 if {
	denied(bad, {"level": "restricted", "version": "v1.34"}) == set()
	count(denied(bad, {"level": "restricted", "version": "v1.35"})) == 1
}

test_baseline_does_not_have_the_check if denied(bad, {"level": "baseline"}) == set()

test_with_namespace_labels_pods_are_refused_and_workloads_warned if {
	request := {
		"review": {"operation": "CREATE", "object": {"spec": bad}},
		"namespace": {"metadata": {"name": "shop", "labels": {
			"pod-security.kubernetes.io/enforce": "restricted",
			"pod-security.kubernetes.io/audit": "restricted",
		}}},
		"parameters": {"namespaceLabels": true},
	}
	count(proc_mount_restricted.deny) == 1 with input as request
	count(proc_mount_restricted.warn) == 1 with input as request
	count(proc_mount_restricted.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	proc_mount_restricted.deny == set() with input as workload
	proc_mount_restricted.warn == {finding |
		some denial in proc_mount_restricted.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	proc_mount_restricted.audit == proc_mount_restricted.warn with input as workload
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
	proc_mount_restricted.deny == set() with input as request
	proc_mount_restricted.warn == set() with input as request
	proc_mount_restricted.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := proc_mount_restricted.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}
