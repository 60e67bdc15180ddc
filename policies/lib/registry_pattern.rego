# METADATA
# scope: package
# title: Patterns of registries
# description: |-
#   Tells whether an image comes from a place that a pattern names: a registry's host (`registry.example.com`,
#   `localhost:5000`, `*.example.com` for its subdomains), optionally with the first components of the
#   repository (`ghcr.io/team`). A pattern ends on a component's boundary, so `ghcr.io/team` does not match
#   `ghcr.io/team-evil/app`. Hosts are compared without regard to case.
package lib.registry_pattern

# True when the reference, as lib.image_reference parses it, comes from where the pattern says.
matches(reference, pattern) if {
	parts := split(trim_suffix(pattern, "/"), "/")
	host_matches(lower(reference.registry), lower(parts[0]))
	prefix := concat("/", array.slice(parts, 1, count(parts)))
	repository_matches(reference.repository, prefix)
}

host_matches(host, pattern) if host == pattern

# The same registry under its older name; parsed references always say docker.io.
host_matches(host, pattern) if {
	host == "docker.io"
	pattern == "index.docker.io"
}

host_matches(host, pattern) if {
	startswith(pattern, "*.")
	endswith(host, trim_prefix(pattern, "*"))
}

repository_matches(_, prefix) if prefix == ""

repository_matches(repository, prefix) if repository == prefix

repository_matches(repository, prefix) if startswith(repository, concat("", [prefix, "/"]))
