package rbac.system_subjects_test

import data.rbac.system_subjects

binding(role, names) := {
	"kind": {"kind": "ClusterRoleBinding"},
	"object": {
		"metadata": {"name": "web"},
		"roleRef": {"kind": "ClusterRole", "name": role},
		"subjects": [{"kind": "Group", "name": name} | some name in names],
	},
}

finding(index, name) := {
	"rule": "system-subject",
	"path": sprintf("/subjects/%d/name", [index]),
	"found": name,
	"expected": "a user, group or service account that needs the role",
}

test_subjects_that_are_everybody_are_denied if {
	names := ["system:anonymous", "system:unauthenticated", "system:serviceaccounts", "system:masters"]
	system_subjects.deny == {finding(index, name) |
		some index, name in names
	} with input.review as binding("view", names)
}

test_a_user_of_that_name_is_denied if {
	system_subjects.deny == {finding(0, "system:anonymous")} with input.review.object as {
		"subjects": [{"kind": "User", "name": "system:anonymous"}],
	}
}

test_an_absent_kind_is_denied if {
	result := system_subjects.deny with input.review.object.subjects as [{"name": "system:masters"}]
	result == {finding(0, "system:masters")}
}

test_somebody_is_allowed if {
	names := ["shop-developers", "system:serviceaccounts:shop", "system:authenticated"]
	system_subjects.deny == set() with input.review as binding("view", names)
	system_subjects.deny == set() with input.review.object as {
		"subjects": [{"kind": "ServiceAccount", "name": "system:masters"}],
	}
}

test_absent_subjects_are_allowed if {
	system_subjects.deny == set() with input.review as binding("view", [])
	system_subjects.deny == set() with input.review.object as {"subjects": null}
	system_subjects.deny == set() with input.review.object as {"subjects": [{}]}
	system_subjects.deny == set() with input.review.object as {}
}

test_public_roles_are_for_everybody if {
	every role in [
		"system:cluster-trust-bundle-discovery",
		"system:public-info-viewer",
		"system:service-account-issuer-discovery",
	] {
		system_subjects.deny == set() with input.review as binding(role, ["system:unauthenticated"])
	}
}

test_the_subjects_are_a_parameter if {
	review := binding("view", ["system:authenticated", "system:anonymous"])
	result := system_subjects.deny with input.review as review
		with input.parameters.subjects as ["system:authenticated"]
	result == {finding(0, "system:authenticated")}
}

test_the_roles_are_a_parameter if {
	parameters := {"roles": ["view"]}
	system_subjects.deny == set() with input.review as binding("view", ["system:anonymous"])
		with input.parameters as parameters
	other := system_subjects.deny with input.review as binding("system:public-info-viewer", ["system:anonymous"])
		with input.parameters as parameters
	other == {finding(0, "system:anonymous")}
}

first(kind, name, names) := {
	"kind": {"kind": kind},
	"object": object.union(binding("cluster-admin", names).object, {"metadata": {"name": name}}),
}

test_the_binding_that_every_cluster_has_is_allowed if {
	system_subjects.deny == set() with input.review as first(
		"ClusterRoleBinding",
		"cluster-admin", ["system:masters"],
	)
}

test_what_only_resembles_it_is_denied if {
	every review in [
		first("RoleBinding", "cluster-admin", ["system:masters"]),
		first("ClusterRoleBinding", "mine", ["system:masters"]),
		first("ClusterRoleBinding", "cluster-admin", ["system:masters", "jane"]),
	] {
		system_subjects.deny == {finding(0, "system:masters")} with input.review as review
	}
}
