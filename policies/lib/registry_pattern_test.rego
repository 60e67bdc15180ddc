package lib.registry_pattern_test

import data.lib.image_reference
import data.lib.registry_pattern

# The patterns among these that match the image.
matching(image, patterns) := {pattern |
	some pattern in patterns
	registry_pattern.matches(image_reference.parse(image), pattern)
}

test_a_host_matches_all_that_is_in_it if {
	patterns := ["ghcr.io", "GHCR.io", "ghcr.io/", "quay.io", "io", "hcr.io"]
	matching("ghcr.io/team/app:1", patterns) == {"ghcr.io", "GHCR.io", "ghcr.io/"}
	matching("GHCR.IO/team/app:1", ["ghcr.io"]) == {"ghcr.io"}
}

test_a_port_is_part_of_the_host if {
	matching("localhost:5000/app", ["localhost:5000", "localhost"]) == {"localhost:5000"}
}

test_a_repository_matches_itself_and_what_is_below if {
	patterns := ["ghcr.io/team", "ghcr.io/team/app", "ghcr.io/tea", "ghcr.io/team/ap", "ghcr.io/team/app/x"]
	matching("ghcr.io/team/app:1", patterns) == {"ghcr.io/team", "ghcr.io/team/app"}
}

test_subdomains_are_matched_by_a_star_and_the_domain_itself_is_not if {
	matching("eu.registry.example.com/app", ["*.example.com", "*.registry.example.com"]) == {
		"*.example.com",
		"*.registry.example.com",
	}
	matching("example.com/app", ["*.example.com"]) == set()
	matching("evil-example.com/app", ["*.example.com"]) == set()
}

test_short_names_are_docker_hubs_under_both_its_names if {
	matching("nginx", ["docker.io", "index.docker.io", "docker.io/library", "ghcr.io"]) == {
		"docker.io",
		"index.docker.io",
		"docker.io/library",
	}
	matching("ghcr.io/library/nginx", ["index.docker.io", "docker.io/library"]) == set()
}

test_a_pattern_of_a_folder_may_end_with_a_slash if {
	matching("ghcr.io/team/app:1", ["ghcr.io/team/", "/ghcr.io/team"]) == {"ghcr.io/team/"}
}
