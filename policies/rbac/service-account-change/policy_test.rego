package rbac.service_account_change_test

import data.rbac.service_account_change

update(old, new) := {"review": {
	"operation": "UPDATE",
	"userInfo": {"username": "lea", "groups": ["shop-leads"]},
	"oldObject": {"spec": old},
	"object": {"spec": new},
}}

finding(before) := {
	"rule": "service-account",
	"path": "/spec/serviceAccountName",
	"expected": sprintf("`%s`, as before", [before]),
}

shop := {"serviceAccountName": "shop"}

operator := {"serviceAccountName": "operator"}

changed := object.union(finding("shop"), {"found": "operator"})

test_another_service_account_is_denied if {
	service_account_change.deny == {changed} with input as update(shop, operator)
}

test_the_same_service_account_is_allowed if {
	service_account_change.deny == set() with input as update(shop, shop)
}

test_an_absent_name_is_default if {
	service_account_change.deny == {finding("shop")} with input as update(shop, {})
	service_account_change.deny == {object.union(
		finding("default"),
		{"found": "shop"},
	)} with input as update({}, shop)
	every same in [{}, {"serviceAccountName": ""}, {"serviceAccountName": null}, {"serviceAccountName": "default"}] {
		service_account_change.deny == set() with input as update({}, same)
		service_account_change.deny == set() with input as update(same, null)
	}
}

test_the_older_field_counts_where_the_newer_is_absent if {
	service_account_change.deny == set() with input as update(shop, {"serviceAccount": "shop"})
	service_account_change.deny == {finding("shop")} with input as update(shop, {"serviceAccount": "operator"})
	both := {"serviceAccountName": "shop", "serviceAccount": "operator"}
	service_account_change.deny == set() with input as update(shop, both)
	empty := {"serviceAccountName": "", "serviceAccount": ""}
	service_account_change.deny == set() with input as update({}, empty)
}

test_a_creation_changes_nothing if {
	created := object.union(update(shop, operator), {"review": {"operation": "CREATE"}})
	service_account_change.deny == set() with input as created
}

test_masters_may_change_it if {
	service_account_change.deny == set() with input as update(shop, operator)
		with input.review.userInfo.groups as ["system:authenticated", "system:masters"]
}

test_users_and_groups_are_parameters if {
	by_user := service_account_change.deny with input as update(shop, operator)
		with input.parameters as {"users": ["lea"], "groups": []}
	by_user == set()
	by_group := service_account_change.deny with input as update(shop, operator)
		with input.parameters as {"users": [], "groups": ["shop-leads"]}
	by_group == set()
	neither := service_account_change.deny with input as update(shop, operator)
		with input.parameters as {"users": ["shop-leads"], "groups": ["lea"]}
	neither == {changed}
}

test_somebody_unknown_is_denied if {
	service_account_change.deny == {changed} with input as update(shop, operator)
		with input.review.userInfo as {}
}
