# METADATA
# scope: package
# title: Storage classes
# description: |-
#   The class of a claim decides where the data lies, how fast it is, whether it is encrypted and backed up,
#   and what it costs. A claim without a class gets whichever is the default that day. Each claim names its
#   class, among those that the platform offers: PersistentVolumeClaims, the templates of StatefulSets and
#   of a Pod's ephemeral volumes. The empty class, for volumes made by hand, has to be offered like others.
# custom:
#   severity: medium
#   category: storage
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, persistentvolumeclaims], operations: [CREATE, UPDATE]}
#       - {apiGroups: [apps], resources: [statefulsets], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers: [gatekeeper/K8sStorageClass, kyverno/require-storageclass]
#   remedy: Set storageClassName to a class that the platform offers.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       allowed:
#         description: Classes that may be named; no list means any.
#         type: array
#         uniqueItems: true
#         items: {type: string}
#         default: []
#       required:
#         description: Each claim names a class. If false, the default class will do.
#         type: boolean
#         default: true
#   facts: []
#   needs: []
#   sensitive: false
package storage.classes

import data.lib.claims
import data.lib.fields

deny contains finding if {
	class_required == true
	some claim in claims.all
	not fields.present(claim.spec, "storageClassName")
	finding := {
		"rule": "missing-class",
		"path": concat("", [claim.path, "/storageClassName"]),
		"expected": expected,
	}
}

deny contains finding if {
	some claim in claims.all
	fields.present(claim.spec, "storageClassName")
	class := claim.spec.storageClassName
	not offered(class)
	finding := {
		"rule": "class",
		"path": concat("", [claim.path, "/storageClassName"]),
		"found": class,
		"expected": expected,
	}
}

offered(class) if class in allowed

offered(class) if {
	count(allowed) == 0
	class != ""
}

expected := sprintf("one of %s", [concat(", ", [sprintf("`%s`", [class]) | some class in allowed])]) if {
	count(allowed) > 0
} else := "the name of a storage class"

allowed := object.get(input, ["parameters", "allowed"], [])

class_required := object.get(input, ["parameters", "required"], true)
