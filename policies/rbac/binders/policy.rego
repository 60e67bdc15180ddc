# METADATA
# scope: package
# title: Who may bind what
# description: |-
#   RBAC lets everybody hand out the rights that they have. A platform often wants less: team leads bind
#   `edit` and `view`, only the platform's own group binds `admin`. The grants say who may write bindings
#   to which ClusterRoles; a role that stands in several grants may be bound by all of their people, and one
#   that stands in none by whoever RBAC lets, unless `others` says no. Who asks must be known. Bindings to
#   a namespace's own Roles are not judged.
# custom:
#   severity: high
#   category: rbac
#   match:
#     resourceRules:
#       - apiGroups: [rbac.authorization.k8s.io]
#         resources: [rolebindings, clusterrolebindings]
#         operations: [CREATE, UPDATE]
#   controls: [NSA-rbac, T1098.006]
#   remedy: Have the binding made by somebody who may bind this role, or bind a role that you may.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       grants:
#         description: >-
#           Who may bind which ClusterRoles. A name of a role that ends in `*` stands for all that begin so.
#         type: array
#         items:
#           type: object
#           additionalProperties: false
#           required: [roles]
#           properties:
#             roles: {type: array, minItems: 1, items: {type: string, minLength: 1}}
#             groups: {type: array, items: {type: string, minLength: 1}, default: []}
#             users: {type: array, items: {type: string, minLength: 1}, default: []}
#         default:
#           - {roles: [cluster-admin, admin, "system:*"], groups: ["system:masters"]}
#       others:
#         description: Let roles that stand in no grant be bound by whoever RBAC lets.
#         type: boolean
#         default: true
#   facts: []
#   needs: [user]
#   sensitive: false
package rbac.binders

import data.lib.fields
import data.lib.rbac

deny contains object.union(finding, fields.seen(rbac.role_ref, "name")) if {
	rbac.role_ref.kind != "Role"
	not may_bind
	finding := {
		"rule": "binder",
		"path": "/roleRef/name",
		"expected": "a role that the one who asks may bind",
		"msg": sprintf("`%v` may not bind it", [object.get(user, "username", "")]),
	}
}

may_bind if {
	some grant in concerning
	holder(grant)
}

may_bind if {
	others_allowed == true
	count(concerning) == 0
}

# The grants that speak of the role.
concerning := [grant |
	some grant in grants
	some pattern in grant.roles
	matches(pattern, rbac.role_ref.name)
]

matches(pattern, role) if pattern == role

matches(pattern, role) if {
	endswith(pattern, "*")
	startswith(role, trim_suffix(pattern, "*"))
}

holder(grant) if user.username in grant.users

holder(grant) if {
	some group in user.groups
	group in grant.groups
}

user := fields.object_at(input.review, "userInfo")

grants := object.get(
	input,
	["parameters", "grants"],
	[{"roles": ["cluster-admin", "admin", "system:*"], "groups": ["system:masters"]}],
)

others_allowed := object.get(input, ["parameters", "others"], true)
