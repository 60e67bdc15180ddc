package lib.pod_images_test

import data.lib.pod_images

test_images_of_every_kind_of_container_and_of_volumes_are_found if {
	pod := {"spec": {
		"initContainers": [{"name": "init", "image": "a:1"}],
		"containers": [{"name": "app", "image": "b:1"}],
		"ephemeralContainers": [{"name": "debug", "image": "c:1"}],
		"volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "model", "image": {"reference": "d:1"}}],
	}}
	pod_images.all == {
		{"path": "/spec/initContainers/0/image", "image": "a:1", "seen": {"found": "a:1"}},
		{"path": "/spec/containers/0/image", "image": "b:1", "seen": {"found": "b:1"}},
		{"path": "/spec/ephemeralContainers/0/image", "image": "c:1", "seen": {"found": "c:1"}},
		{"path": "/spec/volumes/1/image/reference", "image": "d:1", "seen": {"found": "d:1"}},
	} with input.review.object as pod
}

test_a_container_without_an_image_is_listed_without_one if {
	pod := {"spec": {"containers": [{"name": "app"}]}}
	expected := {{"path": "/spec/containers/0/image", "seen": {}}}
	pod_images.all == expected with input.review.object as pod
}

test_an_image_volume_without_a_reference_is_listed_without_one if {
	pod := {"spec": {"volumes": [{"name": "model", "image": {}}]}}
	expected := {{"path": "/spec/volumes/0/image/reference", "seen": {}}}
	pod_images.all == expected with input.review.object as pod
}

test_null_volumes_have_no_images if {
	pod_images.all == set() with input.review.object as {"spec": {"volumes": null}}
}

test_a_pod_without_containers_has_no_images if {
	pod_images.all == set() with input.review.object as {"spec": {}}
}

test_what_is_no_image_is_none if {
	pod := {"spec": {"containers": [{"name": "app", "image": 7}], "volumes": [{"name": "odd", "image": "d:1"}]}}
	pod_images.all == {{"path": "/spec/containers/0/image", "seen": {"found": 7}}} with input.review.object as pod
}
