# METADATA
# scope: package
# title: Services that are reachable from outside
# description: |-
#   A Service of type NodePort opens a port of every node, to everybody who reaches a node, and past network
#   policies; one of type LoadBalancer gets an address of its own from the cloud, which is public unless an
#   annotation says otherwise, and costs money. Applications are exposed by an Ingress or a Gateway; these
#   types are for the namespaces that the platform granted them to. A load balancer that an annotation keeps
#   inside the network passes where the platform names that annotation.
# custom:
#   severity: high
#   category: network
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [services], operations: [CREATE, UPDATE]}
#   controls: [T1133]
#   peers:
#     - gatekeeper/K8sBlockLoadBalancer
#     - gatekeeper/K8sBlockNodePort
#     - kyverno/no-loadbalancer-service
#     - kyverno/restrict-nodeport
#   remedy: Make it a ClusterIP Service and expose it by an Ingress or a Gateway.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       denied:
#         description: Types that need a grant.
#         type: array
#         uniqueItems: true
#         items: {enum: [ClusterIP, NodePort, LoadBalancer, ExternalName]}
#         default: [NodePort, LoadBalancer]
#       namespaces:
#         description: Names of the namespaces that these types are granted to.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       internal:
#         description: >-
#           Annotations, each with the value, that keep a load balancer inside the network. A LoadBalancer
#           with one of them passes.
#         type: object
#         additionalProperties: {type: string}
#         default: {}
#   facts: []
#   needs: []
#   sensitive: false
package network.service_types

import data.lib.fields

deny contains finding if {
	type := input.review.object.spec.type
	type in denied
	not granted
	not inside(type)
	finding := {
		"rule": "service-type",
		"path": "/spec/type",
		"found": type,
		"expected": expected(type),
	}
}

granted if input.review.namespace in namespaces

inside("LoadBalancer") if {
	annotations := fields.object_at(fields.object_at(input.review.object, "metadata"), "annotations")
	some name, value in keeping_inside
	annotations[name] == value
}

expected("LoadBalancer") := sprintf("ClusterIP, or kept inside by the annotation %s", [ways]) if {
	count(keeping_inside) > 0
	ways := concat(" or ", [sprintf("%s: \"%s\"", [name, value]) | some name, value in keeping_inside])
} else := "ClusterIP, unless the namespace was granted this type"

expected(type) := "ClusterIP, unless the namespace was granted this type" if type != "LoadBalancer"

denied := object.get(input, ["parameters", "denied"], ["NodePort", "LoadBalancer"])

namespaces := object.get(input, ["parameters", "namespaces"], [])

keeping_inside := object.get(input, ["parameters", "internal"], {})
