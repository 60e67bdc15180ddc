package pod_security.proc_mount_test

import data.pod_security.proc_mount

# A Pod that breaks the rule.
bad := {"containers": [{"name": "web", "securityContext": {"procMount": "Unmasked"}}]}

test_an_unmasked_proc_is_refused_in_upstreams_words if {
	denied(bad, {"level": "baseline"}) == {{
		"rule": "procMount",
		"path": "/spec/containers/0/securityContext/procMount",
		"found": "Unmasked",
		"expected": "`Default` or unset",
		"msg": concat("", [
			"violates PodSecurity \"baseline:latest\": procMount ",
			"(container \"web\" must not set securityContext.procMount to \"Unmasked\")",
		]),
	}}
}

test_containers_of_every_list_are_judged if {
	places(denied(everywhere({"securityContext": {"procMount": ""}}), {"level": "baseline"})) == {
		["/spec/initContainers/0/securityContext/procMount", ""],
		["/spec/containers/0/securityContext/procMount", ""],
		["/spec/ephemeralContainers/0/securityContext/procMount", ""],
	}
}

test_absent_null_and_default_pass if {
	every context in [null, {}, {"procMount": null}, {"procMount": "Default"}] {
		denied(everywhere({"securityContext": context}), {"level": "baseline"}) == set()
	}
	denied(everywhere({}), {"level": "baseline"}) == set()
}

test_from_version_1_35_on_pods_in_a_user_namespace_pass if {
	apart := object.union(bad, {"hostUsers": false})
	count(denied(apart, {"level": "baseline", "version": "v1.34"})) == 1
	denied(apart, {"level": "baseline", "version": "v1.35"}) == set()
	count(denied(object.union(bad, {"hostUsers": true}), {"level": "baseline"})) == 1
}

test_in_restricted_another_check_takes_its_place_from_version_1_35_on if {
	count(denied(bad, {"level": "restricted", "version": "v1.34"})) == 1
	denied(bad, {"level": "restricted", "version": "v1.35"}) == set()
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
	count(proc_mount.deny) == 1 with input as request
	count(proc_mount.warn) == 1 with input as request
	count(proc_mount.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	proc_mount.deny == set() with input as workload
	proc_mount.warn == {finding |
		some denial in proc_mount.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	proc_mount.audit == proc_mount.warn with input as workload
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
	proc_mount.deny == set() with input as request
	proc_mount.warn == set() with input as request
	proc_mount.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := proc_mount.deny with input as {
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
#   shownBy: test_an_unmasked_proc_is_refused_in_upstreams_words
