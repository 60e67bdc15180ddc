package ingress.gateway_listeners_test

import data.ingress.gateway_listeners

found(listeners) := result if {
	result := gateway_listeners.deny with input.review.object.spec as {"listeners": listeners}
}

protocol(index) := {
	"rule": "protocol",
	"path": sprintf("/spec/listeners/%d/protocol", [index]),
	"expected": "one of HTTPS, TLS",
}

https := {"name": "https", "protocol": "HTTPS"}

http := {"name": "http", "protocol": "HTTP"}

routes(namespaces) := object.union(https, {"allowedRoutes": {"namespaces": namespaces}})

test_encrypted_listeners_are_allowed if found([https, {"name": "tls", "protocol": "TLS"}]) == set()

test_plain_listeners_are_denied if {
	found([https, http]) == {object.union(protocol(1), {"found": "HTTP"})}
}

test_an_absent_protocol_is_denied if found([{"name": "x"}]) == {protocol(0)}

test_a_redirect_may_speak_plain_http if {
	result := found([http, {"name": "tcp", "protocol": "TCP"}]) with input.parameters.redirects as ["http", "tcp"]
	result == {object.union(protocol(1), {"found": "TCP"})}
	other := found([http]) with input.parameters.redirects as ["web"]
	other == {object.union(protocol(0), {"found": "HTTP"})}
}

test_the_protocols_are_a_parameter if {
	result := found([https, http]) with input.parameters.protocols as ["HTTP"]
	result == {object.union(protocol(0), {"found": "HTTPS", "expected": "one of HTTP"})}
}

test_routes_from_all_namespaces_are_denied if {
	every from in ["All", "Everyone", ""] {
		found([routes({"from": from})]) == {{
			"rule": "routes-from",
			"path": "/spec/listeners/0/allowedRoutes/namespaces/from",
			"found": from,
			"expected": "Same, or Selector with the namespaces that may attach routes",
		}}
	}
}

test_absent_routes_are_those_of_the_own_namespace_and_allowed if {
	found([routes({})]) == set()
	found([routes({"from": null})]) == set()
	found([object.union(https, {"allowedRoutes": null})]) == set()
}

test_routes_of_some_namespaces_are_allowed if {
	every namespaces in [
		{"from": "Same"},
		{"from": "None"},
		{"from": "Selector", "selector": {"matchLabels": {"edge": "public"}}},
		{"from": "Selector", "selector": {"matchExpressions": [{"key": "edge", "operator": "Exists"}]}},
	] {
		found([routes(namespaces)]) == set()
	}
}

empty_selector := {
	"rule": "empty-selector",
	"path": "/spec/listeners/0/allowedRoutes/namespaces/selector",
	"expected": "labels of the namespaces that may attach routes; none selects all namespaces",
}

test_a_selector_that_selects_all_is_denied if {
	found([routes({"from": "Selector", "selector": {}})]) == {object.union(empty_selector, {"found": {}})}
	found([routes({"from": "Selector"})]) == {empty_selector}
}

test_a_selector_that_is_not_read_is_allowed if {
	found([routes({"from": "Same", "selector": {}})]) == set()
}

test_an_absent_list_of_listeners_is_allowed if {
	found(null) == set()
	gateway_listeners.deny == set() with input.review.object as {}
}
