package deprecations.registries_test

import data.deprecations.registries

running(image) := {"review": {"object": {"spec": {"containers": [{"name": "app", "image": image}]}}}}

finding(image, expected, pattern) := {
	"rule": "retired-registry",
	"path": "/spec/containers/0/image",
	"found": image,
	"expected": expected,
	"msg": sprintf("`%s` is retired", [pattern]),
}

of_kubernetes := "k8s.gcr.io/pause:3.9"

test_a_retired_registry_is_denied_with_the_one_that_took_over if {
	expected := {finding(of_kubernetes, "an image from registry.k8s.io", "k8s.gcr.io")}
	registries.deny == expected with input as running(of_kubernetes)
}

test_where_nothing_took_over_any_that_is_maintained_will_do if {
	image := "acme.bintray.io/tool:1"
	expected := {finding(image, "an image from a registry that is maintained", "*.bintray.io")}
	registries.deny == expected with input as running(image)
}

test_a_repository_may_be_retired_in_a_registry_that_lives if {
	image := "gcr.io/google-containers/pause:3.1"
	expected := {finding(image, "an image from registry.k8s.io", "gcr.io/google-containers")}
	registries.deny == expected with input as running(image)
	registries.deny == set() with input as running("gcr.io/my-project/app:1")
}

test_the_registry_that_took_over_passes if {
	registries.deny == set() with input as running("registry.k8s.io/pause:3.9")
}

test_a_path_that_only_looks_like_it_passes if {
	registries.deny == set() with input as running("my-registry.example.com/k8s.gcr.io/pause:3.9")
}

test_further_registries_are_a_parameter if {
	image := "old.example.com/app:1"
	registries.deny == set() with input as running(image)
	result := registries.deny with input as running(image)
		with input.parameters.further as {"old.example.com": "new.example.com"}
	result == {finding(image, "an image from new.example.com", "old.example.com")}
}

test_further_ones_leave_the_known_ones_and_may_correct_them if {
	known := registries.deny with input as running(of_kubernetes)
		with input.parameters.further as {"old.example.com": ""}
	count(known) == 1
	corrected := registries.deny with input as running(of_kubernetes)
		with input.parameters.further as {"k8s.gcr.io": "mirror.example.com/k8s"}
	corrected == {finding(of_kubernetes, "an image from mirror.example.com/k8s", "k8s.gcr.io")}
}

test_known_ones_may_be_accepted if {
	result := registries.deny with input as running(of_kubernetes)
		with input.parameters.accepted as ["k8s.gcr.io"]
	result == set()
}

test_every_place_that_names_an_image_is_judged if {
	pod := {"spec": {
		"initContainers": [{"name": "a", "image": of_kubernetes}],
		"ephemeralContainers": [{"name": "b", "image": of_kubernetes}],
		"volumes": [{"name": "c", "image": {"reference": of_kubernetes}}],
	}}
	result := registries.deny with input.review.object as pod
	{entry.path | some entry in result} == {
		"/spec/initContainers/0/image",
		"/spec/ephemeralContainers/0/image",
		"/spec/volumes/0/image/reference",
	}
}

test_a_container_without_an_image_comes_from_nowhere if {
	registries.deny == set() with input.review.object as {"spec": {"containers": [{"name": "app"}]}}
	registries.deny == set() with input as running("k8s.gcr.io/NoImage")
}

test_every_retired_registry_names_what_took_over if {
	expected := {
		"acme.bintray.io/tool": "a registry that is maintained",
		"asia.gcr.io/google-containers/pause": "registry.k8s.io",
		"docker.io/bitnamilegacy/redis": "a registry that is maintained",
		"docker.pkg.github.com/acme/tool/tool": "ghcr.io",
		"eu.gcr.io/google-containers/pause": "registry.k8s.io",
		"gcr.io/google-containers/pause": "registry.k8s.io",
		"gcr.io/google_containers/pause": "registry.k8s.io",
		"gcr.io/kubebuilder/kube-rbac-proxy": "registry.k8s.io or quay.io/brancz",
		"k8s.gcr.io/pause": "registry.k8s.io",
		"quay.io/kubernetes-ingress-controller/nginx": "registry.k8s.io/ingress-nginx",
		"us.gcr.io/google-containers/pause": "registry.k8s.io",
	}
	every image, successor in expected {
		findings := registries.deny with input as running(image)
		{entry.expected | some entry in findings} == {sprintf("an image from %s", [successor])}
	}
}
