package ingress.allowed_hosts_test

import data.ingress.allowed_hosts

shop := {"metadata": {"name": "shop-prod", "labels": {"team": "shop"}}}

# What is found for an Ingress with these hosts in a namespace.
found(space, parameters, names) := result if {
	rules := [{"host": name} | some name in names]
	result := allowed_hosts.deny with input as {
		"review": {"kind": {"kind": "Ingress"}, "object": {"spec": {"rules": rules}}},
		"namespace": space,
		"parameters": parameters,
	}
}

finding(index, host, expected) := {
	"rule": "host",
	"path": sprintf("/spec/rules/%d/host", [index]),
	"found": host,
	"expected": expected,
}

nothing := "a host of this namespace or its team; none was given to them"

test_without_parameters_no_host_is_allowed if {
	found(shop, {}, ["shop.example.com"]) == {finding(0, "shop.example.com", nothing)}
}

test_hosts_for_everybody_are_allowed if {
	parameters := {"hosts": ["status.example.com", "*.apps.example.com"]}
	found(shop, parameters, ["status.example.com", "a.apps.example.com"]) == set()
	found(shop, parameters, ["example.com"]) == {finding(
		0, "example.com",
		"one of *.apps.example.com, status.example.com",
	)}
}

test_placeholders_stand_for_namespace_and_team if {
	parameters := {"hosts": ["{namespace}.example.com", "*.{team}.example.com"]}
	found(shop, parameters, ["shop-prod.example.com", "a.shop.example.com"]) == set()
	expected := "one of *.shop.example.com, shop-prod.example.com"
	found(shop, parameters, ["a.pay.example.com"]) == {finding(0, "a.pay.example.com", expected)}
}

test_a_placeholder_that_nothing_stands_for_allows_nothing if {
	names := ["*.{team}.example.com", "a.{team}.example.com", "{namespace}.example.com"]
	every space in [{}, {"metadata": {"labels": {"team": ""}}}, {"metadata": {"labels": {"team": "*"}}}] {
		found(space, {"hosts": names}, ["a.shop.example.com"]) == {finding(0, "a.shop.example.com", nothing)}
	}
}

test_teams_have_hosts_of_their_own if {
	parameters := {"teams": {"shop": ["shop.example.com"], "pay": ["pay.example.com"]}}
	found(shop, parameters, ["shop.example.com"]) == set()
	found(shop, parameters, ["pay.example.com"]) == {finding(0, "pay.example.com", "one of shop.example.com")}
}

test_the_team_label_is_a_parameter if {
	parameters := {"teams": {"shop": ["shop.example.com"]}, "teamLabel": "owner"}
	found(shop, parameters, ["shop.example.com"]) == {finding(0, "shop.example.com", nothing)}
	owned := {"metadata": {"name": "x", "labels": {"owner": "shop"}}}
	found(owned, parameters, ["shop.example.com"]) == set()
}

test_namespaces_have_hosts_of_their_own if {
	parameters := {"namespaces": {"shop-prod": ["shop.example.com"], "pay": ["pay.example.com"]}}
	found(shop, parameters, ["shop.example.com"]) == set()
	found(shop, parameters, ["pay.example.com"]) == {finding(0, "pay.example.com", "one of shop.example.com")}
}

test_an_absent_host_is_every_host_and_denied if {
	result := allowed_hosts.deny with input as {
		"review": {"kind": {"kind": "Ingress"}, "object": {"spec": {"rules": [{"http": {}}]}}},
		"namespace": shop,
		"parameters": {"hosts": ["*"]},
	}
	result == {object.remove(finding(0, "", "one of *"), ["found"])}
}

test_routes_are_judged_too if {
	result := allowed_hosts.deny with input as {
		"review": {
			"kind": {"kind": "HTTPRoute"},
			"object": {"spec": {"hostnames": ["shop.example.com", "pay.example.com"]}},
		},
		"namespace": shop,
		"parameters": {"teams": {"shop": ["shop.example.com"]}},
	}
	result == {{
		"rule": "host",
		"path": "/spec/hostnames/1",
		"found": "pay.example.com",
		"expected": "one of shop.example.com",
	}}
}
