package images.pull_secrets_test

import data.images.pull_secrets

pod(image, secrets) := {"review": {"object": {"spec": {
	"containers": [{"name": "app", "image": image}],
	"imagePullSecrets": secrets,
}}}}

finding(image) := {
	"rule": "no-pull-secret",
	"path": "/spec/imagePullSecrets",
	"expected": "set to a pull secret of the registry",
	"msg": sprintf("`%s` comes from a private registry", [image]),
}

private := "registry.example.com/app:1"

test_a_named_secret_passes if pull_secrets.deny == set() with input as pod(private, [{"name": "pull"}])

test_no_secret_is_denied if {
	pull_secrets.deny == {object.union(finding(private), {"found": []})} with input as pod(private, [])
	pull_secrets.deny == {finding(private)} with input as pod(private, null)
	bare := {"spec": {"containers": [{"image": private}]}}
	pull_secrets.deny == {finding(private)} with input.review.object as bare
}

test_a_secret_without_a_name_names_nothing if {
	every secret in [{}, {"name": ""}, {"name": 7}] {
		expected := {object.union(finding(private), {"found": [secret]})}
		pull_secrets.deny == expected with input as pod(private, [secret])
	}
}

test_the_private_registries_are_a_parameter if {
	result := pull_secrets.deny with input as pod(private, null)
		with input.parameters.registries as ["registry.example.com"]
	result == {finding(private)}
	other := pull_secrets.deny with input as pod("nginx:1", null)
		with input.parameters.registries as ["registry.example.com"]
	other == set()
	unreadable := pull_secrets.deny with input as pod("Not An Image", null)
		with input.parameters.registries as ["registry.example.com"]
	unreadable == set()
}

test_a_pod_has_one_finding_however_many_images if {
	spec := {"containers": [{"image": "b.example.com/b:1"}, {"image": "a.example.com/a:1"}, {}]}
	result := pull_secrets.deny with input.review.object as {"spec": spec}
	result == {finding("a.example.com/a:1")}
}

test_a_pod_without_images_needs_none if pull_secrets.deny == set() with input as {"review": {"object": {}}}
