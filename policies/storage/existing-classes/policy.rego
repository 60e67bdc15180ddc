# METADATA
# scope: package
# title: Storage classes that exist
# description: |-
#   A claim on a storage class that the cluster does not have waits for ever, and with it the Pod: the name was
#   misspelt, or comes from another cluster. Each class that is named, by a claim itself, by a StatefulSet's
#   templates or by an ephemeral volume of a Pod, is one of the cluster's. The empty name, which means a volume
#   that exists already, and no name, which means the default class, pass.
# custom:
#   severity: medium
#   category: storage
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, persistentvolumeclaims], operations: [CREATE, UPDATE]}
#       - {apiGroups: [apps], resources: [statefulsets], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers: [gatekeeper/K8sStorageClass]
#   remedy: Name one of the classes that `kubectl get storageclasses` lists.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: []
#   needs: []
#   inventory:
#     - {group: storage.k8s.io, version: v1, kind: StorageClass}
#   sensitive: false
package storage.existing_classes

import data.lib.claims

deny contains finding if {
	some claim in claims.all
	class := claim.spec.storageClassName
	not class in {null, ""}
	not classes[class]
	finding := {
		"rule": "no-such-class",
		"path": concat("", [claim.path, "/storageClassName"]),
		"found": class,
		"expected": expected,
	}
}

expected := sprintf("one of %s", [concat(", ", [sprintf("`%s`", [name]) | some name, _ in classes])]) if {
	count(classes) > 0
} else := "unset; the cluster has no storage class"

classes := object.get(data.inventory, ["cluster", "storage.k8s.io/v1", "StorageClass"], {})
