# METADATA
# scope: package
# title: Graphics cards and other scarce devices
# description: |-
#   A graphics card costs more than all else of a node, and is held by whoever asked first, used or not.
#   Containers ask for the devices of the parameter only in namespaces that carry the label by which the
#   platform grants them, and for no more than the maximum in one Pod. What is limited is requested: for these
#   resources Kubernetes knows no difference.
# custom:
#   severity: medium
#   category: cost
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers: []
#   remedy: Ask the platform to grant devices to your namespace.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       resources:
#         description: Globs of the names of resources, in which `*` stands for any text.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: ['*/gpu', 'nvidia.com/*', 'gpu.intel.com/*', '*/tpu']
#       label:
#         description: The namespace's label that grants them.
#         type: string
#         minLength: 1
#         default: devices
#       values:
#         description: The values of that label that do.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [granted]
#       maximum:
#         description: How many of one resource the containers of a Pod may have together.
#         type: integer
#         minimum: 1
#         default: 8
#   facts: []
#   needs: [namespace]
#   sensitive: false
package cost.extended_resources

import data.lib.namespace
import data.lib.pod_resources
import data.lib.pointer
import data.lib.quantity

deny contains finding if {
	some claim in claims
	not namespace.label_in(label, values)
	finding := {
		"rule": "device-not-granted",
		"path": claim.path,
		"found": claim.amount,
		"expected": "left out",
		"msg": sprintf("the namespace has no label `%s` that grants `%s`", [label, claim.resource]),
	}
}

deny contains finding if {
	some resource in {claim.resource | some claim in claims}
	total := sum([most |
		some path in {claim.holder | some claim in claims}
		most := max([claim.milli | some claim in claims; claim.resource == resource; claim.holder == path])
	])
	total > maximum * 1000
	finding := {
		"rule": "too-many-devices",
		"path": "/spec/containers",
		"expected": sprintf("at most %d of `%s` in one Pod", [maximum, resource]),
		"msg": sprintf("its containers ask for %d", [ceil(total / 1000)]),
	}
}

# Every device that a container asks for, as {"path", "holder", "resource", "amount", "milli"}. An amount that
# cannot be read is as good as any.
claims contains claim if {
	some place in pod_resources.containers
	some kind in ["requests", "limits"]
	some resource, amount in pod_resources.of(place.container, kind)
	scarce(resource)
	not quantity_of(amount) == 0
	claim := {
		"path": sprintf("%s/resources/%s/%s", [place.path, kind, pointer.segment(resource)]),
		"holder": place.path,
		"resource": resource,
		"amount": amount,
		"milli": quantity_of(amount),
	}
}

quantity_of(amount) := quantity.milli(amount)

quantity_of(amount) := 1000 if not quantity.readable(amount)

scarce(resource) if {
	some pattern in resources
	glob.match(pattern, null, resource)
}

resources := object.get(
	input,
	["parameters", "resources"],
	["*/gpu", "nvidia.com/*", "gpu.intel.com/*", "*/tpu"],
)

label := object.get(input, ["parameters", "label"], "devices")

values := object.get(input, ["parameters", "values"], ["granted"])

maximum := object.get(input, ["parameters", "maximum"], 8)
