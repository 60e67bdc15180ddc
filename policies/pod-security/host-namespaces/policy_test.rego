package pod_security.host_namespaces_test

import data.pod_security.host_namespaces

# A Pod that breaks the rule.
bad := {"hostNetwork": true, "hostPID": true, "hostIPC": true, "containers": [{"name": "web"}]}

test_each_host_namespace_is_refused_in_upstreams_words if {
	denied(bad, {"level": "baseline", "version": "v1.0"}) == {finding |
		some name in ["hostNetwork", "hostPID", "hostIPC"]
		finding := {
			"rule": "hostNamespaces",
			"path": sprintf("/spec/%s", [name]),
			"found": true,
			"expected": "false or unset",
			"msg": sprintf("violates PodSecurity \"baseline:v1.0\": host namespaces (%s=true)", [name]),
		}
	}
}

test_absent_null_and_false_pass if {
	denied({"containers": []}, {"level": "baseline"}) == set()
	denied({"hostNetwork": false, "hostPID": null}, {"level": "baseline"}) == set()
}

test_restricted_has_the_check_too if {
	places(denied({"hostPID": true}, {"level": "restricted"})) == {["/spec/hostPID", true]}
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
	count(host_namespaces.deny) == 3 with input as request
	count(host_namespaces.warn) == 3 with input as request
	count(host_namespaces.audit) == 3 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	host_namespaces.deny == set() with input as workload
	host_namespaces.warn == {finding |
		some denial in host_namespaces.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	host_namespaces.audit == host_namespaces.warn with input as workload
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
	host_namespaces.deny == set() with input as request
	host_namespaces.warn == set() with input as request
	host_namespaces.audit == set() with input as request
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := host_namespaces.deny with input as {
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
#   shownBy: test_each_host_namespace_is_refused_in_upstreams_words
