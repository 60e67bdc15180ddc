# METADATA
# scope: package
# title: Fixed image versions
# description: |-
#   `latest`, and no tag at all, which means `latest`, name whatever was pushed last: two Pods of one
#   workload may run different code, and going back is impossible. An image is named by the tag of a version
#   or by its digest; a digest settles it, whatever tag stands beside it. Image volumes count as images.
# custom:
#   severity: high
#   category: images
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [CIS-5.5.1, NSA-image-tags]
#   peers: [gatekeeper/K8sDisallowedTags, kyverno/disallow-latest-tag, polaris/tagNotSpecified]
#   remedy: Name the version that you tested, or its digest (`crane digest IMAGE` prints it).
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       tags:
#         description: Tags that move and therefore do not name a version.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [latest]
#   facts: []
#   needs: []
#   sensitive: false
package images.latest_tag

import data.lib.image_reference
import data.lib.pod_images

deny contains object.union(finding, entry.seen) if {
	some entry in pod_images.all
	not fixed(entry)
	problem := problem_of(entry)
	finding := {
		"rule": problem.rule,
		"path": entry.path,
		"expected": sprintf("a fixed version tag or a digest, such as %s:1.4.2", [problem.name]),
		"msg": problem.msg,
	}
}

fixed(entry) if image_reference.parse(entry.image).digest != ""

fixed(entry) if {
	tag := image_reference.parse(entry.image).tag
	tag != ""
	not tag in moving_tags
}

problem_of(entry) := {
	"rule": "missing-tag",
	"name": reference.name,
	"msg": "an image without a tag is `latest`",
} if {
	reference := image_reference.parse(entry.image)
	reference.tag == ""
} else := {
	"rule": "latest-tag",
	"name": reference.name,
	"msg": sprintf("the tag `%s` moves to whatever was pushed last", [reference.tag]),
} if {
	reference := image_reference.parse(entry.image)
} else := {
	"rule": "invalid-reference",
	"name": "my-registry/my-app",
	"msg": "this is not an image reference",
} if {
	entry.image
} else := {
	"rule": "missing-image",
	"name": "my-registry/my-app",
	"msg": "no image is named",
}

moving_tags := object.get(input, ["parameters", "tags"], ["latest"])
