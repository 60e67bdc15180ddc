package workload.resource_limits_test

import data.workload.resource_limits

pod(spec) := {"review": {"object": {"spec": spec}}}

app(limits) := pod({"containers": [{"name": "app", "resources": {"limits": limits}}]})

missing_memory := {
	"rule": "missing-memory-limit",
	"path": "/spec/containers/0/resources/limits/memory",
	"expected": "a positive quantity",
}

test_a_memory_limit_passes if resource_limits.deny == set() with input as app({"memory": "1Gi"})

test_absent_limits_are_denied if {
	resource_limits.deny == {missing_memory} with input as pod({"containers": [{"name": "app"}]})
	resource_limits.deny == {missing_memory} with input as app(null)
}

test_a_limit_of_nothing_is_denied_and_shown if {
	resource_limits.deny == {object.union(missing_memory, {"found": "0"})} with input as app({"memory": "0"})
}

test_what_is_no_quantity_is_denied_and_shown if {
	expected := {object.union(missing_memory, {"found": "much"})}
	resource_limits.deny == expected with input as app({"memory": "much"})
}

test_a_cpu_limit_is_asked_for_on_demand if {
	review := app({"memory": "1Gi"})
	resource_limits.deny == set() with input as review
	result := resource_limits.deny with input as review
		with input.parameters.required as ["cpu", "memory"]
	result == {{
		"rule": "missing-cpu-limit",
		"path": "/spec/containers/0/resources/limits/cpu",
		"expected": "a positive quantity",
	}}
}

test_init_containers_are_judged_and_debug_containers_are_not if {
	result := resource_limits.deny with input as pod({
		"initContainers": [{"name": "init"}],
		"ephemeralContainers": [{"name": "debug"}],
	})
	{entry.path | some entry in result} == {"/spec/initContainers/0/resources/limits/memory"}
}

test_a_limit_of_the_pod_is_enough if {
	review := pod({"resources": {"limits": {"memory": "1Gi"}}, "containers": [{"name": "app"}]})
	resource_limits.deny == set() with input as review
}

test_a_limit_at_the_maximum_passes_however_it_is_written if {
	every limit in ["1Gi", "1024Mi", "1073741824", "1073741824000m"] {
		result := resource_limits.deny with input as app({"memory": limit})
			with input.parameters.maximum as {"memory": "1Gi"}
		result == set()
	}
}

test_one_byte_above_the_maximum_is_denied if {
	result := resource_limits.deny with input as app({"memory": "1073741825"})
		with input.parameters.maximum as {"memory": "1Gi"}
	result == {{
		"rule": "memory-limit-above-maximum",
		"path": "/spec/containers/0/resources/limits/memory",
		"found": "1073741825",
		"expected": "at most 1Gi",
	}}
}

test_a_resource_with_a_maximum_must_be_limited if {
	result := resource_limits.deny with input as app({"memory": "1Gi"})
		with input.parameters.maximum as {"cpu": "2"}
	result == {{
		"rule": "missing-cpu-limit",
		"path": "/spec/containers/0/resources/limits/cpu",
		"expected": "a positive quantity of at most 2",
	}}
}

test_a_limit_of_the_pod_above_the_maximum_is_denied if {
	review := pod({"resources": {"limits": {"memory": "2Gi"}}, "containers": [{"name": "app"}]})
	result := resource_limits.deny with input as review
		with input.parameters.maximum as {"memory": "1Gi"}
	result == {{
		"rule": "memory-limit-above-maximum",
		"path": "/spec/resources/limits/memory",
		"found": "2Gi",
		"expected": "at most 1Gi",
	}}
}

test_a_maximum_that_cannot_be_read_lets_nothing_pass if {
	result := resource_limits.deny with input as app({"memory": "1Gi"})
		with input.parameters.maximum as {"memory": "1.2.3"}
	{entry.rule | some entry in result} == {"memory-limit-above-maximum"}
}

test_what_is_no_limit_is_not_above_the_maximum_too if {
	rules_within_1gi(app({"memory": "much"})) == {"missing-memory-limit"}
	whole := {"resources": {"limits": {"memory": "much"}}, "containers": []}
	rules_within_1gi(pod(whole)) == set()
}

test_a_pods_limit_within_the_maximum_passes if {
	spec := {"resources": {"limits": {"memory": "512Mi"}}, "containers": []}
	rules_within_1gi(pod(spec)) == set()
}

rules_within_1gi(review) := {entry.rule | some entry in result} if {
	result := resource_limits.deny with input as review
		with input.parameters.maximum as {"memory": "1Gi"}
}

# equivalent:
#   line: 'maximum[resource]'
#   becomes: 'true'
#   because: what is put into the text is not there either, so the `else` holds
#   shownBy: test_absent_limits_are_denied
