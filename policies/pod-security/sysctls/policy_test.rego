package pod_security.sysctls_test

import data.pod_security.sysctls

# A Pod that breaks the rule.
bad := {"securityContext": {"sysctls": [
	{"name": "kernel.shm_rmid_forced", "value": "1"},
	{"name": "kernel.msgmax", "value": "1"},
]}}

test_an_unsafe_sysctl_is_refused_in_upstreams_words if {
	denied(bad, {"level": "baseline", "version": "v1.26"}) == {{
		"rule": "sysctls",
		"path": "/spec/securityContext/sysctls/1/name",
		"found": "kernel.msgmax",
		"expected": concat("", [
			"one of kernel.shm_rmid_forced, net.ipv4.ip_local_port_range, ",
			"net.ipv4.ip_unprivileged_port_start, net.ipv4.ping_group_range, net.ipv4.tcp_syncookies",
		]),
		"msg": "violates PodSecurity \"baseline:v1.26\": forbidden sysctls (kernel.msgmax)",
	}}
}

test_a_sysctl_without_a_name_is_refused if {
	spec := {"securityContext": {"sysctls": [{"value": "1"}]}}
	places(denied(spec, {"level": "restricted"})) == {["/spec/securityContext/sysctls/0/name", "absent"]}
}

test_absent_null_and_empty_lists_pass if {
	every context in [null, {}, {"sysctls": null}, {"sysctls": []}] {
		denied({"securityContext": context}, {"level": "baseline"}) == set()
	}
	denied({}, {"level": "baseline"}) == set()
}

test_the_first_version_allows_some if {
	every name in [
		"kernel.shm_rmid_forced",
		"net.ipv4.ip_local_port_range",
		"net.ipv4.ip_unprivileged_port_start",
		"net.ipv4.ping_group_range",
		"net.ipv4.tcp_syncookies",
	] {
		spec := {"securityContext": {"sysctls": [{"name": name}]}}
		denied(spec, {"level": "baseline", "version": "v1.0"}) == set()
	}
}

test_a_finding_offers_what_its_version_allows if {
	some finding in denied(bad, {"level": "baseline", "version": "v1.27"})
	contains(finding.expected, "net.ipv4.ip_local_reserved_ports")
	expected := finding.expected
	not contains(expected, "net.ipv4.tcp_keepalive_time")
}

test_later_versions_allow_more if {
	begins := {
		"net.ipv4.ip_local_reserved_ports": 27,
		"net.ipv4.tcp_keepalive_time": 29,
		"net.ipv4.tcp_fin_timeout": 29,
		"net.ipv4.tcp_keepalive_intvl": 29,
		"net.ipv4.tcp_keepalive_probes": 29,
		"net.ipv4.tcp_rmem": 32,
		"net.ipv4.tcp_wmem": 32,
		"net.ipv4.tcp_slow_start_after_idle": 37,
		"net.ipv4.tcp_notsent_lowat": 37,
	}
	every name, since in begins {
		spec := {"securityContext": {"sysctls": [{"name": name}]}}
		before := sprintf("v1.%d", [since - 1])
		count(denied(spec, {"level": "baseline", "version": before})) == 1
		denied(spec, {"level": "baseline", "version": sprintf("v1.%d", [since])}) == set()
		denied(spec, {"level": "baseline", "version": "latest"}) == set()
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
	count(sysctls.deny) == 1 with input as request
	count(sysctls.warn) == 1 with input as request
	count(sysctls.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	sysctls.deny == set() with input as workload
	sysctls.warn == {finding |
		some denial in sysctls.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	sysctls.audit == sysctls.warn with input as workload
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
	sysctls.deny == set() with input as request
	sysctls.warn == set() with input as request
	sysctls.audit == set() with input as request
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := sysctls.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}

test_a_sysctl_without_a_name_has_none if {
	found := denied({"securityContext": {"sysctls": [{"value": "1"}]}}, {"level": "baseline"})
	{endswith(finding.msg, "()") | some finding in found} == {true}
}

# equivalent:
#   line: '"since": 0,'
#   becomes: '"since": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_an_unsafe_sysctl_is_refused_in_upstreams_words
# equivalent:
#   line: '"kernel.shm_rmid_forced": 0,'
#   becomes: '"kernel.shm_rmid_forced": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_an_unsafe_sysctl_is_refused_in_upstreams_words
# equivalent:
#   line: '"net.ipv4.ip_local_port_range": 0,'
#   becomes: '"net.ipv4.ip_local_port_range": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_an_unsafe_sysctl_is_refused_in_upstreams_words
# equivalent:
#   line: '"net.ipv4.ip_unprivileged_port_start": 0,'
#   becomes: '"net.ipv4.ip_unprivileged_port_start": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_an_unsafe_sysctl_is_refused_in_upstreams_words
# equivalent:
#   line: '"net.ipv4.ping_group_range": 0,'
#   becomes: '"net.ipv4.ping_group_range": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_an_unsafe_sysctl_is_refused_in_upstreams_words
# equivalent:
#   line: '"net.ipv4.tcp_syncookies": 0,'
#   becomes: '"net.ipv4.tcp_syncookies": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_an_unsafe_sysctl_is_refused_in_upstreams_words
