package golden_path.secure_defaults_test

import data.golden_path.secure_defaults

defaults_of(spec) := result if {
	result := secure_defaults.defaults with input as {"review": {"object": {"spec": spec}}}
}

run_as_non_root := {"path": "/spec/securityContext/runAsNonRoot", "value": true}

seccomp := {"path": "/spec/securityContext/seccompProfile", "value": {"type": "RuntimeDefault"}}

no_escalation := {"path": "/spec/containers/0/securityContext/allowPrivilegeEscalation", "value": false}

drop_all := {"path": "/spec/containers/0/securityContext/capabilities/drop", "value": ["ALL"]}

everything := {run_as_non_root, seccomp, no_escalation, drop_all}

app(context) := {"containers": [{"name": "app", "securityContext": context}]}

test_a_pod_that_says_nothing_gets_everything if defaults_of({"containers": [{"name": "app"}]}) == everything

test_null_security_contexts_say_nothing if {
	spec := {"securityContext": null, "containers": [{"name": "app", "securityContext": null}]}
	defaults_of(spec) == everything
}

test_init_containers_get_the_same_and_debug_containers_nothing if {
	spec := {"initContainers": [{"name": "init"}], "ephemeralContainers": [{"name": "debug"}]}
	defaults_of(spec) == {
		run_as_non_root,
		seccomp,
		{"path": "/spec/initContainers/0/securityContext/allowPrivilegeEscalation", "value": false},
		{"path": "/spec/initContainers/0/securityContext/capabilities/drop", "value": ["ALL"]},
	}
}

test_what_was_filled_in_is_filled_in_once if {
	context := {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}
	pod_context := {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}
	defaults_of(object.union(app(context), {"securityContext": pod_context})) == set()
}

test_what_the_author_says_stays if {
	context := {"allowPrivilegeEscalation": true, "capabilities": {"drop": ["NET_RAW"]}}
	pod_context := {"runAsNonRoot": false, "seccompProfile": {"type": "Unconfined"}}
	defaults_of(object.union(app(context), {"securityContext": pod_context})) == set()
}

test_an_empty_list_of_dropped_capabilities_stays if {
	defaults_of(app({"capabilities": {"drop": []}})) == everything - {drop_all}
}

test_added_capabilities_stay_beside_the_dropped if {
	defaults_of(app({"capabilities": {"add": ["NET_BIND_SERVICE"]}})) == everything
}

test_a_privileged_container_keeps_its_escalation_capabilities_and_root if {
	defaults_of(app({"privileged": true})) == {seccomp}
}

test_a_container_that_is_not_privileged_gets_everything if {
	defaults_of(app({"privileged": false})) == everything
}

test_sys_admin_keeps_its_escalation if {
	defaults_of(app({"capabilities": {"add": ["SYS_ADMIN"]}})) == everything - {no_escalation}
	defaults_of(app({"capabilities": {"add": ["CAP_SYS_ADMIN"]}})) == everything - {no_escalation}
}

test_all_capabilities_stay if {
	every name in ["ALL", "CAP_ALL"] {
		defaults_of(app({"capabilities": {"add": [name]}})) == everything - {no_escalation, drop_all}
	}
}

test_a_root_container_keeps_root if defaults_of(app({"runAsUser": 0})) == everything - {run_as_non_root}

test_a_root_container_that_says_so_leaves_the_pod_to_the_others if {
	defaults_of(app({"runAsUser": 0, "runAsNonRoot": false})) == everything
}

test_a_root_pod_keeps_root if {
	spec := object.union(app({}), {"securityContext": {"runAsUser": 0}})
	defaults_of(spec) == everything - {run_as_non_root}
}

test_another_user_does_not_matter if defaults_of(app({"runAsUser": 1000})) == everything

test_windows_pods_get_nothing if {
	defaults_of(object.union(app({}), {"os": {"name": "windows"}})) == set()
	defaults_of(object.union(app({}), {"nodeSelector": {"kubernetes.io/os": "windows"}})) == set()
	defaults_of(object.union(app({}), {"securityContext": {"windowsOptions": {}}})) == set()
	defaults_of(app({"windowsOptions": {"hostProcess": true}})) == set()
}

test_linux_pods_get_everything if defaults_of(object.union(app({}), {"os": {"name": "linux"}})) == everything

test_pods_that_share_the_node_get_nothing if {
	every field in ["hostNetwork", "hostPID", "hostIPC"] {
		defaults_of(object.union(app({}), {field: true})) == set()
	}
}

test_each_default_has_a_switch if {
	switches := {
		"runAsNonRoot": run_as_non_root,
		"seccompProfile": seccomp,
		"noPrivilegeEscalation": no_escalation,
		"dropCapabilities": drop_all,
	}
	every switch, entry in switches {
		result := secure_defaults.defaults with input as {
			"review": {"object": {"spec": app({})}},
			"parameters": {switch: false},
		}
		result == everything - {entry}
	}
}

test_the_token_is_withheld_only_on_demand if {
	token := {"path": "/spec/automountServiceAccountToken", "value": false}
	on_demand := secure_defaults.defaults with input as {
		"review": {"object": {"spec": app({})}},
		"parameters": {"withholdServiceAccountToken": true},
	}
	on_demand == everything | {token}
	said := secure_defaults.defaults with input as {
		"review": {"object": {"spec": object.union(app({}), {"automountServiceAccountToken": true})}},
		"parameters": {"withholdServiceAccountToken": true},
	}
	said == everything
}
