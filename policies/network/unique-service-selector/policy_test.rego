package network.unique_service_selector_test

import data.network.unique_service_selector

service(name, selector) := {"metadata": {"name": name}, "spec": {"selector": selector}}

# What is found where these Services are in the namespace `shop`.
found_among(services, object) := result if {
	result := unique_service_selector.deny with input.review as {"namespace": "shop", "object": object}
		with data.inventory as {"namespace": {"shop": {"v1": {"Service": services}}}}
}

web := {"app": "web", "tier": "front"}

finding(name) := {
	"rule": "shared-selector",
	"path": "/spec/selector",
	"found": web,
	"expected": "a selector of its own",
	"msg": sprintf("Service `%s` selects the same Pods", [name]),
}

test_the_selector_of_another_service_is_denied if {
	found_among({"old": service("old", web)}, service("web", web)) == {finding("old")}
}

test_several_others_are_one_finding_that_names_the_first if {
	services := {"older": service("older", web), "old": service("old", web)}
	found_among(services, service("web", web)) == {finding("old")}
}

test_a_service_may_keep_its_own_selector if {
	found_among({"web": service("web", web)}, service("web", web)) == set()
}

test_other_selectors_are_allowed if {
	services := {
		"wider": service("wider", {"app": "web"}),
		"narrower": service("narrower", object.union(web, {"v": "1"})),
		"none": {"metadata": {"name": "none"}, "spec": {}},
	}
	found_among(services, service("web", web)) == set()
}

test_an_absent_selector_is_not_compared if {
	services := {"other": service("other", {}), "bare": {"spec": {}}}
	found_among(services, service("web", {})) == set()
	found_among(services, service("web", null)) == set()
	found_among(services, {"metadata": {"name": "web"}, "spec": {}}) == set()
	found_among(services, {"metadata": {"name": "web"}}) == set()
}

test_a_service_whose_name_is_still_to_be_made_is_compared if {
	object := {"metadata": {"generateName": "web-"}, "spec": {"selector": web}}
	found_among({"old": service("old", web)}, object) == {finding("old")}
}

test_another_namespaces_services_do_not_count if {
	result := unique_service_selector.deny with input.review as {"namespace": "shop", "object": service("web", web)}
		with data.inventory as {"namespace": {"other": {"v1": {"Service": {"old": service("old", web)}}}}}
	result == set()
}
