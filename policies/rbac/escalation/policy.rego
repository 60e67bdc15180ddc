# METADATA
# scope: package
# title: No verbs that lift rights
# description: |-
#   Three verbs step over the limits that RBAC sets: `escalate` lets one write rights into a role that one
#   has not, `bind` lets one hand out a role that one has not, and `impersonate` lets one be somebody else.
#   No role grants them, also not by `*`. Granting `bind` for named roles is how a team hands out its own;
#   the platform lists the roles for which that is fine. ClusterRoles of the API server are left out.
# custom:
#   severity: critical
#   category: rbac
#   match:
#     resourceRules:
#       - {apiGroups: [rbac.authorization.k8s.io], resources: [roles, clusterroles], operations: [CREATE, UPDATE]}
#   controls: [CIS-5.1.8, NSA-rbac, T1098.006]
#   peers: [kyverno/restrict-escalation-verbs-roles]
#   remedy: Remove the verb; to hand out single roles, grant `bind` with those roles as resourceNames.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       verbs:
#         description: Verbs that no role grants.
#         type: array
#         uniqueItems: true
#         items: {enum: [escalate, bind, impersonate]}
#         default: [escalate, bind, impersonate]
#       bindable:
#         description: Roles for which `bind` may be granted, by resourceNames.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package rbac.escalation

import data.lib.fields
import data.lib.rbac

# These verbs mean something on few resources; where one is written out, it is refused whatever stands beside.
deny contains finding if {
	some index, rule in rbac.rules
	some number, verb in fields.list_at(rule, "verbs")
	verb in verbs
	not bind_of_named_roles(rule, verb)
	not rbac.built_in
	finding := {
		"rule": verb,
		"path": sprintf("/rules/%d/verbs/%d", [index, number]),
		"found": verb,
		"expected": sprintf("none of %s", [concat(", ", verbs)]),
	}
}

deny contains finding if {
	some index, rule in rbac.rules
	some number, "*" in fields.list_at(rule, "verbs")
	some verb in verbs
	some target in targets[verb]
	rbac.grants(rule, target.group, target.resource, [verb])
	not rbac.built_in
	finding := {
		"rule": verb,
		"path": sprintf("/rules/%d/verbs/%d", [index, number]),
		"found": "*",
		"expected": "the verbs that are needed",
		"msg": sprintf("every verb includes `%s` of %s", [verb, target.resource]),
	}
}

bind_of_named_roles(rule, "bind") if {
	roles := fields.list_at(rule, "resourceNames")
	count(roles) > 0
	every role in roles {
		role in bindable
	}
}

# What each verb is about.
targets := {
	"escalate": role_targets,
	"bind": role_targets,
	"impersonate": [
		{"group": "", "resource": "users"},
		{"group": "", "resource": "groups"},
		{"group": "", "resource": "serviceaccounts"},
		{"group": "authentication.k8s.io", "resource": "uids"},
	],
}

role_targets := [
	{"group": "rbac.authorization.k8s.io", "resource": "roles"},
	{"group": "rbac.authorization.k8s.io", "resource": "clusterroles"},
]

verbs := object.get(input, ["parameters", "verbs"], ["escalate", "bind", "impersonate"])

bindable := object.get(input, ["parameters", "bindable"], [])
