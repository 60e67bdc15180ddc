# METADATA
# scope: package
# title: Allowed registries
# description: |-
#   Images come from the registries that the parameter names, and from nowhere else. A pattern is a
#   registry's host (`registry.example.com`, `localhost:5000`, `*.example.com` for its subdomains),
#   optionally with the first components of the repository (`ghcr.io/team`); it ends on a component's
#   boundary, so `ghcr.io/team` does not allow `ghcr.io/team-evil/app`. Short names are Docker Hub's:
#   `nginx` is `docker.io/library/nginx`.
# custom:
#   severity: high
#   category: images
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [CIS-5.5.1, NSA-image-repositories]
#   peers:
#     - gatekeeper/K8sAllowedRepos
#     - gatekeeper/K8sAllowedReposv2
#     - kyverno/advanced-restrict-image-registries
#     - kyverno/allowed-image-repos
#     - kyverno/restrict-image-registries
#   remedy: Pull the image from an allowed registry, or have it mirrored there.
#   parameters:
#     type: object
#     additionalProperties: false
#     required: [registries]
#     properties:
#       registries:
#         description: Patterns of registries and repositories from which images may come.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items:
#           type: string
#           pattern: '^(\*\.)?[A-Za-z0-9\[][A-Za-z0-9.:\[\]-]*(/[a-z0-9._-]+)*/?$'
#   facts: []
#   needs: []
#   sensitive: false
package images.allowed_registries

import data.lib.image_reference
import data.lib.pod_images
import data.lib.registry_pattern

deny contains object.union(finding, entry.seen) if {
	some entry in pod_images.all
	not allowed(entry)
	finding := {
		"rule": "registry-not-allowed",
		"path": entry.path,
		"expected": sprintf("an image from %s", [concat(" or ", registries)]),
		"msg": where_from(entry),
	}
}

allowed(entry) if {
	reference := image_reference.parse(entry.image)
	some pattern in registries
	registry_pattern.matches(reference, pattern)
}

where_from(entry) := sprintf("it comes from %s/%s", [reference.registry, reference.repository]) if {
	reference := image_reference.parse(entry.image)
} else := "this is not an image reference" if {
	entry.image
} else := "no image is named"

registries := object.get(input, ["parameters", "registries"], [])
