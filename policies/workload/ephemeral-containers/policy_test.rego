package workload.ephemeral_containers_test

import data.workload.ephemeral_containers

pod(debug) := {"review": {"object": {"spec": {
	"containers": [{"name": "app"}],
	"ephemeralContainers": debug,
}}}}

shell := {"name": "debug", "image": "busybox:1.37"}

finding := {
	"rule": "ephemeral-container",
	"path": "/spec/ephemeralContainers/0/image",
	"found": "busybox:1.37",
	"expected": "left out, with its container",
	"msg": "container \"debug\" is an ephemeral container",
}

test_an_ephemeral_container_is_denied if ephemeral_containers.deny == {finding} with input as pod([shell])

test_a_pod_without_any_passes if {
	ephemeral_containers.deny == set() with input as pod([])
	ephemeral_containers.deny == set() with input as pod(null)
	ephemeral_containers.deny == set() with input as {"review": {"object": {}}}
}

test_images_are_a_parameter if {
	other := {"name": "debug", "image": "my-registry.example.com/debug:1"}
	result := ephemeral_containers.deny with input as pod([shell, other])
		with input.parameters.images as ["my-registry.example.com", "ghcr.io/debug"]
	result == {object.union(finding, {"expected": "an image from my-registry.example.com or ghcr.io/debug"})}
}

test_a_container_without_an_image_comes_from_nowhere_allowed if {
	result := ephemeral_containers.deny with input as pod([{}])
		with input.parameters.images as ["my-registry.example.com"]
	result == {{
		"rule": "ephemeral-container",
		"path": "/spec/ephemeralContainers/0/image",
		"expected": "an image from my-registry.example.com",
		"msg": "container \"\" is an ephemeral container",
	}}
}

test_environments_are_a_parameter if {
	in_staging := object.union(pod([shell]), {"namespace": {"metadata": {"labels": {"environment": "staging"}}}})
	result := ephemeral_containers.deny with input as in_staging
		with input.parameters.environments as ["production"]
	result == set()
	there := ephemeral_containers.deny with input as in_staging
		with input.parameters.environments as ["production", "staging"]
	there == {finding}
	by_another_label := ephemeral_containers.deny with input as in_staging
		with input.parameters.environments as ["staging"]
		with input.parameters.environmentLabel as "stage"
	by_another_label == set()
	unknown := ephemeral_containers.deny with input as pod([shell])
		with input.parameters.environments as ["staging"]
	unknown == set()
}
