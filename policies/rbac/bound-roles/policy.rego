# METADATA
# scope: package
# title: What bound roles grant
# description: |-
#   A role hurts nobody until somebody is bound to it, and a role that was written before anybody looked at
#   roles is found when it is bound. The rules of the role that a binding refers to are read: it does not
#   grant everything, and none of the rights that let one run commands in Pods. A role that does not exist
#   only warns, because whoever writes it later decides what the binding grants. The default roles that
#   teams work with are left out, as are the bindings of the cluster's own controllers.
# custom:
#   severity: high
#   category: rbac
#   match:
#     resourceRules:
#       - apiGroups: [rbac.authorization.k8s.io]
#         resources: [rolebindings, clusterrolebindings]
#         operations: [CREATE, UPDATE]
#   controls: [CIS-5.1.1, CIS-5.1.3, NSA-rbac, T1098.006, T1609]
#   peers:
#     - polaris/clusterrolebindingClusterAdmin
#     - polaris/clusterrolebindingPodExecAttach
#     - polaris/rolebindingClusterAdminClusterRole
#     - polaris/rolebindingClusterAdminRole
#     - polaris/rolebindingClusterRolePodExecAttach
#     - polaris/rolebindingRolePodExecAttach
#   remedy: Bind a role that lists what is needed, without these rights.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       rights:
#         description: Rights that no bound role grants. The verb `*` means any verb at all.
#         type: array
#         items:
#           type: object
#           additionalProperties: false
#           required: [group, resource, verbs]
#           properties:
#             group: {type: string}
#             resource: {type: string, minLength: 1}
#             verbs: {type: array, minItems: 1, items: {type: string, minLength: 1}}
#         default:
#           - {group: "", resource: pods/exec, verbs: [get, create]}
#           - {group: "", resource: pods/attach, verbs: [get, create]}
#       roles:
#         description: ClusterRoles that may be bound in a namespace, whatever they grant.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [admin, edit]
#   facts: []
#   needs: []
#   inventory:
#     - {group: rbac.authorization.k8s.io, version: v1, kind: ClusterRole}
#     - {group: rbac.authorization.k8s.io, version: v1, kind: Role}
#   sensitive: false
package rbac.bound_roles

import data.lib.fields
import data.lib.rbac

deny contains finding if {
	not left_out
	some rule in fields.list_at(bound, "rules")
	rbac.allows_everything(rule)
	finding := {
		"rule": "everything",
		"path": "/roleRef/name",
		"found": rbac.role_ref.name,
		"expected": "a role that lists what it grants",
		"msg": "it grants everything",
	}
}

deny contains finding if {
	not left_out
	some rule in fields.list_at(bound, "rules")
	some right in rights
	rbac.grants(rule, right.group, right.resource, right.verbs)
	finding := {
		"rule": "sensitive-right",
		"path": "/roleRef/name",
		"found": rbac.role_ref.name,
		"expected": sprintf("a role without %s", [right.resource]),
		"msg": sprintf("it grants %s", [right.resource]),
	}
}

warn contains finding if {
	not bound
	finding := object.union(fields.seen(rbac.role_ref, "name"), {
		"rule": "missing-role",
		"path": "/roleRef/name",
		"expected": "a role that exists",
	})
}

bound := data.inventory.cluster[api].ClusterRole[rbac.role_ref.name] if rbac.role_ref.kind == "ClusterRole"

bound := data.inventory.namespace[input.review.namespace][api].Role[rbac.role_ref.name] if {
	rbac.role_ref.kind == "Role"
}

api := "rbac.authorization.k8s.io/v1"

left_out if rbac.first_binding

# In a namespace, not for the cluster.
left_out if {
	input.review.kind.kind == "RoleBinding"
	some role in roles
	rbac.refers_to_cluster_role(role)
}

# The API server makes these anew at each start, so that nobody else has a binding of such a name.
left_out if {
	input.review.kind.kind == "ClusterRoleBinding"
	input.review.object.metadata.name == rbac.role_ref.name
	regex.match(`^system:(controller:.*|kube-controller-manager)$`, rbac.role_ref.name)
}

rights := object.get(input, ["parameters", "rights"], [
	{"group": "", "resource": "pods/exec", "verbs": ["get", "create"]},
	{"group": "", "resource": "pods/attach", "verbs": ["get", "create"]},
])

roles := object.get(input, ["parameters", "roles"], ["admin", "edit"])
