# METADATA
# scope: package
# title: Pull secrets for private registries
# description: |-
#   A Pod without a pull secret starts only where the image already lies on the node: it works today and fails
#   after the next move. A Pod that uses images from the private registries of the parameter names a pull
#   secret. A service account gives its pull secrets to its Pods; for a template, where that cannot be seen,
#   say so with an exception, or apply this policy to Pods alone.
# custom:
#   severity: low
#   category: images
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers: [kyverno/require-imagepullsecrets]
#   remedy: Name the pull secret in spec.imagePullSecrets, or in the imagePullSecrets of the service account.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       registries:
#         description: >-
#           Patterns of private registries and repositories, as in images/allowed-registries. Empty means
#           every registry.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package images.pull_secrets

import data.lib.fields
import data.lib.image_reference
import data.lib.pod_images
import data.lib.registry_pattern

deny contains object.union(finding, fields.seen(spec, "imagePullSecrets")) if {
	not names_secret
	first := sort([entry.image | some entry in pod_images.all; private(entry.image)])[0]
	finding := {
		"rule": "no-pull-secret",
		"path": "/spec/imagePullSecrets",
		"expected": "set to a pull secret of the registry",
		"msg": sprintf("`%s` comes from a private registry", [first]),
	}
}

private(_) if count(registries) == 0

private(image) if {
	reference := image_reference.parse(image)
	some pattern in registries
	registry_pattern.matches(reference, pattern)
}

# Kubernetes accepts a pull secret without a name, which names nothing.
names_secret if {
	some secret in fields.list_at(spec, "imagePullSecrets")
	is_string(secret.name)
	secret.name != ""
}

spec := fields.object_at(input.review.object, "spec")

registries := object.get(input, ["parameters", "registries"], [])
