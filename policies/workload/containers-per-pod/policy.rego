# METADATA
# scope: package
# title: Few containers in a Pod
# description: |-
#   Containers of one Pod live, scale and fail together. A Pod with many of them is several applications that
#   should be several workloads. Counts the containers that run side by side: those of spec.containers and
#   the sidecars among the init containers (restartPolicy Always). Init containers that end, and ephemeral
#   ones, do not count.
# custom:
#   severity: low
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers: [kyverno/limit-containers-per-pod]
#   remedy: Move what does not have to share the Pod's network and volumes into a workload of its own.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       maximum:
#         description: The number of containers that may run side by side.
#         type: integer
#         minimum: 1
#         default: 4
#   facts: []
#   needs: []
#   sensitive: false
package workload.containers_per_pod

import data.lib.fields

deny contains finding if {
	number := count(fields.list_at(spec, "containers")) + count(sidecars)
	number > maximum
	finding := {
		"rule": "too-many-containers",
		"path": "/spec/containers",
		"expected": sprintf("at most %d containers, sidecars included", [maximum]),
		"msg": sprintf("there are %d", [number]),
	}
}

sidecars := [container |
	some container in fields.list_at(spec, "initContainers")
	container.restartPolicy == "Always"
]

spec := fields.object_at(input.review.object, "spec")

maximum := object.get(input, ["parameters", "maximum"], 4)
