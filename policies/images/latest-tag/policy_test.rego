package images.latest_tag_test

import data.images.latest_tag

digest := "sha256:0000000000000000000000000000000000000000000000000000000000000000"

running(image) := {"review": {"object": {"spec": {"containers": [{"name": "app", "image": image}]}}}}

finding(rule, image, name, msg) := {
	"rule": rule,
	"path": "/spec/containers/0/image",
	"found": image,
	"expected": sprintf("a fixed version tag or a digest, such as %s:1.4.2", [name]),
	"msg": msg,
}

moves := "the tag `latest` moves to whatever was pushed last"

test_latest_is_denied_with_its_field_and_an_example if {
	image := "my-registry/my-app:latest"
	expected := {finding("latest-tag", image, "my-registry/my-app", moves)}
	latest_tag.deny == expected with input as running(image)
}

test_no_tag_is_denied_as_latest if {
	expected := {finding("missing-tag", "nginx", "nginx", "an image without a tag is `latest`")}
	latest_tag.deny == expected with input as running("nginx")
}

test_the_port_of_a_registry_is_no_tag if {
	image := "localhost:5000/app"
	expected := {finding("missing-tag", image, image, "an image without a tag is `latest`")}
	latest_tag.deny == expected with input as running(image)
}

test_a_version_is_allowed if latest_tag.deny == set() with input as running("my-registry/my-app:1.4.2")

test_a_version_behind_a_port_is_allowed if {
	latest_tag.deny == set() with input as running("localhost:5000/app:1.0")
}

test_a_digest_is_allowed if {
	latest_tag.deny == set() with input as running(concat("@", ["nginx", digest]))
}

test_a_digest_beside_latest_is_allowed if {
	latest_tag.deny == set() with input as running(concat("@", ["nginx:latest", digest]))
}

test_half_a_digest_is_denied if {
	image := "nginx@sha256:abc"
	expected := {finding("invalid-reference", image, "my-registry/my-app", "this is not an image reference")}
	latest_tag.deny == expected with input as running(image)
}

test_capital_letters_are_denied if {
	image := "Nginx:1.0"
	expected := {finding("invalid-reference", image, "my-registry/my-app", "this is not an image reference")}
	latest_tag.deny == expected with input as running(image)
}

test_a_container_without_an_image_is_denied_and_nothing_is_found if {
	pod := {"spec": {"containers": [{"name": "app"}]}}
	latest_tag.deny == {{
		"rule": "missing-image",
		"path": "/spec/containers/0/image",
		"expected": "a fixed version tag or a digest, such as my-registry/my-app:1.4.2",
		"msg": "no image is named",
	}} with input.review.object as pod
}

test_every_place_that_names_an_image_is_judged if {
	pod := {"spec": {
		"initContainers": [{"name": "init", "image": "a:latest"}],
		"containers": [{"name": "app", "image": "b:latest"}],
		"ephemeralContainers": [{"name": "debug", "image": "c:latest"}],
		"volumes": [{"name": "model", "image": {"reference": "d:latest"}}],
	}}
	result := latest_tag.deny with input.review.object as pod
	{entry.path | some entry in result} == {
		"/spec/initContainers/0/image",
		"/spec/containers/0/image",
		"/spec/ephemeralContainers/0/image",
		"/spec/volumes/0/image/reference",
	}
}

test_the_tags_are_a_parameter if {
	result := latest_tag.deny with input as running("nginx:edge")
		with input.parameters.tags as ["latest", "edge"]
	result == {finding("latest-tag", "nginx:edge", "nginx", "the tag `edge` moves to whatever was pushed last")}
}
