# METADATA
# scope: package
# title: Access modes of claims
# description: |-
#   A volume that many nodes may write at once needs storage that few platforms offer well, and software that
#   expects it; most applications that ask for ReadWriteMany lose data instead of gaining anything. Claims
#   ask for modes that the platform allows: PersistentVolumeClaims, the templates of StatefulSets and of a
#   Pod's ephemeral volumes. A platform that wants one writer at a time allows ReadWriteOncePod only.
# custom:
#   severity: low
#   category: storage
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, persistentvolumeclaims], operations: [CREATE, UPDATE]}
#       - {apiGroups: [apps], resources: [statefulsets], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers: [kyverno/readwriteonce-pod]
#   remedy: Ask for an access mode that the platform allows, such as ReadWriteOncePod.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       allowed:
#         description: Access modes that claims may ask for.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {enum: [ReadWriteOnce, ReadWriteOncePod, ReadOnlyMany, ReadWriteMany]}
#         default: [ReadWriteOnce, ReadWriteOncePod, ReadOnlyMany]
#   facts: []
#   needs: []
#   sensitive: false
package storage.access_modes

import data.lib.claims
import data.lib.fields

deny contains finding if {
	some claim in claims.all
	some index, mode in fields.list_at(claim.spec, "accessModes")
	not mode in allowed
	finding := {
		"rule": "access-mode",
		"path": sprintf("%s/accessModes/%d", [claim.path, index]),
		"found": mode,
		"expected": expected,
	}
}

deny contains object.union(finding, fields.seen(claim.spec, "accessModes")) if {
	some claim in claims.all
	count(fields.list_at(claim.spec, "accessModes")) == 0
	finding := {
		"rule": "missing-access-mode",
		"path": concat("", [claim.path, "/accessModes"]),
		"expected": expected,
	}
}

expected := sprintf("one of %s", [concat(", ", allowed)])

allowed := object.get(
	input,
	["parameters", "allowed"],
	["ReadWriteOnce", "ReadWriteOncePod", "ReadOnlyMany"],
)
