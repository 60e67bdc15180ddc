# METADATA
# scope: package
# title: Roles and bindings
# description: |-
#   Reads the rules of Roles and ClusterRoles as the API server's authorizer does: `*` stands for everything,
#   and `*/scale` for that subresource of everything; nothing else is a pattern.
package lib.rbac

import data.lib.fields

# The rules of the Role or ClusterRole under review.
rules := fields.list_at(input.review.object, "rules")

# True for the ClusterRoles that the API server itself makes, and makes anew at each start, where they hold
# what the policies refuse. A tenant cannot have another object of such a name; a Role of the same name in a
# namespace is nobody's but its author's.
built_in if {
	input.review.kind.kind == "ClusterRole"
	input.review.object.metadata.name in built_in_names
}

built_in_names := {
	"admin",
	"cluster-admin",
	"edit",
	"system:aggregate-to-edit",
	"system:certificates.k8s.io:kube-apiserver-client-approver",
	"system:certificates.k8s.io:kube-apiserver-client-kubelet-approver",
	"system:certificates.k8s.io:kubelet-serving-approver",
	"system:certificates.k8s.io:legacy-unknown-approver",
	"system:controller:certificate-controller",
	"system:controller:clusterrole-aggregation-controller",
	"system:controller:disruption-controller",
	"system:controller:expand-controller",
	"system:controller:generic-garbage-collector",
	"system:controller:horizontal-pod-autoscaler",
	"system:controller:namespace-controller",
	"system:controller:persistent-volume-binder",
	"system:controller:resourcequota-controller",
	"system:controller:storage-version-migrator-controller",
	"system:kube-controller-manager",
	"system:kubelet-api-admin",
	"system:node",
	"system:persistent-volume-provisioner",
}

# True when the rule allows one of the verbs on the resource (`pods`, `pods/exec`) of the group. `*` among the
# verbs asked for is any verb at all.
grants(rule, group, resource, verbs) if {
	some listed_group in fields.list_at(rule, "apiGroups")
	listed_group in {"*", group}
	some listed in fields.list_at(rule, "resources")
	names(listed, resource)
	allows_verb(rule, verbs)
}

names("*", _) := true

names(listed, resource) if listed == resource

names(listed, resource) if listed == concat("/", ["*", split(resource, "/")[1]])

allows_verb(rule, verbs) if {
	some verb in fields.list_at(rule, "verbs")
	verb in ({"*"} | {wanted | some wanted in verbs})
}

allows_verb(rule, verbs) if {
	"*" in verbs
	count(fields.list_at(rule, "verbs")) > 0
}

# True when the rule allows everything on everything, by wildcards or verb by verb.
allows_everything(rule) if {
	"*" in fields.list_at(rule, "apiGroups")
	"*" in fields.list_at(rule, "resources")
	every verb in every_verb {
		allows_verb(rule, [verb])
	}
}

every_verb := ["get", "list", "watch", "create", "update", "patch", "delete"]

# True when the binding under review refers to this ClusterRole.
refers_to_cluster_role(name) if {
	role_ref.name == name
	role_ref.kind != "Role"
}

role_ref := object.union({"kind": "ClusterRole"}, fields.object_at(input.review.object, "roleRef"))

# The binding's subjects as {"index", "subject"}.
subjects := [{"index": index, "subject": subject} |
	some index, subject in fields.list_at(input.review.object, "subjects")
]

# True for the binding that every cluster has from its first start: system:masters is cluster-admin.
first_binding if {
	input.review.kind.kind == "ClusterRoleBinding"
	input.review.object.metadata.name == "cluster-admin"
	refers_to_cluster_role("cluster-admin")
	[entry.subject.name | some entry in subjects] == ["system:masters"]
}
