package pod_security.run_as_user_test

import data.pod_security.run_as_user

# A Pod that breaks the rule.
bad := {"securityContext": {"runAsUser": 0}, "containers": [{"name": "web"}]}

test_a_pod_that_asks_for_root_is_refused_in_upstreams_words if {
	denied(bad, {"level": "restricted"}) == {{
		"rule": "runAsUser",
		"path": "/spec/securityContext/runAsUser",
		"found": 0,
		"expected": "above 0 or unset",
		"msg": "violates PodSecurity \"restricted:latest\": runAsUser=0 (pod must not set runAsUser=0)",
	}}
}

test_containers_that_ask_for_root_are_refused_in_every_list if {
	found := denied(everywhere({"securityContext": {"runAsUser": 0}}), {"level": "restricted"})
	places(found) == {
		["/spec/initContainers/0/securityContext/runAsUser", 0],
		["/spec/containers/0/securityContext/runAsUser", 0],
		["/spec/ephemeralContainers/0/securityContext/runAsUser", 0],
	}
	some finding in found
	endswith(finding.msg, ": runAsUser=0 (container \"web\" must not set runAsUser=0)")
}

test_absent_null_and_other_users_pass if {
	denied(everywhere({}), {"level": "restricted"}) == set()
	every context in [null, {}, {"runAsUser": null}, {"runAsUser": 1000}] {
		spec := object.union(everywhere({"securityContext": context}), {"securityContext": context})
		denied(spec, {"level": "restricted"}) == set()
	}
}

test_what_is_no_number_is_not_another_user if {
	every value in ["0", "1000", true] {
		found := denied(everywhere({"securityContext": {"runAsUser": value}}), {"level": "restricted"})
		count(found) == 3
	}
}

test_the_check_begins_with_version_1_23 if {
	denied(bad, {"level": "restricted", "version": "v1.22"}) == set()
	count(denied(bad, {"level": "restricted", "version": "v1.23"})) == 1
	denied(bad, {"level": "baseline"}) == set()
}

test_from_version_1_35_on_pods_in_a_user_namespace_pass if {
	apart := object.union(bad, {"hostUsers": false})
	count(denied(apart, {"level": "restricted", "version": "v1.34"})) == 1
	denied(apart, {"level": "restricted", "version": "v1.35"}) == set()
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
	count(run_as_user.deny) == 1 with input as request
	count(run_as_user.warn) == 1 with input as request
	count(run_as_user.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	run_as_user.deny == set() with input as workload
	run_as_user.warn == {finding |
		some denial in run_as_user.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	run_as_user.audit == run_as_user.warn with input as workload
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
	run_as_user.deny == set() with input as request
	run_as_user.warn == set() with input as request
	run_as_user.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := run_as_user.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}

test_a_container_must_run_as_somebody_else if {
	found := denied({"containers": [{"name": "web", "securityContext": {"runAsUser": 0}}]}, {"level": "restricted"})
	{finding.expected | some finding in found} == {"above 0 or unset"}
}
