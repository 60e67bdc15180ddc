package images.digest_test

import data.images.digest

by_digest := "nginx:1.27@sha256:0000000000000000000000000000000000000000000000000000000000000000"

running(image, labels) := {
	"review": {"object": {"spec": {"containers": [{"name": "app", "image": image}]}}},
	"namespace": {"metadata": {"name": "shop", "labels": labels}},
}

missing := {
	"rule": "missing-digest",
	"path": "/spec/containers/0/image",
	"found": "nginx:1.27",
	"expected": "named by digest, such as nginx:1.27@sha256:…",
	"msg": "the namespace's environment is `production`",
}

test_a_tag_in_production_is_denied if {
	digest.deny == {missing} with input as running("nginx:1.27", {"environment": "production"})
}

test_a_digest_in_production_is_allowed if {
	digest.deny == set() with input as running(by_digest, {"environment": "production"})
}

test_a_tag_elsewhere_is_allowed if {
	digest.deny == set() with input as running("nginx:1.27", {"environment": "staging"})
}

test_a_namespace_without_the_label_is_not_production if {
	digest.deny == set() with input as running("nginx:1.27", {})
}

test_environments_and_their_label_are_parameters if {
	parameters := {"environments": ["prod", "dr"], "environmentLabel": "example.com/stage"}
	result := digest.deny with input as running("nginx:1.27", {"example.com/stage": "dr"})
		with input.parameters as parameters
	result == {object.union(missing, {"msg": "the namespace's environment is `dr`"})}
}

test_what_is_no_reference_is_denied if {
	digest.deny == {object.union(missing, {
		"found": "nginx@sha256:abc",
		"expected": "named by digest, such as my-registry/my-app:1.4.2@sha256:…",
	})} with input as running("nginx@sha256:abc", {"environment": "production"})
}

test_a_container_without_an_image_is_denied_and_nothing_is_found if {
	result := digest.deny with input as {
		"review": {"object": {"spec": {"containers": [{"name": "app"}]}}},
		"namespace": {"metadata": {"labels": {"environment": "production"}}},
	}
	result == {{
		"rule": "missing-digest",
		"path": "/spec/containers/0/image",
		"expected": "named by digest, such as my-registry/my-app:1.4.2@sha256:…",
		"msg": "the namespace's environment is `production`",
	}}
}
