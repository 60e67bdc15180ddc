# METADATA
# scope: package
# title: Listeners of Gateways
# description: |-
#   A Gateway's listener that speaks plain HTTP lets everybody on the way read along, and one whose routes
#   may come from all namespaces lets every team serve every host of it. Listeners speak HTTPS or TLS, and
#   say which namespaces may attach routes: their own (which is what an absent field means) or those with a
#   label. A listener for plain HTTP that only sends browsers on to HTTPS may be named as an exception.
# custom:
#   severity: high
#   category: ingress
#   match:
#     resourceRules:
#       - {apiGroups: [gateway.networking.k8s.io], resources: [gateways], operations: [CREATE, UPDATE]}
#   controls: [NSA-encryption, T1557]
#   remedy: Use protocol HTTPS, and select namespaces by label in allowedRoutes.namespaces.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       protocols:
#         description: Protocols that listeners may speak.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [HTTPS, TLS]
#       redirects:
#         description: Names of listeners that may speak plain HTTP, for sending browsers on to HTTPS.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package ingress.gateway_listeners

import data.lib.fields

deny contains object.union(finding, fields.seen(listener, "protocol")) if {
	some index, listener in listeners
	not encrypted(listener)
	not redirect(listener)
	finding := {
		"rule": "protocol",
		"path": sprintf("/spec/listeners/%d/protocol", [index]),
		"expected": sprintf("one of %s", [concat(", ", protocols)]),
	}
}

deny contains finding if {
	some index, listener in listeners
	from := fields.object_at(fields.object_at(listener, "allowedRoutes"), "namespaces").from
	not from in ["Same", "Selector", "None"]
	not is_null(from)
	finding := {
		"rule": "routes-from",
		"path": sprintf("/spec/listeners/%d/allowedRoutes/namespaces/from", [index]),
		"found": from,
		"expected": "Same, or Selector with the namespaces that may attach routes",
	}
}

deny contains finding if {
	some index, listener in listeners
	namespaces := fields.object_at(fields.object_at(listener, "allowedRoutes"), "namespaces")
	namespaces.from == "Selector"
	selector := fields.object_at(namespaces, "selector")
	count(fields.object_at(selector, "matchLabels")) == 0
	count(fields.list_at(selector, "matchExpressions")) == 0
	finding := object.union(fields.seen(namespaces, "selector"), {
		"rule": "empty-selector",
		"path": sprintf("/spec/listeners/%d/allowedRoutes/namespaces/selector", [index]),
		"expected": "labels of the namespaces that may attach routes; none selects all namespaces",
	})
}

encrypted(listener) if listener.protocol in protocols

redirect(listener) if {
	listener.protocol == "HTTP"
	listener.name in redirects
}

listeners := fields.list_at(fields.object_at(input.review.object, "spec"), "listeners")

protocols := object.get(input, ["parameters", "protocols"], ["HTTPS", "TLS"])

redirects := object.get(input, ["parameters", "redirects"], [])
