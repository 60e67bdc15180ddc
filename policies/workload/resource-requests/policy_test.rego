package workload.resource_requests_test

import data.workload.resource_requests

pod(spec) := {"review": {"object": {"spec": spec}}}

app(resources) := pod({"containers": [{"name": "app", "resources": resources}]})

missing_cpu := {
	"rule": "missing-cpu-request",
	"path": "/spec/containers/0/resources/requests/cpu",
	"expected": "a positive quantity, such as 250m",
}

missing_memory := {
	"rule": "missing-memory-request",
	"path": "/spec/containers/0/resources/requests/memory",
	"expected": "a positive quantity, such as 256Mi",
}

default_cpu(value) := {"path": "/spec/containers/0/resources/requests/cpu", "value": value}

default_memory(value) := {"path": "/spec/containers/0/resources/requests/memory", "value": value}

test_a_container_that_requests_both_passes_and_is_left_alone if {
	review := app({"requests": {"cpu": "1", "memory": "1Gi"}})
	resource_requests.deny == set() with input as review
	resource_requests.defaults == set() with input as review
}

test_absent_resources_are_denied_for_both_and_filled_in if {
	review := pod({"containers": [{"name": "app"}]})
	resource_requests.deny == {missing_cpu, missing_memory} with input as review
	resource_requests.defaults == {default_cpu("250m"), default_memory("256Mi")} with input as review
}

test_null_resources_are_absent_resources if {
	resource_requests.deny == {missing_cpu, missing_memory} with input as app(null)
	resource_requests.deny == {missing_cpu, missing_memory} with input as app({"requests": null})
}

test_only_what_is_missing_is_filled_in if {
	review := app({"requests": {"cpu": "1"}})
	resource_requests.deny == {missing_memory} with input as review
	resource_requests.defaults == {default_memory("256Mi")} with input as review
}

test_a_lower_limit_is_the_request if {
	review := app({"limits": {"memory": "64Mi"}})
	resource_requests.defaults == {default_cpu("250m"), default_memory("64Mi")} with input as review
}

test_a_higher_limit_is_the_request_too_as_the_api_server_has_it if {
	review := app({"limits": {"memory": "1Gi", "cpu": 2}})
	resource_requests.defaults == {default_cpu(2), default_memory("1Gi")} with input as review
}

test_a_null_limit_is_no_request if {
	review := app({"limits": {"memory": null, "cpu": null}})
	resource_requests.defaults == {default_cpu("250m"), default_memory("256Mi")} with input as review
}

test_requesting_nothing_is_denied_and_shown_but_not_overwritten if {
	review := app({"requests": {"cpu": "0", "memory": "1Gi"}})
	resource_requests.deny == {object.union(missing_cpu, {"found": "0"})} with input as review
	resource_requests.defaults == set() with input as review
}

test_what_is_no_quantity_is_denied_and_shown if {
	review := app({"requests": {"cpu": "1", "memory": "lots"}})
	resource_requests.deny == {object.union(missing_memory, {"found": "lots"})} with input as review
}

test_init_containers_are_judged_and_debug_containers_are_not if {
	review := pod({"initContainers": [{"name": "init"}], "ephemeralContainers": [{"name": "debug"}]})
	result := resource_requests.deny with input as review
	{entry.path | some entry in result} == {
		"/spec/initContainers/0/resources/requests/cpu",
		"/spec/initContainers/0/resources/requests/memory",
	}
	filled := resource_requests.defaults with input as review
	filled == {
		{"path": "/spec/initContainers/0/resources/requests/cpu", "value": "250m"},
		{"path": "/spec/initContainers/0/resources/requests/memory", "value": "256Mi"},
	}
}

test_what_the_pod_requests_its_containers_need_not if {
	review := pod({"resources": {"requests": {"memory": "1Gi"}}, "containers": [{"name": "app"}]})
	resource_requests.deny == {missing_cpu} with input as review
	resource_requests.defaults == {default_cpu("250m")} with input as review
}

test_a_limit_of_the_pod_is_its_request if {
	review := pod({"resources": {"limits": {"memory": "1Gi", "cpu": "1"}}, "containers": [{"name": "app"}]})
	resource_requests.deny == set() with input as review
	resource_requests.defaults == set() with input as review
}

test_the_amounts_are_parameters if {
	result := resource_requests.defaults with input as app({})
		with input.parameters as {"cpu": "100m", "memory": "64Mi"}
	result == {default_cpu("100m"), default_memory("64Mi")}
}

test_the_required_resources_are_a_parameter if {
	result := resource_requests.deny with input as app({})
		with input.parameters as {"required": ["ephemeral-storage"]}
	result == {{
		"rule": "missing-ephemeral-storage-request",
		"path": "/spec/containers/0/resources/requests/ephemeral-storage",
		"expected": "a positive quantity",
	}}
	filled := resource_requests.defaults with input as app({})
		with input.parameters as {"required": ["ephemeral-storage"]}
	filled == set()
}

# equivalent:
#   line: 'usual[resource]'
#   becomes: 'true'
#   because: what is put into the text is not there either, so the `else` holds
#   shownBy: test_a_container_that_requests_both_passes_and_is_left_alone
