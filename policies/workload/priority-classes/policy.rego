# METADATA
# scope: package
# title: Priority classes
# description: |-
#   When nodes are full, Pods of a higher priority drive out those of a lower one. Each Pod says how much it
#   matters, and takes no more than it may have. The classes that begin with `system-` are those of the
#   cluster itself: a Pod that has one starves everybody else, and has it only where the parameters say so.
#   They may list the classes that are allowed, and others for single namespaces.
# custom:
#   severity: medium
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers:
#     - kyverno/allowed-pod-priorities
#     - kyverno/require-pod-priorityclassname
#     - polaris/priorityClassNotSet
#   remedy: Set spec.priorityClassName to a class that the platform offers to your namespace.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       required:
#         description: Refuse Pods that name no class.
#         type: boolean
#         default: true
#       allowed:
#         description: The classes that Pods may have; empty allows all but those of the system.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       namespaces:
#         description: Classes for single namespaces, by the namespace's name, instead of `allowed`.
#         type: object
#         additionalProperties: {type: array, items: {type: string, minLength: 1}}
#         default: {}
#   facts: []
#   needs: []
#   sensitive: false
package workload.priority_classes

import data.lib.fields

deny contains object.union(finding, fields.seen(spec, "priorityClassName")) if {
	required == true
	not named
	finding := {
		"rule": "no-priority-class",
		"path": "/spec/priorityClassName",
		"expected": "set to a priority class",
	}
}

deny contains finding if {
	named
	class := spec.priorityClassName
	not permitted(class)
	finding := {
		"rule": "priority-class-not-allowed",
		"path": "/spec/priorityClassName",
		"found": class,
		"expected": expected,
	}
}

named if {
	is_string(spec.priorityClassName)
	spec.priorityClassName != ""
}

permitted(class) if class in classes

permitted(class) if {
	count(classes) == 0
	not startswith(class, "system-")
}

expected := concat(" or ", classes) if {
	count(classes) > 0
} else := "a class that is not the system's"

classes := namespaces[input.review.namespace]

classes := allowed if not namespaces[input.review.namespace]

spec := fields.object_at(input.review.object, "spec")

required := object.get(input, ["parameters", "required"], true)

allowed := object.get(input, ["parameters", "allowed"], [])

namespaces := object.get(input, ["parameters", "namespaces"], {})
