package lib.rbac_test

import data.lib.rbac

rule(groups, resources, verbs) := {"apiGroups": groups, "resources": resources, "verbs": verbs}

test_a_rule_grants_what_it_lists if {
	listed := rule(["", "apps"], ["pods", "deployments"], ["get", "list"])
	rbac.grants(listed, "apps", "deployments", ["list"])
	rbac.grants(listed, "", "pods", ["create", "get"])
	not rbac.grants(listed, "batch", "deployments", ["list"])
	not rbac.grants(listed, "apps", "replicasets", ["list"])
	not rbac.grants(listed, "apps", "deployments", ["create"])
}

test_wildcards_grant_everything if {
	rbac.grants(rule(["*"], ["pods"], ["get"]), "", "pods", ["get"])
	rbac.grants(rule([""], ["*"], ["get"]), "", "pods/exec", ["get"])
	rbac.grants(rule([""], ["pods"], ["*"]), "", "pods", ["get"])
}

test_a_subresource_of_everything_is_that_subresource_only if {
	scale := rule(["*"], ["*/scale"], ["get"])
	rbac.grants(scale, "apps", "deployments/scale", ["get"])
	not rbac.grants(scale, "apps", "deployments/status", ["get"])
	not rbac.grants(scale, "apps", "deployments", ["get"])
	not rbac.grants(scale, "apps", "scale", ["get"])
	not rbac.grants(rule(["*"], ["xx/scale"], ["get"]), "apps", "deployments/scale", ["get"])
	not rbac.grants(rule(["*"], ["pods/*"], ["get"]), "", "pods/exec", ["get"])
}

test_any_verb_is_asked_for_by_a_star if {
	rbac.grants(rule([""], ["nodes/proxy"], ["delete"]), "", "nodes/proxy", ["*"])
	not rbac.grants(rule([""], ["nodes/proxy"], []), "", "nodes/proxy", ["*"])
}

test_absent_lists_grant_nothing if {
	every key in ["apiGroups", "resources", "verbs"] {
		partial := object.remove(rule(["*"], ["*"], ["*"]), [key])
		not rbac.grants(partial, "", "pods", ["get"])
	}
	not rbac.grants(null, "", "pods", ["get"])
}

test_everything_is_allowed_by_wildcards_or_verb_by_verb if {
	rbac.allows_everything(rule(["*"], ["*"], ["*"]))
	all_verbs := ["get", "list", "watch", "create", "update", "patch", "delete"]
	rbac.allows_everything(rule(["*"], ["*"], all_verbs))
	every index, _ in all_verbs {
		fewer := [verb | some i, verb in all_verbs; i != index]
		not rbac.allows_everything(rule(["*"], ["*"], fewer))
	}
	not rbac.allows_everything(rule([""], ["*"], ["*"]))
	not rbac.allows_everything(rule(["*"], ["pods"], ["*"]))
}

test_the_rules_are_those_of_the_role if {
	rbac.rules == [{"verbs": []}] with input.review.object as {"rules": [{"verbs": []}]}
	rbac.rules == [] with input.review.object as {"rules": null}
	rbac.rules == [] with input.review.object as {}
}

of_kind(kind, name) := {"kind": {"kind": kind}, "object": {"metadata": {"name": name}}}

test_cluster_roles_of_the_api_server_are_built_in if {
	rbac.built_in with input.review as of_kind("ClusterRole", "cluster-admin")
	rbac.built_in with input.review as of_kind("ClusterRole", "system:controller:namespace-controller")
}

test_other_roles_are_not_built_in if {
	not rbac.built_in with input.review as of_kind("Role", "cluster-admin")
	not rbac.built_in with input.review as of_kind("ClusterRole", "system:mine")
	not rbac.built_in with input.review as {"kind": {"kind": "ClusterRole"}, "object": {}}
}

test_a_binding_refers_to_a_cluster_role_by_kind_and_name if {
	rbac.refers_to_cluster_role("edit") with input.review.object.roleRef as {"kind": "ClusterRole", "name": "edit"}
	rbac.refers_to_cluster_role("edit") with input.review.object.roleRef as {"name": "edit"}
	not rbac.refers_to_cluster_role("edit") with input.review.object.roleRef as {"kind": "Role", "name": "edit"}
	not rbac.refers_to_cluster_role("edit") with input.review.object.roleRef as {"kind": "ClusterRole", "name": "view"}
	not rbac.refers_to_cluster_role("edit") with input.review.object as {}
}

test_subjects_are_listed_with_their_index if {
	rbac.subjects == [{"index": 0, "subject": {"name": "a"}}] with input.review.object.subjects as [{"name": "a"}]
	rbac.subjects == [] with input.review.object as {"subjects": null}
}

binding(kind, name, role, names) := {
	"kind": {"kind": kind},
	"object": {
		"metadata": {"name": name},
		"roleRef": {"kind": "ClusterRole", "name": role},
		"subjects": [{"kind": "Group", "name": subject} | some subject in names],
	},
}

test_the_first_binding_is_known_by_all_of_it if {
	masters := ["system:masters"]
	first := binding("ClusterRoleBinding", "cluster-admin", "cluster-admin", masters)
	rbac.first_binding with input.review as first
	every review in [
		binding("RoleBinding", "cluster-admin", "cluster-admin", masters),
		binding("ClusterRoleBinding", "mine", "cluster-admin", masters),
		binding("ClusterRoleBinding", "cluster-admin", "edit", masters),
		binding("ClusterRoleBinding", "cluster-admin", "cluster-admin", ["system:masters", "jane"]),
	] {
		not rbac.first_binding with input.review as review
	}
}

test_every_role_of_the_api_server_that_grants_much_is_built_in if {
	names := {
		"system:controller:": [
			"certificate-controller",
			"clusterrole-aggregation-controller",
			"disruption-controller",
			"expand-controller",
			"generic-garbage-collector",
			"horizontal-pod-autoscaler",
			"namespace-controller",
			"persistent-volume-binder",
			"resourcequota-controller",
			"storage-version-migrator-controller",
		],
		"system:certificates.k8s.io:": [
			"kube-apiserver-client-approver",
			"kube-apiserver-client-kubelet-approver",
			"kubelet-serving-approver",
			"legacy-unknown-approver",
		],
		"system:": [
			"aggregate-to-edit",
			"kube-controller-manager",
			"kubelet-api-admin",
			"node",
			"persistent-volume-provisioner",
		],
		"": [
			"admin",
			"cluster-admin",
			"edit",
		],
	}
	every prefix, endings in names {
		every ending in endings {
			name := concat("", [prefix, ending])
			rbac.built_in with input.review as {"kind": {"kind": "ClusterRole"}, "object": {"metadata": {"name": name}}}
		}
	}
}

test_a_binding_without_a_kind_of_role_refers_to_a_cluster_role if {
	rbac.role_ref == {"kind": "ClusterRole", "name": "edit"} with input.review.object.roleRef as {"name": "edit"}
}
