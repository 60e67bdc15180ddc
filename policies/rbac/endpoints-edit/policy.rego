# METADATA
# scope: package
# title: Nobody edits Endpoints by default
# description: |-
#   Whoever may write Endpoints or EndpointSlices can have an ingress controller or load balancer forward to
#   Pods of other namespaces, past their network policies (CVE-2021-25740). Clusters that began before
#   Kubernetes 1.22 still give that right to everybody with the default roles `edit` and `admin`. Neither
#   they nor a ClusterRole that is gathered into them grants it.
# custom:
#   severity: high
#   category: rbac
#   match:
#     resourceRules:
#       - {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], operations: [CREATE, UPDATE]}
#   controls: [NSA-rbac, T1557]
#   peers: [gatekeeper/K8sBlockEndpointEditDefaultRole, kyverno/restrict-edit-for-endpoints]
#   remedy: Take endpoints and endpointslices out of the rule, or its verbs create, update and patch.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       roles:
#         description: ClusterRoles that everybody has who works in a namespace.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [admin, edit, system:aggregate-to-admin, system:aggregate-to-edit]
#   facts: []
#   needs: []
#   sensitive: false
package rbac.endpoints_edit

import data.lib.fields
import data.lib.namespace
import data.lib.rbac

# Some clusters list endpoints under the wrong API group and keep doing so in their backups: the group is
# not looked at.
deny contains finding if {
	everybody_has_it
	some index, rule in rbac.rules
	some number, resource in fields.list_at(rule, "resources")
	resource in {"endpoints", "endpointslices", "*"}
	rbac.allows_verb(rule, ["create", "update", "patch"])
	finding := {
		"rule": "endpoints",
		"path": sprintf("/rules/%d/resources/%d", [index, number]),
		"found": resource,
		"expected": "neither endpoints nor endpointslices, or only verbs that read",
	}
}

everybody_has_it if input.review.object.metadata.name in roles

everybody_has_it if {
	some role in ["admin", "edit"]
	label := concat("", ["rbac.authorization.k8s.io/aggregate-to-", role])
	namespace.labels_of(input.review.object)[label] == "true"
}

roles := object.get(
	input,
	["parameters", "roles"],
	["admin", "edit", "system:aggregate-to-admin", "system:aggregate-to-edit"],
)
