# METADATA
# scope: package
# title: Images by digest in production
# description: |-
#   A tag can be pushed again; a digest is the content itself. In the environments named by the parameter
#   every image is named by digest, so that what was tested is what runs, on every node, after every restart.
#   The environment is a label of the namespace; a namespace without it is in none.
# custom:
#   severity: high
#   category: images
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [CIS-5.5.1, SLSA-verified-deployment]
#   peers: [gatekeeper/K8sImageDigests, kyverno/require-image-checksum]
#   remedy: >-
#     Add the digest of the image to its name (`crane digest IMAGE` prints it); the tag may stay beside it.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       environments:
#         description: Values of the environment label in which a digest is required.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [production]
#       environmentLabel:
#         description: The namespace's label that names its environment.
#         type: string
#         minLength: 1
#         default: environment
#   facts: []
#   needs: [namespace]
#   sensitive: false
package images.digest

import data.lib.image_reference
import data.lib.namespace
import data.lib.pod_images

deny contains object.union(finding, entry.seen) if {
	namespace.label_in(environment_label, environments)
	some entry in pod_images.all
	not by_digest(entry)
	finding := {
		"rule": "missing-digest",
		"path": entry.path,
		"expected": sprintf("named by digest, such as %s@sha256:…", [as_written(entry)]),
		"msg": sprintf("the namespace's environment is `%s`", [namespace.label(environment_label)]),
	}
}

by_digest(entry) if image_reference.parse(entry.image).digest != ""

as_written(entry) := entry.image if {
	image_reference.parse(entry.image)
} else := "my-registry/my-app:1.4.2"

environments := object.get(input, ["parameters", "environments"], ["production"])

environment_label := object.get(input, ["parameters", "environmentLabel"], "environment")
