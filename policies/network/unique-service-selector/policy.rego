# METADATA
# scope: package
# title: One Service per selector
# description: |-
#   Two Services of a namespace with the same selector send traffic to the same Pods. Mostly one was copied
#   from the other and its selector forgotten, and the copy serves the wrong application. Services without
#   a selector, whose endpoints are written by hand, are not compared.
# custom:
#   severity: low
#   category: network
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [services], operations: [CREATE, UPDATE]}
#   controls: []
#   peers: [gatekeeper/K8sUniqueServiceSelector]
#   remedy: Select the labels of the Pods that this Service is meant for, or use the Service that is there.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: []
#   needs: []
#   inventory:
#     - {version: v1, kind: Service}
#   sensitive: false
package network.unique_service_selector

import data.lib.fields

deny contains finding if {
	selector := fields.object_at(fields.object_at(input.review.object, "spec"), "selector")
	count(selector) > 0
	others := sort([name |
		some name, service in data.inventory.namespace[input.review.namespace].v1.Service
		service.spec.selector == selector
		not itself(name)
	])
	finding := {
		"rule": "shared-selector",
		"path": "/spec/selector",
		"found": selector,
		"expected": "a selector of its own",
		"msg": sprintf("Service `%s` selects the same Pods", [others[0]]),
	}
}

itself(name) if input.review.object.metadata.name == name
