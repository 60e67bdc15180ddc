# METADATA
# scope: package
# title: Load balancers per namespace
# description: |-
#   Every Service of type LoadBalancer is a machine or an address that somebody pays for, and a way in from
#   outside. A namespace has at most as many of them as the parameter says. Services that keep the type they
#   had are not asked again, so that lowering the number breaks nothing that runs.
# custom:
#   severity: low
#   category: network
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [services], operations: [CREATE, UPDATE]}
#   controls: []
#   peers: []
#   remedy: Share a load balancer, by an Ingress or a Gateway, or ask for another one.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       maximum:
#         description: The most that a namespace may have.
#         type: integer
#         minimum: 0
#         default: 3
#       namespaces:
#         description: Another number for single namespaces, by name.
#         type: object
#         additionalProperties: {type: integer, minimum: 0}
#         default: {}
#   facts: []
#   needs: []
#   inventory:
#     - {version: v1, kind: Service}
#   sensitive: false
package network.load_balancers

deny contains finding if {
	balances(input.review.object)
	not balanced_before
	number := count(others)
	number >= most
	finding := {
		"rule": "too-many-load-balancers",
		"path": "/spec/type",
		"found": "LoadBalancer",
		"expected": "another type",
		"msg": sprintf("the namespace has %d load balancers, and may have %d", [number, most]),
	}
}

others contains name if {
	some name, service in data.inventory.namespace[input.review.namespace].v1.Service
	balances(service)
	not name == input.review.object.metadata.name
}

# wayguard:ignore need-undeclared without it (a file, an audit) nothing was balanced before
balanced_before if balances(input.review.oldObject)

balances(service) if service.spec.type == "LoadBalancer"

most := object.get(input, ["parameters", "namespaces", input.review.namespace], maximum)

maximum := object.get(input, ["parameters", "maximum"], 3)
