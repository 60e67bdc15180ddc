package lib.hosts_test

import data.lib.hosts

places_of(kind, spec) := result if {
	result := hosts.places with input.review as {"kind": {"kind": kind}, "object": {"spec": spec}}
}

test_every_rule_of_an_ingress_is_a_place if {
	places_of("Ingress", {"rules": [{"host": "Shop.example.com"}, {"http": {}}, {"host": ""}, {"host": 7}]}) == [
		{"path": "/spec/rules/0/host", "seen": {"found": "Shop.example.com"}, "host": "shop.example.com"},
		{"path": "/spec/rules/1/host", "seen": {}},
		{"path": "/spec/rules/2/host", "seen": {"found": ""}},
		{"path": "/spec/rules/3/host", "seen": {"found": 7}},
	]
}

test_an_ingress_without_rules_serves_every_host if {
	places_of("Ingress", {"defaultBackend": {}}) == [{"path": "/spec/rules", "seen": {}}]
	places_of("Ingress", {"rules": []}) == [{"path": "/spec/rules", "seen": {"found": []}}]
	places_of("Ingress", null) == [{"path": "/spec/rules", "seen": {}}]
}

test_every_hostname_of_a_route_is_a_place if {
	places_of("HTTPRoute", {"hostnames": ["A.example.com", ""], "rules": [{}]}) == [
		{"path": "/spec/hostnames/0", "seen": {"found": "A.example.com"}, "host": "a.example.com"},
		{"path": "/spec/hostnames/1", "seen": {"found": ""}},
	]
}

test_a_route_without_hostnames_serves_every_host if {
	places_of("GRPCRoute", {"rules": []}) == [{"path": "/spec/hostnames", "seen": {}}]
	places_of("HTTPRoute", {"hostnames": []}) == [{"path": "/spec/hostnames", "seen": {"found": []}}]
}

test_a_pattern_covers_itself_in_any_case if {
	hosts.covers("shop.example.com", "shop.example.com")
	hosts.covers("Shop.example.com", "shop.Example.com")
	not hosts.covers("shop.example.com", "a.shop.example.com")
	not hosts.covers("shop.example.com", "example.com")
}

test_a_star_covers_everything if {
	hosts.covers("*", "example.com")
	hosts.covers("*", "*.example.com")
}

test_a_wildcard_covers_what_lies_below if {
	hosts.covers("*.Example.com", "shop.example.com")
	hosts.covers("*.example.com", "a.shop.example.com")
	hosts.covers("*.example.com", "*.shop.example.com")
	hosts.covers("*.example.com", "*.example.com")
	not hosts.covers("*.example.com", "example.com")
	not hosts.covers("*.example.com", "badexample.com")
	not hosts.covers("*.shop.example.com", "*.example.com")
	not hosts.covers("*example.com", "shop.example.com")
}

test_one_name_is_one_place if {
	place := {"path": "/spec/rules/0/host", "seen": {"found": "a"}, "host": "a"}
	places_of("Ingress", {"rules": [{"host": "a"}]}) == [place]
	places_of("HTTPRoute", {"hostnames": ["a"]}) == [{"path": "/spec/hostnames/0", "seen": {"found": "a"}, "host": "a"}]
}
