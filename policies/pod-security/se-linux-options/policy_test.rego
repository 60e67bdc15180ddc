package pod_security.se_linux_options_test

import data.pod_security.se_linux_options

# A Pod that breaks the rule.
bad := {"containers": [{"name": "web", "securityContext": {"seLinuxOptions": {"type": "spc_t"}}}]}

test_a_foreign_type_is_refused_in_upstreams_words if {
	denied(bad, {"level": "baseline", "version": "v1.30"}) == {{
		"rule": "seLinuxOptions",
		"path": "/spec/containers/0/securityContext/seLinuxOptions/type",
		"found": "spc_t",
		"expected": "one of container_init_t, container_kvm_t, container_t, or unset",
		"msg": concat("", [
			"violates PodSecurity \"baseline:v1.30\": seLinuxOptions ",
			"(container \"web\" set forbidden securityContext.seLinuxOptions: type \"spc_t\")",
		]),
	}}
}

test_user_and_role_are_refused_on_the_pod if {
	spec := {"securityContext": {"seLinuxOptions": {"type": "container_t", "user": "u", "role": "r"}}}
	found := denied(spec, {"level": "restricted"})
	places(found) == {
		["/spec/securityContext/seLinuxOptions/user", "u"],
		["/spec/securityContext/seLinuxOptions/role", "r"],
	}
	{finding.msg | some finding in found} == {
		concat("", [
			"violates PodSecurity \"restricted:latest\": seLinuxOptions ",
			"(pod set forbidden securityContext.seLinuxOptions: user may not be set)",
		]),
		concat("", [
			"violates PodSecurity \"restricted:latest\": seLinuxOptions ",
			"(pod set forbidden securityContext.seLinuxOptions: role may not be set)",
		]),
	}
}

test_containers_of_every_list_are_judged if {
	count(denied(everywhere({"securityContext": {"seLinuxOptions": {"user": "u"}}}), {"level": "baseline"})) == 3
}

test_absent_null_empty_and_container_types_pass if {
	denied(everywhere({}), {"level": "baseline"}) == set()
	every options in [
		null,
		{},
		{"level": "s0:c1,c2"},
		{"type": "", "user": "", "role": null},
		{"type": null},
		{"type": "container_t"},
		{"type": "container_init_t"},
		{"type": "container_kvm_t"},
	] {
		context := {"securityContext": {"seLinuxOptions": options}}
		denied(object.union(everywhere(context), context), {"level": "baseline", "version": "v1.0"}) == set()
	}
}

test_the_engine_type_is_allowed_from_version_1_31_on if {
	spec := {"securityContext": {"seLinuxOptions": {"type": "container_engine_t"}}}
	count(denied(spec, {"level": "baseline", "version": "v1.30"})) == 1
	denied(spec, {"level": "baseline", "version": "v1.31"}) == set()
	some finding in denied(bad, {"level": "baseline", "version": "v1.31"})
	finding.expected == "one of container_engine_t, container_init_t, container_kvm_t, container_t, or unset"
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
	count(se_linux_options.deny) == 1 with input as request
	count(se_linux_options.warn) == 1 with input as request
	count(se_linux_options.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	se_linux_options.deny == set() with input as workload
	se_linux_options.warn == {finding |
		some denial in se_linux_options.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	se_linux_options.audit == se_linux_options.warn with input as workload
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
	se_linux_options.deny == set() with input as request
	se_linux_options.warn == set() with input as request
	se_linux_options.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := se_linux_options.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}

test_a_user_must_be_unset if {
	found := denied({"securityContext": {"seLinuxOptions": {"user": "u"}}}, {"level": "baseline"})
	{finding.expected | some finding in found} == {"unset"}
}

# equivalent:
#   line: '"since": 0,'
#   becomes: '"since": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_a_foreign_type_is_refused_in_upstreams_words
# equivalent:
#   line: '"": 0,'
#   becomes: '"": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_a_foreign_type_is_refused_in_upstreams_words
# equivalent:
#   line: '"container_t": 0,'
#   becomes: '"container_t": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_a_foreign_type_is_refused_in_upstreams_words
# equivalent:
#   line: '"container_init_t": 0,'
#   becomes: '"container_init_t": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_a_foreign_type_is_refused_in_upstreams_words
# equivalent:
#   line: '"container_kvm_t": 0,'
#   becomes: '"container_kvm_t": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_a_foreign_type_is_refused_in_upstreams_words
