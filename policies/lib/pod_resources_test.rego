package lib.pod_resources_test

import data.lib.pod_resources

pod := {"spec": {
	"resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi", "ephemeral-storage": "0"}},
	"initContainers": [{"name": "init"}],
	"containers": [{"name": "app"}],
	"ephemeralContainers": [{"name": "debug"}],
}}

test_debug_containers_have_no_resources if {
	paths := {place.path | some place in pod_resources.containers} with input.review.object as pod
	paths == {"/spec/initContainers/0", "/spec/containers/0"}
}

test_a_pod_requests_what_it_requests_or_limits if {
	requested := {resource |
		some resource in ["cpu", "memory", "ephemeral-storage", "example.com/gpu"]
		pod_resources.requested_by_pod(resource) with input.review.object as pod
	}
	requested == {"cpu", "memory"}
}

test_a_pod_is_limited_by_its_limits_only if {
	limited := {resource |
		some resource in ["cpu", "memory", "ephemeral-storage"]
		pod_resources.limited_for_pod(resource) with input.review.object as pod
	}
	limited == {"memory"}
}

test_a_pod_without_resources_requests_nothing if {
	not pod_resources.requested_by_pod("cpu") with input.review.object as {"spec": {}}
}

test_absent_and_null_resources_are_empty if {
	pod_resources.of({}, "limits") == {}
	pod_resources.of({"resources": null}, "limits") == {}
	pod_resources.of({"resources": {"limits": null}}, "limits") == {}
}
