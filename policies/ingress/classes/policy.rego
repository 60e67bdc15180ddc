# METADATA
# scope: package
# title: Ingress classes
# description: |-
#   The class says which controller serves an Ingress. One that names a class without a controller is
#   served by nobody, and one without any class by whichever is the default that day, perhaps the public
#   one. Each Ingress names its class, in spec.ingressClassName or in the older annotation
#   kubernetes.io/ingress.class; where both stand, both are judged.
# custom:
#   severity: medium
#   category: ingress
#   match:
#     resourceRules:
#       - {apiGroups: [networking.k8s.io], resources: [ingresses], operations: [CREATE, UPDATE]}
#   controls: []
#   peers: [kyverno/restrict-ingress-classes]
#   remedy: Set spec.ingressClassName to a class that the platform offers.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       allowed:
#         description: Classes that may be named; empty means any.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       required:
#         description: Each Ingress names a class. If false, the default class will do.
#         type: boolean
#         default: true
#   facts: []
#   needs: []
#   sensitive: false
package ingress.classes

import data.lib.fields

deny contains finding if {
	count(named) == 0
	class_required == true
	finding := {
		"rule": "missing-class",
		"path": "/spec/ingressClassName",
		"expected": expected,
	}
}

deny contains finding if {
	some path, class in named
	not offered(class)
	finding := {
		"rule": "class",
		"path": path,
		"found": class,
		"expected": expected,
	}
}

# The classes that are named, by the place that names them.
named["/spec/ingressClassName"] := class if {
	class := fields.object_at(input.review.object, "spec").ingressClassName
	not is_null(class)
}

named["/metadata/annotations/kubernetes.io~1ingress.class"] := class if {
	class := input.review.object.metadata.annotations["kubernetes.io/ingress.class"]
	not is_null(class)
}

offered(class) if class in allowed

# No class is named by an empty text.
offered(class) if {
	count(allowed) == 0
	class != ""
}

expected := sprintf("one of %s", [concat(", ", allowed)]) if {
	count(allowed) > 0
} else := "the name of a class"

allowed := object.get(input, ["parameters", "allowed"], [])

class_required := object.get(input, ["parameters", "required"], true)
