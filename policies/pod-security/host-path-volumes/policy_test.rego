package pod_security.host_path_volumes_test

import data.pod_security.host_path_volumes

# A Pod that breaks the rule.
bad := {"volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "root", "hostPath": {"path": "/"}}]}

test_a_host_path_volume_is_refused_in_upstreams_words if {
	denied(bad, {"level": "baseline"}) == {{
		"rule": "hostPathVolumes",
		"path": "/spec/volumes/1/hostPath",
		"found": {"path": "/"},
		"expected": "unset",
		"msg": "violates PodSecurity \"baseline:latest\": hostPath volumes (volume \"root\")",
	}}
}

test_absent_and_null_pass if {
	denied({}, {"level": "baseline"}) == set()
	denied({"volumes": null}, {"level": "baseline"}) == set()
	denied({"volumes": [{"name": "tmp", "hostPath": null}]}, {"level": "baseline"}) == set()
}

test_an_empty_or_nameless_host_path_is_refused if {
	places(denied({"volumes": [{"hostPath": {}}]}, {"level": "baseline"})) == {["/spec/volumes/0/hostPath", {}]}
}

test_in_restricted_the_check_of_volume_types_takes_its_place if {
	denied(bad, {"level": "restricted", "version": "v1.0"}) == set()
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
	count(host_path_volumes.deny) == 1 with input as request
	count(host_path_volumes.warn) == 1 with input as request
	count(host_path_volumes.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	host_path_volumes.deny == set() with input as workload
	host_path_volumes.warn == {finding |
		some denial in host_path_volumes.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	host_path_volumes.audit == host_path_volumes.warn with input as workload
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
	host_path_volumes.deny == set() with input as request
	host_path_volumes.warn == set() with input as request
	host_path_volumes.audit == set() with input as request
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := host_path_volumes.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}

test_a_volume_without_a_name_has_none if {
	found := denied({"volumes": [{"hostPath": {"path": "/"}}]}, {"level": "baseline"})
	{contains(finding.msg, "volume \"\"") | some finding in found} == {true}
}

# equivalent:
#   line: '"since": 0,'
#   becomes: '"since": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_a_host_path_volume_is_refused_in_upstreams_words
# equivalent:
#   line: '"overridden_since": 0,'
#   becomes: '"overridden_since": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_a_host_path_volume_is_refused_in_upstreams_words
