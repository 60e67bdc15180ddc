# METADATA
# scope: package
# title: Retired registries
# description: |-
#   A registry that was retired gets no fixes any more, and one day serves nothing at all: a Pod that is moved
#   to another node then cannot start. Knows the registries of Kubernetes' world that were frozen or shut
#   down, such as k8s.gcr.io, and says where their images are now. The platform adds its own with the
#   parameter `further`. Images of every container and of image volumes count.
# custom:
#   severity: medium
#   category: deprecations
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [NSA-image-repositories]
#   peers: [gatekeeper/K8sDisallowedRepos, kyverno/restrict-deprecated-registry]
#   remedy: Pull the image from the registry that took over, or mirror it into one of your own.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       further:
#         description: >-
#           Patterns of further registries and repositories that are retired, as in images/allowed-registries,
#           each with the place that took over, or with an empty text where none did.
#         type: object
#         additionalProperties: {type: string}
#         default: {}
#       accepted:
#         description: Patterns of those known here that may be used all the same, written as they are here.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package deprecations.registries

import data.lib.image_reference
import data.lib.pod_images
import data.lib.registry_pattern

deny contains object.union(finding, entry.seen) if {
	some entry in pod_images.all
	reference := image_reference.parse(entry.image)
	some pattern, successor in judged
	registry_pattern.matches(reference, pattern)
	finding := {
		"rule": "retired-registry",
		"path": entry.path,
		"expected": expected(successor),
		"msg": sprintf("`%s` is retired", [pattern]),
	}
}

expected(successor) := sprintf("an image from %s", [successor]) if {
	successor != ""
} else := "an image from a registry that is maintained"

# Further ones may name another successor for one that is known.
judged := object.union(object.remove(retired, accepted), further)

# What took over, or "" where nothing did.
retired := {
	"*.bintray.io": "", # closed in 2021
	"asia.gcr.io/google-containers": "registry.k8s.io",
	"docker.io/bitnamilegacy": "", # copies of 2025 that are never rebuilt
	"docker.pkg.github.com": "ghcr.io",
	"eu.gcr.io/google-containers": "registry.k8s.io",
	"gcr.io/google-containers": "registry.k8s.io",
	"gcr.io/google_containers": "registry.k8s.io",
	"gcr.io/kubebuilder": "registry.k8s.io or quay.io/brancz", # gone with Container Registry in 2025
	"k8s.gcr.io": "registry.k8s.io", # frozen in April 2023
	"quay.io/kubernetes-ingress-controller": "registry.k8s.io/ingress-nginx",
	"us.gcr.io/google-containers": "registry.k8s.io",
}

further := object.get(input, ["parameters", "further"], {})

accepted := object.get(input, ["parameters", "accepted"], [])
