# METADATA
# scope: package
# title: No wildcards in roles
# description: |-
#   A `*` in a role grants what nobody thought of: every verb also means `escalate` and `impersonate`, every
#   resource also means Secrets, and both mean whatever is installed next year. Roles list what they grant.
#   A ClusterRole whose aggregation rule selects by no label gathers the rights of all others, and counts as
#   a wildcard. The ClusterRoles that the API server itself makes are left out.
# custom:
#   severity: high
#   category: rbac
#   match:
#     resourceRules:
#       - {apiGroups: [rbac.authorization.k8s.io], resources: [roles, clusterroles], operations: [CREATE, UPDATE]}
#   controls: [CIS-5.1.3, NSA-rbac, T1098.006]
#   peers: [kyverno/restrict-wildcard-verbs, kyverno/restrict-wildcard-resources]
#   remedy: List the verbs, resources and API groups that are needed.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       fields:
#         description: The lists of a role's rules that may not hold a wildcard.
#         type: array
#         uniqueItems: true
#         items: {enum: [verbs, resources, apiGroups, nonResourceURLs]}
#         default: [verbs, resources, apiGroups, nonResourceURLs]
#       apiGroups:
#         description: >-
#           API groups of the platform's own. Rules for none but these may use wildcards for verbs and
#           resources.
#         type: array
#         uniqueItems: true
#         items: {type: string}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package rbac.wildcards

import data.lib.fields
import data.lib.rbac

deny contains finding if {
	some index, rule in rbac.rules
	some field in judged_fields
	some number, value in fields.list_at(rule, field)
	wildcard(value)
	not own_groups_only(rule)
	not rbac.built_in
	finding := {
		"rule": "wildcard",
		"path": sprintf("/rules/%d/%s/%d", [index, field, number]),
		"found": value,
		"expected": sprintf("one of the %s that are needed, without `*`", [field]),
	}
}

deny contains finding if {
	some index, selector in selectors
	count(fields.object_at(selector, "matchLabels")) == 0
	count(fields.list_at(selector, "matchExpressions")) == 0
	finding := {
		"rule": "aggregates-everything",
		"path": sprintf("/aggregationRule/clusterRoleSelectors/%d", [index]),
		"found": selector,
		"expected": "labels of the ClusterRoles to gather; none selects all of them",
	}
}

wildcard("*") := true

# `*/scale` is that subresource of everything.
wildcard(value) if {
	is_string(value)
	startswith(value, "*/")
}

own_groups_only(rule) if {
	groups := fields.list_at(rule, "apiGroups")
	count(groups) > 0
	every group in groups {
		group in own_groups
	}
}

selectors := fields.list_at(fields.object_at(input.review.object, "aggregationRule"), "clusterRoleSelectors")

judged_fields := object.get(
	input,
	["parameters", "fields"],
	["verbs", "resources", "apiGroups", "nonResourceURLs"],
)

own_groups := object.get(input, ["parameters", "apiGroups"], [])
