package images.allowed_registries_test

import data.images.allowed_registries

# The rules that deny `image` where only `registries` are allowed.
verdict(image, registries) := {entry.rule | some entry in findings(image, registries)}

findings(image, registries) := result if {
	result := allowed_registries.deny with input as {
		"review": {"object": {"spec": {"containers": [{"name": "app", "image": image}]}}},
		"parameters": {"registries": registries},
	}
}

denied := {"registry-not-allowed"}

test_an_image_of_an_allowed_host_passes if verdict("ghcr.io/team/app:1", ["ghcr.io"]) == set()

test_an_image_from_elsewhere_is_denied_and_shown if {
	findings("quay.io/team/app:1", ["ghcr.io/team", "docker.io/library"]) == {{
		"rule": "registry-not-allowed",
		"path": "/spec/containers/0/image",
		"found": "quay.io/team/app:1",
		"expected": "an image from ghcr.io/team or docker.io/library",
		"msg": "it comes from quay.io/team/app",
	}}
}

test_a_short_name_comes_from_docker_hub if {
	verdict("nginx:1", ["docker.io"]) == set()
	verdict("nginx:1", ["docker.io/library"]) == set()
	verdict("nginx:1", ["index.docker.io"]) == set()
	verdict("team/nginx:1", ["docker.io/library"]) == denied
	verdict("nginx:1", ["ghcr.io"]) == denied
}

test_a_prefix_ends_on_a_components_boundary if {
	verdict("ghcr.io/team/app:1", ["ghcr.io/team"]) == set()
	verdict("ghcr.io/team:1", ["ghcr.io/team"]) == set()
	verdict("ghcr.io/team/app:1", ["ghcr.io/team/"]) == set()
	verdict("ghcr.io/team-evil/app:1", ["ghcr.io/team"]) == denied
	verdict("ghcr.io/other/team/app:1", ["ghcr.io/team"]) == denied
}

test_a_host_is_matched_as_a_whole if {
	verdict("ghcr.io.evil.com/app:1", ["ghcr.io"]) == denied
	verdict("evilghcr.io/app:1", ["ghcr.io"]) == denied
	verdict("evil.com/ghcr.io/app:1", ["ghcr.io"]) == denied
	verdict("ghcr.io:5000/app:1", ["ghcr.io"]) == denied
	verdict("GHCR.IO/app:1", ["ghcr.io"]) == set()
}

test_a_port_is_part_of_the_host if {
	verdict("localhost:5000/app:1", ["localhost:5000"]) == set()
	verdict("localhost:5001/app:1", ["localhost:5000"]) == denied
	verdict("localhost/app:1", ["localhost:5000"]) == denied
}

test_a_star_stands_for_subdomains_only if {
	verdict("eu.registry.example.com/app:1", ["*.example.com"]) == set()
	verdict("example.com/app:1", ["*.example.com"]) == denied
	verdict("evilexample.com/app:1", ["*.example.com"]) == denied
	verdict("eu.example.com/team/app:1", ["*.example.com/team"]) == set()
	verdict("eu.example.com/other/app:1", ["*.example.com/team"]) == denied
}

test_what_is_no_reference_is_denied if {
	verdict("ghcr.io/Team/app:1", ["ghcr.io"]) == denied
	verdict("", ["ghcr.io"]) == denied
}

test_a_container_without_an_image_is_denied_and_nothing_is_found if {
	result := allowed_registries.deny with input as {
		"review": {"object": {"spec": {"containers": [{"name": "app"}]}}},
		"parameters": {"registries": ["ghcr.io"]},
	}
	result == {{
		"rule": "registry-not-allowed",
		"path": "/spec/containers/0/image",
		"expected": "an image from ghcr.io",
		"msg": "no image is named",
	}}
}

test_without_registries_nothing_is_allowed if verdict("ghcr.io/team/app:1", []) == denied

test_what_is_no_reference_is_said_to_be_none if {
	{finding.msg | some finding in findings("UPPER case", ["ghcr.io"])} == {"this is not an image reference"}
}
