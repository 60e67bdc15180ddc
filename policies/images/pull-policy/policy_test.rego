package images.pull_policy_test

import data.images.pull_policy

digest := "sha256:0000000000000000000000000000000000000000000000000000000000000000"

pod(container) := {"review": {"object": {"spec": {"containers": [container]}}}}

finding(msg) := {
	"rule": "not-always-pulled",
	"path": "/spec/containers/0/imagePullPolicy",
	"expected": "Always",
	"msg": msg,
}

latest := finding("the tag `latest` moves, and the node may run an older image of it")

untagged := finding("an image without a tag is `latest`, and the node may run an older one")

anew := finding("every image is pulled anew, so that the right to it is checked")

test_a_moving_tag_is_pulled_always if {
	pull_policy.deny == set() with input as pod({"image": "nginx:latest", "imagePullPolicy": "Always"})
	found := {"image": "nginx:latest", "imagePullPolicy": "IfNotPresent"}
	pull_policy.deny == {object.union(latest, {"found": "IfNotPresent"})} with input as pod(found)
}

test_no_tag_moves_too if {
	pull_policy.deny == set() with input as pod({"image": "nginx", "imagePullPolicy": "Always"})
	found := {"image": "nginx", "imagePullPolicy": "Never"}
	pull_policy.deny == {object.union(untagged, {"found": "Never"})} with input as pod(found)
}

test_an_absent_policy_of_latest_means_always if {
	pull_policy.deny == set() with input as pod({"image": "nginx:latest"})
	pull_policy.deny == set() with input as pod({"image": "nginx"})
	pull_policy.deny == set() with input as pod({"image": "nginx", "imagePullPolicy": null})
}

test_an_absent_policy_of_another_moving_tag_means_if_not_present if {
	result := pull_policy.deny with input as pod({"image": "nginx:edge"})
		with input.parameters.tags as ["latest", "edge"]
	result == {finding("the tag `edge` moves, and the node may run an older image of it")}
}

test_a_version_or_a_digest_is_pulled_as_it_likes if {
	every image in ["nginx:1.27.3", concat("@", ["nginx", digest]), concat("@", ["nginx:latest", digest])] {
		pull_policy.deny == set() with input as pod({"image": image, "imagePullPolicy": "IfNotPresent"})
	}
}

test_always_is_a_parameter if {
	every image in ["nginx:1.27.3", concat("@", ["nginx", digest]), "Not An Image"] {
		result := pull_policy.deny with input as pod({"image": image})
			with input.parameters.always as true
		result == {anew}
	}
	pulled := pull_policy.deny with input as pod({"image": "nginx:1.27.3", "imagePullPolicy": "Always"})
		with input.parameters.always as true
	pulled == set()
	filled_in := pull_policy.deny with input as pod({"image": "nginx:latest"})
		with input.parameters.always as true
	filled_in == set()
}

test_a_container_without_an_image_is_no_matter_of_pulling if {
	pull_policy.deny == set() with input as pod({"imagePullPolicy": "Never"})
	pull_policy.deny == set() with input as {"review": {"object": {}}}
	result := pull_policy.deny with input as pod({})
		with input.parameters.always as true
	result == {anew}
}

test_every_place_that_names_an_image_is_judged if {
	container := {"image": "nginx", "imagePullPolicy": "Never"}
	volume := {"image": {"reference": "models", "pullPolicy": "IfNotPresent"}}
	result := pull_policy.deny with input.review.object as {"spec": {
		"initContainers": [container],
		"ephemeralContainers": [container],
		"volumes": [{"emptyDir": {}}, {"image": null}, volume],
	}}
	result == {
		object.union(untagged, {"path": "/spec/initContainers/0/imagePullPolicy", "found": "Never"}),
		object.union(untagged, {"path": "/spec/ephemeralContainers/0/imagePullPolicy", "found": "Never"}),
		object.union(untagged, {"path": "/spec/volumes/2/image/pullPolicy", "found": "IfNotPresent"}),
	}
}

test_an_image_volume_without_a_reference_is_judged_where_all_are if {
	volume := {"name": "models", "image": {}}
	result := pull_policy.deny with input.review.object as {"spec": {"volumes": [volume]}}
		with input.parameters.always as true
	result == {object.union(anew, {"path": "/spec/volumes/0/image/pullPolicy"})}
}
