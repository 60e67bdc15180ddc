package pod_security.host_ports_test

import data.pod_security.host_ports

# A Pod that breaks the rule.
bad := {"containers": [{"name": "web", "ports": [{"containerPort": 80, "hostPort": 8080}]}]}

test_a_host_port_is_refused_in_upstreams_words if {
	denied(bad, {"level": "baseline"}) == {{
		"rule": "hostPorts",
		"path": "/spec/containers/0/ports/0/hostPort",
		"found": 8080,
		"expected": "0 or unset",
		"msg": "violates PodSecurity \"baseline:latest\": hostPort (container \"web\" uses hostPort 8080)",
	}}
}

test_every_port_of_every_container_is_judged if {
	spec := {"containers": [
		{"name": "a", "ports": [{"hostPort": 1}, {"hostPort": 2}]},
		{"name": "b", "ports": [{"hostPort": 3}, {"hostPort": 4}]},
	]}
	places(denied(spec, {"level": "baseline"})) == {
		["/spec/containers/0/ports/0/hostPort", 1],
		["/spec/containers/0/ports/1/hostPort", 2],
		["/spec/containers/1/ports/0/hostPort", 3],
		["/spec/containers/1/ports/1/hostPort", 4],
	}
}

test_ports_of_every_list_are_judged if {
	ports := {"ports": [{"containerPort": 1}, {"hostPort": 2}, {"hostPort": 3}]}
	places(denied(everywhere(ports), {"level": "restricted"})) == {[path, port] |
		some list in ["initContainers", "containers", "ephemeralContainers"]
		some port in [2, 3]
		path := sprintf("/spec/%s/0/ports/%d/hostPort", [list, port - 1])
	}
}

test_absent_null_and_zero_pass if {
	ports := [{"containerPort": 80}, {"hostPort": null}, {"hostPort": 0}]
	every container in [{}, {"ports": null}, {"ports": []}, {"ports": ports}] {
		denied(everywhere(container), {"level": "baseline"}) == set()
	}
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
	count(host_ports.deny) == 1 with input as request
	count(host_ports.warn) == 1 with input as request
	count(host_ports.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	host_ports.deny == set() with input as workload
	host_ports.warn == {finding |
		some denial in host_ports.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	host_ports.audit == host_ports.warn with input as workload
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
	host_ports.deny == set() with input as request
	host_ports.warn == set() with input as request
	host_ports.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := host_ports.deny with input as {
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
#   shownBy: test_a_host_port_is_refused_in_upstreams_words
