# METADATA
# scope: package
# title: PersistentVolumes on a node's disk
# description: |-
#   A PersistentVolume of type hostPath or local is a directory of a node. Pod Security looks at the volumes
#   of Pods and not at what a claim is bound to, so that a claim on such a volume reaches the node's files
#   past it. No PersistentVolume is of these types, but for directories that the platform set aside.
# custom:
#   severity: high
#   category: storage
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [persistentvolumes], operations: [CREATE, UPDATE]}
#   controls: [CIS-5.2.12, T1611]
#   peers: [kyverno/limit-hostpath-type-pv]
#   remedy: Use a volume of a CSI driver, or a directory that the platform set aside.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       hostPaths:
#         description: Directories that hostPath volumes may use, with everything below them.
#         type: array
#         uniqueItems: true
#         items: {type: string, pattern: "^/"}
#         default: []
#       localPaths:
#         description: Directories that local volumes may use, with everything below them.
#         type: array
#         uniqueItems: true
#         items: {type: string, pattern: "^/"}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package storage.host_path_volumes

import data.lib.fields

deny contains object.union(finding, fields.seen(source, "path")) if {
	some type, directories in set_aside
	fields.present(spec, type)
	source := fields.object_at(spec, type)
	not within(source, directories)
	finding := {
		"rule": type,
		"path": sprintf("/spec/%s/path", [type]),
		"expected": expected(directories),
	}
}

# `/data` holds `/data` and `/data/x`, not `/database` and not `/data/../etc`.
within(source, directories) if {
	not ".." in split(source.path, "/")
	some directory in directories
	startswith(with_slash(source.path), with_slash(directory))
}

with_slash(path) := sprintf("%s/", [trim_right(path, "/")])

expected(directories) := sprintf("at or below %s", [concat(", ", directories)]) if {
	count(directories) > 0
} else := "unset; no directory of a node may be used"

spec := fields.object_at(input.review.object, "spec")

set_aside := {
	"hostPath": object.get(input, ["parameters", "hostPaths"], []),
	"local": object.get(input, ["parameters", "localPaths"], []),
}
