package rbac.cluster_admin_test

import data.rbac.cluster_admin

binding(role, subjects) := {"review": {
	"kind": {"kind": "ClusterRoleBinding"},
	"object": {
		"metadata": {"name": "web"},
		"roleRef": {"kind": "ClusterRole", "name": role},
		"subjects": subjects,
	},
}}

finding(role, msg) := {
	"rule": "cluster-admin",
	"path": "/roleRef/name",
	"found": role,
	"expected": "a role with the rights that are needed",
	"msg": msg,
}

jane := {"kind": "User", "name": "jane"}

admins := {"kind": "Group", "name": "platform-admins"}

robot := {"kind": "ServiceAccount", "namespace": "ci", "name": "robot"}

test_a_binding_to_cluster_admin_is_denied if {
	expected := {finding("cluster-admin", "User `jane`, Group `platform-admins` may not have it")}
	cluster_admin.deny == expected with input as binding("cluster-admin", [jane, admins])
}

test_other_roles_are_allowed if {
	cluster_admin.deny == set() with input as binding("edit", [jane])
}

test_a_role_of_the_same_name_is_allowed if {
	object := {"roleRef": {"kind": "Role", "name": "cluster-admin"}, "subjects": [jane]}
	cluster_admin.deny == set() with input.review.object as object
}

test_an_absent_kind_is_a_cluster_role_and_denied if {
	object := {"roleRef": {"name": "cluster-admin"}, "subjects": [jane]}
	cluster_admin.deny == {finding(
		"cluster-admin",
		"User `jane` may not have it",
	)} with input.review.object as object
}

test_an_absent_role_is_allowed_for_it_binds_nothing if {
	cluster_admin.deny == set() with input.review.object as {"subjects": [jane]}
}

test_absent_subjects_are_denied if {
	ready := finding("cluster-admin", "it stands ready for whoever is added as a subject")
	every subjects in [null, []] {
		cluster_admin.deny == {ready} with input as binding("cluster-admin", subjects)
			with input.parameters.users as ["jane"]
	}
}

test_named_subjects_are_allowed if {
	result := cluster_admin.deny with input as binding("cluster-admin", [jane, admins, robot])
		with input.parameters as {
			"users": ["jane"],
			"groups": ["platform-admins"],
			"serviceAccounts": ["ci/robot"],
		}
	result == set()
}

test_a_name_counts_for_its_own_kind_only if {
	parameters := {"users": ["platform-admins"], "groups": ["jane"], "serviceAccounts": ["robot"]}
	result := cluster_admin.deny with input as binding("cluster-admin", [jane, admins, robot])
		with input.parameters as parameters
	result == {finding(
		"cluster-admin",
		"User `jane`, Group `platform-admins`, ServiceAccount `robot` may not have it",
	)}
}

test_a_user_who_looks_like_a_service_account_is_denied if {
	disguised := {"kind": "User", "namespace": "ci", "name": "robot"}
	result := cluster_admin.deny with input as binding("cluster-admin", [disguised])
		with input.parameters.serviceAccounts as ["ci/robot"]
	result == {finding("cluster-admin", "User `robot` may not have it")}
}

test_one_stranger_among_named_subjects_is_denied if {
	result := cluster_admin.deny with input as binding("cluster-admin", [admins, {}])
		with input.parameters.groups as ["platform-admins"]
	result == {finding("cluster-admin", "? `?` may not have it")}
}

test_the_roles_are_a_parameter if {
	result := cluster_admin.deny with input as binding("admin", [jane])
		with input.parameters.roles as ["admin"]
	result == {finding("admin", "User `jane` may not have it")}
	other := cluster_admin.deny with input as binding("cluster-admin", [jane])
		with input.parameters.roles as ["admin"]
	other == set()
}

first(kind, name, role, subjects) := {
	"kind": {"kind": kind},
	"object": {
		"metadata": {"name": name},
		"roleRef": {"kind": "ClusterRole", "name": role},
		"subjects": [{"kind": "Group", "name": subject} | some subject in subjects],
	},
}

test_the_binding_that_every_cluster_has_is_allowed if {
	cluster_admin.deny == set() with input.review as first(
		"ClusterRoleBinding",
		"cluster-admin", "cluster-admin", ["system:masters"],
	)
}

test_what_only_resembles_it_is_denied if {
	every review in [
		first("RoleBinding", "cluster-admin", "cluster-admin", ["system:masters"]),
		first("ClusterRoleBinding", "mine", "cluster-admin", ["system:masters"]),
		first("ClusterRoleBinding", "cluster-admin", "cluster-admin", ["system:masters", "jane"]),
		first("ClusterRoleBinding", "cluster-admin", "cluster-admin", ["jane"]),
	] {
		count(cluster_admin.deny) == 1 with input.review as review
	}
	other := first("ClusterRoleBinding", "cluster-admin", "admin", ["system:masters"])
	count(cluster_admin.deny) == 1 with input.review as other
		with input.parameters.roles as ["admin"]
}

test_one_named_subject_is_enough if {
	cluster_admin.deny == set() with input as binding("cluster-admin", [admins])
		with input.parameters.groups as ["platform-admins"]
}
