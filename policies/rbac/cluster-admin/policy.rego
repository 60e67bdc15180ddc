# METADATA
# scope: package
# title: No bindings to cluster-admin
# description: |-
#   Whoever is bound to cluster-admin may do everything: read every Secret, change this policy, delete the
#   cluster's applications. In a RoleBinding it is everything in one namespace, its RoleBindings included.
#   Nobody is bound to it, but for the subjects that the platform names, such as the group of its own
#   administrators. Which roles count is a parameter; a Role that only has the same name does not.
# custom:
#   severity: critical
#   category: rbac
#   match:
#     resourceRules:
#       - apiGroups: [rbac.authorization.k8s.io]
#         resources: [rolebindings, clusterrolebindings]
#         operations: [CREATE, UPDATE]
#   controls: [CIS-5.1.1, NSA-rbac, T1098.006]
#   peers: [kyverno/restrict-binding-clusteradmin]
#   remedy: Bind a role with the rights that are needed, such as `edit` in one namespace.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       roles:
#         description: ClusterRoles that nobody is bound to.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [cluster-admin]
#       groups:
#         description: Groups that may be bound to them.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       users:
#         description: Users that may be bound to them.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       serviceAccounts:
#         description: Service accounts that may be bound to them, as `namespace/name`.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package rbac.cluster_admin

import data.lib.rbac

deny contains finding if {
	some role in roles
	rbac.refers_to_cluster_role(role)
	not only_named_subjects
	not rbac.first_binding
	finding := {
		"rule": "cluster-admin",
		"path": "/roleRef/name",
		"found": role,
		"expected": "a role with the rights that are needed",
		"msg": message,
	}
}

message := sprintf("%s may not have it", [concat(", ", strangers)]) if {
	count(strangers) > 0
} else := "it stands ready for whoever is added as a subject"

# A binding without subjects is not proven to be for the named ones.
only_named_subjects if {
	count(rbac.subjects) > 0
	count(strangers) == 0
}

strangers := [title |
	some entry in rbac.subjects
	not named(entry.subject)
	title := sprintf("%v `%v`", [object.get(entry.subject, "kind", "?"), object.get(entry.subject, "name", "?")])
]

named(subject) if {
	subject.kind == "Group"
	subject.name in list("groups")
}

named(subject) if {
	subject.kind == "User"
	subject.name in list("users")
}

named(subject) if {
	subject.kind == "ServiceAccount"
	sprintf("%v/%v", [subject.namespace, subject.name]) in list("serviceAccounts")
}

roles := object.get(input, ["parameters", "roles"], ["cluster-admin"])

list(name) := object.get(input, ["parameters", name], [])
