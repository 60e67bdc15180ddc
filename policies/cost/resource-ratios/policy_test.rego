package cost.resource_ratios_test

import data.cost.resource_ratios

pod(resources) := {"review": {"object": {"spec": {"containers": [{
	"name": "app",
	"resources": resources,
}]}}}}

memory(request, limit) := pod({"requests": {"memory": request}, "limits": {"memory": limit}})

too_much(expected) := {
	"rule": "memory-ratio",
	"path": "/spec/containers/0/resources/limits/memory",
	"expected": expected,
}

test_a_limit_of_twice_the_request_passes_however_it_is_written if {
	every limit in ["256Mi", "512Mi", "536870912"] {
		resource_ratios.deny == set() with input as memory("256Mi", limit)
	}
}

test_one_byte_more_is_denied if {
	expected := object.union(too_much("at most 2 times the request, which is 256Mi"), {"found": "536870913"})
	resource_ratios.deny == {expected} with input as memory("256Mi", "536870913")
}

test_without_a_limit_there_is_no_end if {
	asked := too_much("at most 2 times the request, which is 1Gi")
	resource_ratios.deny == {asked} with input as pod({"requests": {"memory": "1Gi"}})
	resource_ratios.deny == {too_much("at most 2 times the request")} with input as pod({})
	resource_ratios.deny == {too_much("at most 2 times the request")} with input as pod(null)
	nothing := object.union(too_much("at most 2 times the request"), {"found": "0"})
	resource_ratios.deny == {nothing} with input as pod({"limits": {"memory": "0"}})
	given := memory(null, "0")
	resource_ratios.deny == {nothing} with input as given
	unread := object.union(asked, {"found": "0"})
	resource_ratios.deny == {unread} with input as memory("1Gi", "0")
}

test_an_absent_request_is_the_limit if {
	resource_ratios.deny == set() with input as pod({"limits": {"memory": "8Gi"}})
	resource_ratios.deny == set() with input as memory(null, "8Gi")
}

test_a_request_of_nothing_or_of_nonsense_is_no_measure if {
	every request in ["0", "much"] {
		asked := too_much(sprintf("at most 2 times the request, which is %s", [request]))
		resource_ratios.deny == {object.union(asked, {"found": "8Gi"})} with input as memory(request, "8Gi")
	}
}

with_parameters(review, parameters) := result if {
	result := resource_ratios.deny with input as review
		with input.parameters as parameters
}

test_the_ratios_are_a_parameter if {
	review := pod({"requests": {"cpu": "1"}, "limits": {"cpu": "2500m"}})
	with_parameters(review, {"ratios": {"cpu": 2.5}}) == set()
	with_parameters(review, {"ratios": {"cpu": 2}}) == {{
		"rule": "cpu-ratio",
		"path": "/spec/containers/0/resources/limits/cpu",
		"found": "2500m",
		"expected": "at most 2 times the request, which is 1",
	}}
	with_parameters(memory("1Gi", "1Gi"), {"ratios": {"memory": 1}}) == set()
}

test_paths_of_extended_resources_are_escaped if {
	review := pod({"requests": {"example.com/disk": "1"}, "limits": {"example.com/disk": "3"}})
	result := with_parameters(review, {"ratios": {"example.com/disk": 1}, "withoutLimit": ["example.com/disk"]})
	{entry.path | some entry in result} == {"/spec/containers/0/resources/limits/example.com~1disk"}
	{entry.rule | some entry in result} == {"example.com/disk-ratio", "example.com/disk-limit-forbidden"}
}

of_pod(resources, container) := {"review": {"object": {"spec": {
	"resources": resources,
	"initContainers": [{"name": "init", "resources": container}],
}}}}

test_a_limit_of_the_pod_is_enough if {
	whole := {"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}}
	resource_ratios.deny == set() with input as of_pod(whole, {})
	own := {"requests": {"memory": "1Gi"}, "limits": {"memory": "3Gi"}}
	result := resource_ratios.deny with input as of_pod(whole, own)
	{entry.path | some entry in result} == {"/spec/initContainers/0/resources/limits/memory"}
}

test_a_limit_of_the_pod_is_in_proportion_too if {
	whole := {"requests": {"memory": "1Gi"}, "limits": {"memory": "3Gi"}}
	result := resource_ratios.deny with input as of_pod(whole, {})
	{entry.path | some entry in result} == {"/spec/resources/limits/memory"}
}

test_limits_may_be_forbidden if {
	review := pod({"limits": {"cpu": "2", "memory": "1Gi"}})
	resource_ratios.deny == set() with input as review
	with_parameters(review, {"withoutLimit": ["cpu"]}) == {{
		"rule": "cpu-limit-forbidden",
		"path": "/spec/containers/0/resources/limits/cpu",
		"found": "2",
		"expected": "left out",
		"remedy": "Leave out the limit, and request what the container uses.",
	}}
	with_parameters(pod({"limits": {"cpu": null, "memory": "1Gi"}}), {"withoutLimit": ["cpu"]}) == set()
}

not_guaranteed(resource, expected) := {
	"rule": "not-guaranteed",
	"path": sprintf("/spec/containers/0/resources/limits/%s", [resource]),
	"expected": expected,
	"remedy": "Set the limit of every container to its request, for cpu and memory.",
}

guaranteed := {"qos": "Guaranteed", "ratios": {}}

test_guaranteed_pods_have_equal_limits if {
	even := {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1000m", "memory": "1024Mi"}}
	with_parameters(pod(even), guaranteed) == set()
	with_parameters(pod({"limits": {"cpu": "1", "memory": "1Gi"}}), guaranteed) == set()
	with_parameters(pod({"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}), guaranteed) == {
		object.union(not_guaranteed("cpu", "set, and equal to the request, which is 1"), {"found": "2"}),
		not_guaranteed("memory", "set, and equal to the request"),
	}
	with_parameters(pod({"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}), {"ratios": {}}) == set()
}

best_effort := {
	"rule": "best-effort",
	"path": "/spec/containers",
	"expected": "with a request or limit of cpu or memory in at least one container",
	"remedy": "Request what the container uses.",
}

burstable := {"qos": "Burstable", "ratios": {}}

test_burstable_pods_ask_for_something if {
	every resources in [
		{"requests": {"cpu": "1"}},
		{"requests": {"memory": "1"}},
		{"limits": {"cpu": "1"}},
		{"limits": {"memory": "1"}},
	] {
		with_parameters(pod(resources), burstable) == set()
		with_parameters(of_pod(resources, {}), burstable) == set()
	}
	every resources in [{}, {"requests": {"cpu": "0"}}, {"limits": {"example.com/gpu": "1"}}] {
		with_parameters(pod(resources), burstable) == {best_effort}
	}
	with_parameters(pod({}), {"ratios": {}}) == set()
}
