package pod_security.privileged_test

import data.pod_security.privileged

# A Pod that breaks the rule.
bad := {"containers": [{"name": "web", "securityContext": {"privileged": true}}]}

test_a_privileged_container_is_refused_in_upstreams_words if {
	denied(bad, {"level": "baseline"}) == {{
		"rule": "privileged",
		"path": "/spec/containers/0/securityContext/privileged",
		"found": true,
		"expected": "false or unset",
		"msg": concat("", [
			"violates PodSecurity \"baseline:latest\": privileged ",
			"(container \"web\" must not set securityContext.privileged=true)",
		]),
	}}
}

test_containers_of_every_list_are_judged if {
	places(denied(everywhere({"securityContext": {"privileged": true}}), {"level": "baseline"})) == {
		["/spec/initContainers/0/securityContext/privileged", true],
		["/spec/containers/0/securityContext/privileged", true],
		["/spec/ephemeralContainers/0/securityContext/privileged", true],
	}
}

test_absent_null_and_false_pass if {
	every context in [null, {}, {"privileged": null}, {"privileged": false}] {
		denied(everywhere({"securityContext": context}), {"level": "baseline"}) == set()
	}
	denied(everywhere({}), {"level": "baseline"}) == set()
}

test_anything_else_than_false_is_refused if {
	count(denied({"containers": [{"securityContext": {"privileged": "false"}}]}, {"level": "baseline"})) == 1
}

test_every_version_of_baseline_and_restricted_has_the_check if {
	every level in ["baseline", "restricted"] {
		every version in ["v1.0", "v1.22", "v1.37", "v1.99", "latest"] {
			count(denied(bad, {"level": level, "version": version})) == 1
		}
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
	count(privileged.deny) == 1 with input as request
	count(privileged.warn) == 1 with input as request
	count(privileged.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	privileged.deny == set() with input as workload
	privileged.warn == {finding |
		some denial in privileged.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	privileged.audit == privileged.warn with input as workload
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
	privileged.deny == set() with input as request
	privileged.warn == set() with input as request
	privileged.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := privileged.deny with input as {
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
#   shownBy: test_a_privileged_container_is_refused_in_upstreams_words
