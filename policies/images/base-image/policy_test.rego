package images.base_image_test

import data.images.base_image

image := "registry.example/team/app:1"

digest := "sha256:0000000000000000000000000000000000000000000000000000000000000000"

running := {"object": {"spec": {"containers": [{"name": "app", "image": image}]}}}

parameters := {"bases": ["registry.example/base", "*.trusted.example"]}

about(config) := {
	"review": running,
	"parameters": parameters,
	"facts": {"images": {image: {"digest": digest, "config": config}}},
}

named(base) := {"org.opencontainers.image.base.name": base}

finding(msg) := {
	"rule": "base-image-not-allowed",
	"path": "/spec/containers/0/image",
	"found": image,
	"expected": "built on an image from registry.example/base or *.trusted.example",
	"msg": msg,
}

test_allowed_bases if {
	every base in ["registry.example/base/java:21", "images.trusted.example/go"] {
		base_image.deny == set() with input as about({"labels": named(base)})
	}
}

test_lookalikes_are_denied if {
	every base in ["registry.example/base-evil/java", "trusted.example.evil.example/go", "java", "not a reference"] {
		expected := {finding(sprintf("it says that it was built on `%s`", [base]))}
		base_image.deny == expected with input as about({"labels": named(base)})
	}
}

test_an_annotation_goes_before_a_label if {
	good := named("registry.example/base/java")
	bad := named("java")
	base_image.deny == set() with input as about({"annotations": good, "labels": bad})
	expected := {finding("it says that it was built on `java`")}
	base_image.deny == expected with input as about({"annotations": bad, "labels": good})
}

test_an_image_that_does_not_say_is_denied if {
	expected := {finding("it does not say on what it was built")}
	base_image.deny == expected with input as about({})
	base_image.deny == expected with input as about({"labels": {"org.opencontainers.image.base.name": null}})
	unknown := {finding("nothing is known of it")}
	base_image.deny == unknown with input as {"review": running, "parameters": parameters}
}

test_without_parameters_nothing_is_allowed if {
	fact := {"digest": digest, "config": {"labels": named("registry.example/base/java")}}
	count(base_image.deny) == 1 with input as {"review": running, "facts": {"images": {image: fact}}}
}
