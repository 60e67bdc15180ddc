package rbac.binders_test

import data.rbac.binders

asked(user, role_ref) := {"review": {"userInfo": user, "object": {"roleRef": role_ref}}}

role(name) := {"kind": "ClusterRole", "name": name}

lead := {"username": "lea", "groups": ["shop-leads", "system:authenticated"]}

admin := {"username": "ada", "groups": ["system:masters"]}

finding(name, username) := {
	"rule": "binder",
	"path": "/roleRef/name",
	"found": name,
	"expected": "a role that the one who asks may bind",
	"msg": sprintf("`%s` may not bind it", [username]),
}

grants := [
	{"roles": ["edit", "shop-*"], "groups": ["shop-leads"]},
	{"roles": ["edit", "admin"], "users": ["ada"]},
]

# What is found where these grants are given.
found(user, name) := result if {
	result := binders.deny with input as asked(user, role(name))
		with input.parameters.grants as grants
}

test_without_parameters_only_masters_bind_the_great_roles if {
	every name in ["cluster-admin", "admin", "system:node"] {
		binders.deny == {finding(name, "lea")} with input as asked(lead, role(name))
		binders.deny == set() with input as asked(admin, role(name))
	}
	binders.deny == set() with input as asked(lead, role("edit"))
}

test_a_group_binds_what_it_was_granted if {
	found(lead, "edit") == set()
	found(lead, "shop-viewer") == set()
	found(lead, "admin") == {finding("admin", "lea")}
}

test_a_user_binds_what_they_were_granted if {
	found(admin, "admin") == set()
	found(admin, "edit") == set()
	found(admin, "shop-viewer") == {finding("shop-viewer", "ada")}
}

test_a_role_that_stands_in_no_grant_is_for_whoever_rbac_lets if {
	found(lead, "view") == set()
	result := binders.deny with input as asked(lead, role("view"))
		with input.parameters as {"grants": grants, "others": false}
	result == {finding("view", "lea")}
	granted := binders.deny with input as asked(lead, role("edit"))
		with input.parameters as {"grants": grants, "others": false}
	granted == set()
}

test_a_star_stands_only_at_the_end if {
	result := binders.deny with input as asked(lead, role("xshop"))
		with input.parameters as {"grants": [{"roles": ["*shop"], "groups": ["shop-leads"]}], "others": false}
	result == {finding("xshop", "lea")}
	prefix := binders.deny with input as asked(lead, role("shop"))
		with input.parameters as {"grants": [{"roles": ["sho"], "groups": ["shop-leads"]}], "others": false}
	prefix == {finding("shop", "lea")}
}

test_somebody_unknown_is_denied if {
	every user in [{}, {"username": "", "groups": null}, null] {
		found(user, "edit") == {finding("edit", "")}
	}
}

test_roles_of_the_namespace_are_not_judged if {
	binders.deny == set() with input as asked(lead, {"kind": "Role", "name": "admin"})
}

test_an_absent_kind_is_judged if {
	binders.deny == {finding("admin", "lea")} with input as asked(lead, {"name": "admin"})
}

test_an_absent_role_is_denied_where_others_are if {
	binders.deny == set() with input as asked(lead, {})
	result := binders.deny with input as asked(lead, {})
		with input.parameters.others as false
	result == {object.remove(finding("", "lea"), ["found"])}
}
