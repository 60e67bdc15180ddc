# METADATA
# scope: package
# title: Sizes of claims
# description: |-
#   Storage costs money from the day it is claimed, used or not, and cannot be made smaller. A claim says how
#   much it needs, and not more than its environment may have at once: PersistentVolumeClaims, the
#   templates of StatefulSets and of a Pod's ephemeral volumes. The environment is a label of the namespace.
# custom:
#   severity: medium
#   category: storage
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, persistentvolumeclaims], operations: [CREATE, UPDATE]}
#       - {apiGroups: [apps], resources: [statefulsets], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [NSA-resource-policies]
#   remedy: Claim less storage, or ask the platform for an exception.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       maximum:
#         description: The most that one claim may request where the environment says nothing else.
#         type: string
#         minLength: 1
#         default: 100Gi
#       environments:
#         description: The most in each environment, by the value of the environment label.
#         type: object
#         additionalProperties: {type: string, minLength: 1}
#         default: {}
#       environmentLabel:
#         description: The namespace's label that names its environment.
#         type: string
#         minLength: 1
#         default: environment
#   facts: []
#   needs: [namespace]
#   sensitive: false
package storage.sizes

import data.lib.claims
import data.lib.fields
import data.lib.namespace
import data.lib.quantity

deny contains object.union(finding, fields.seen(requests, "storage")) if {
	some claim in claims.all
	requests := fields.object_at(fields.object_at(claim.spec, "resources"), "requests")
	not small_enough(requests)
	finding := {
		"rule": "claim-size",
		"path": concat("", [claim.path, "/resources/requests/storage"]),
		"expected": sprintf("more than 0 and at most %s", [most]),
	}
}

small_enough(requests) if {
	quantity.positive(requests.storage)
	quantity.readable(most)
	not quantity.exceeds(requests.storage, most)
}

most := environments[environment] if {
	environment := namespace.label(environment_label)
} else := maximum

maximum := object.get(input, ["parameters", "maximum"], "100Gi")

environments := object.get(input, ["parameters", "environments"], {})

environment_label := object.get(input, ["parameters", "environmentLabel"], "environment")
