package rbac.bound_roles_test

import data.rbac.bound_roles

rule(groups, resources, verbs) := {"apiGroups": groups, "resources": resources, "verbs": verbs}

everything := rule(["*"], ["*"], ["*"])

exec := rule([""], ["pods/exec"], ["create"])

attach := rule([""], ["pods/attach"], ["get"])

harmless := rule([""], ["pods"], ["get"])

roles := {
	"all": {"rules": [harmless, everything]},
	"all-verbs": {"rules": [rule(["*"], ["*"], ["get", "list", "watch", "create", "update", "patch", "delete"])]},
	"exec": {"rules": [exec]},
	"exec-by-get": {"rules": [rule([""], ["pods/exec"], ["get"])]},
	"attach-by-create": {"rules": [rule([""], ["pods/attach"], ["create"])]},
	"attach": {"rules": [harmless, attach]},
	"harmless": {"rules": [harmless]},
	"bare": {},
	"admin": {"rules": [exec]},
	"edit": {"rules": [exec]},
	"system:controller:x": {"rules": [everything]},
	"system:kube-controller-manager": {"rules": [everything]},
	"system:other": {"rules": [everything]},
	"cluster-admin": {"rules": [everything]},
}

inventory := {
	"cluster": {
		"rbac.authorization.k8s.io/v1": {"ClusterRole": roles},
		"example.com/v1": {"ClusterRole": {"foreign": {"rules": [everything]}}},
	},
	"namespace": {
		"shop": {"rbac.authorization.k8s.io/v1": {"Role": {"own": {"rules": [exec]}}}},
		"pay": {"rbac.authorization.k8s.io/v1": {"Role": {"theirs": {"rules": [exec]}}}},
	},
}

review(kind, name, role_ref) := {
	"kind": {"kind": kind},
	"namespace": "shop",
	"object": {"metadata": {"name": name}, "roleRef": role_ref, "subjects": []},
}

in_namespace(role) := review("RoleBinding", "web", {"kind": "ClusterRole", "name": role})

denied(binding) := result if {
	result := bound_roles.deny with input.review as binding
		with data.inventory as inventory
}

warned(binding) := result if {
	result := bound_roles.warn with input.review as binding
		with data.inventory as inventory
}

grants_everything(role) := {
	"rule": "everything",
	"path": "/roleRef/name",
	"found": role,
	"expected": "a role that lists what it grants",
	"msg": "it grants everything",
}

grants_right(role, resource) := {
	"rule": "sensitive-right",
	"path": "/roleRef/name",
	"found": role,
	"expected": sprintf("a role without %s", [resource]),
	"msg": sprintf("it grants %s", [resource]),
}

test_a_role_that_grants_everything_is_denied if {
	every role in ["all", "all-verbs"] {
		denied(in_namespace(role)) == {
			grants_everything(role),
			grants_right(role, "pods/exec"),
			grants_right(role, "pods/attach"),
		}
	}
}

test_a_role_that_runs_commands_in_pods_is_denied if {
	denied(in_namespace("exec")) == {grants_right("exec", "pods/exec")}
	denied(in_namespace("attach")) == {grants_right("attach", "pods/attach")}

	# A client opens the stream by GET (WebSocket) or POST (SPDY).
	denied(in_namespace("exec-by-get")) == {grants_right("exec-by-get", "pods/exec")}
	denied(in_namespace("attach-by-create")) == {grants_right("attach-by-create", "pods/attach")}
}

test_a_role_of_the_namespace_is_read if {
	denied(review("RoleBinding", "web", {"kind": "Role", "name": "own"})) == {grants_right("own", "pods/exec")}
}

test_other_roles_are_allowed if {
	denied(in_namespace("harmless")) == set()
	warned(in_namespace("harmless")) == set()
}

test_absent_rules_grant_nothing if {
	denied(in_namespace("bare")) == set()
	warned(in_namespace("bare")) == set()
}

missing(name) := {
	"rule": "missing-role",
	"path": "/roleRef/name",
	"found": name,
	"expected": "a role that exists",
}

test_a_missing_role_is_warned_of if {
	denied(in_namespace("gone")) == set()
	warned(in_namespace("gone")) == {missing("gone")}
	warned(review("RoleBinding", "web", {"kind": "Role", "name": "theirs"})) == {missing("theirs")}
	warned(review("RoleBinding", "web", {"kind": "Role", "name": "exec"})) == {missing("exec")}
	warned(in_namespace("own")) == {missing("own")}
}

test_what_another_api_calls_a_cluster_role_is_none if {
	denied(in_namespace("foreign")) == set()
	warned(in_namespace("foreign")) == {missing("foreign")}
}

test_an_absent_role_is_warned_of if {
	warned(review("RoleBinding", "web", {})) == {object.remove(missing(""), ["found"])}
	warned(review("RoleBinding", "web", null)) == {object.remove(missing(""), ["found"])}
}

test_default_roles_are_for_namespaces if {
	every role in ["admin", "edit"] {
		denied(in_namespace(role)) == set()
		denied(for_the_cluster("web", role)) == {grants_right(role, "pods/exec")}
	}
}

test_the_roles_are_a_parameter if {
	result := denied(in_namespace("edit")) with input.parameters.roles as ["exec"]
	result == {grants_right("edit", "pods/exec")}
	listed := denied(in_namespace("exec")) with input.parameters.roles as ["exec"]
	listed == set()
}

test_the_rights_are_a_parameter if {
	rights := [{"group": "", "resource": "pods", "verbs": ["*"]}]
	result := denied(in_namespace("harmless")) with input.parameters.rights as rights
	result == {grants_right("harmless", "pods")}
	other := denied(in_namespace("exec")) with input.parameters.rights as rights
	other == set()
}

for_the_cluster(name, role) := review("ClusterRoleBinding", name, {"kind": "ClusterRole", "name": role})

test_bindings_of_the_clusters_own_are_left_out if {
	every role in ["system:controller:x", "system:kube-controller-manager"] {
		denied(for_the_cluster(role, role)) == set()
		count(denied(for_the_cluster("mine", role))) == 3
		count(denied(review("RoleBinding", role, {"kind": "ClusterRole", "name": role}))) == 3
	}
	count(denied(for_the_cluster("system:other", "system:other"))) == 3
}

test_the_first_binding_is_left_out if {
	first := object.union(for_the_cluster("cluster-admin", "cluster-admin"), {"object": {"subjects": [{
		"kind": "Group",
		"name": "system:masters",
	}]}})
	denied(first) == set()
	count(denied(for_the_cluster("cluster-admin", "cluster-admin"))) == 3
}
