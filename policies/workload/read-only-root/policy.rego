# METADATA
# scope: package
# title: Read-only root file systems
# description: |-
#   Who breaks into a container whose root file system cannot be written leaves nothing there: no tool, no
#   changed program. Every container, init and ephemeral ones included, sets readOnlyRootFilesystem to true;
#   absent means false. What must be written goes to an emptyDir volume. Pods for Windows, where the field
#   does not exist, are not judged.
# custom:
#   severity: medium
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [CIS-5.6.3, NSA-immutable-file-systems]
#   peers:
#     - gatekeeper/K8sPSPReadOnlyRootFilesystem
#     - kyverno/require-ro-rootfs
#     - polaris/notReadOnlyRootFilesystem
#   remedy: >-
#     Set securityContext.readOnlyRootFilesystem to true and mount an emptyDir volume where the container
#     writes.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: []
#   needs: []
#   sensitive: false
package workload.read_only_root

import data.lib.containers
import data.lib.fields

deny contains object.union(finding, fields.seen(context, "readOnlyRootFilesystem")) if {
	not for_windows
	some list in containers.lists
	some index, container in fields.list_at(input.review.object.spec, list)
	context := fields.object_at(container, "securityContext")
	not read_only(context)
	finding := {
		"rule": "writable-root",
		"path": concat("", [containers.path(list, index), "/securityContext/readOnlyRootFilesystem"]),
		"expected": "true",
	}
}

read_only(context) if context.readOnlyRootFilesystem == true

for_windows if input.review.object.spec.os.name == "windows"
