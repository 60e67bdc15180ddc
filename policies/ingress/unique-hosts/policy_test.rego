package ingress.unique_hosts_test

import data.ingress.unique_hosts

ingress(name, rules) := {"metadata": {"name": name}, "spec": {"rules": rules}}

rule(host, paths) := {"host": host, "http": {"paths": [{"path": path} | some path in paths]}}

route(name, spec) := {"metadata": {"name": name}, "spec": spec}

match(path) := {"path": {"type": "PathPrefix", "value": path}}

# What is found for an object in the namespace `shop` where the cluster has these others, as
# [kind, namespace, object].
found(kind, object, others) := result if {
	result := unique_hosts.deny with input.review as {
		"kind": {"kind": kind},
		"namespace": "shop",
		"object": object,
	}
		with data.inventory as inventory(others)
}

inventory(others) := {"namespace": {namespace: versions |
	some [_, namespace, _] in others
	versions := {version: kinds |
		some kind, version in groups
		kinds := {kind: {other[2].metadata.name: other[2] |
			some other in others
			other[0] == kind
			other[1] == namespace
		}}
	}
}}

groups := {"Ingress": "networking.k8s.io/v1", "HTTPRoute": "gateway.networking.k8s.io/v1"}

finding(path, host, msg) := {
	"rule": "taken",
	"path": path,
	"found": host,
	"expected": "a host and path that no other Ingress or HTTPRoute serves",
	"msg": msg,
}

web := ingress("web", [rule("a.example.com", ["/"])])

taken := finding("/spec/rules/0/host", "a.example.com", "Ingress `pay/old` serves `a.example.com/`")

test_the_host_and_path_of_another_namespace_are_denied if {
	found("Ingress", web, [["Ingress", "pay", ingress("old", [rule("A.example.com", ["/"])])]]) == {taken}
}

test_another_path_of_another_namespaces_host_is_denied if {
	other := ["Ingress", "pay", ingress("old", [rule("a.example.com", ["/pay/"])])]
	found("Ingress", web, [other]) == {object.union(
		taken,
		{"msg": "Ingress `pay/old` serves `a.example.com/pay`"},
	)}
}

test_a_shared_host_may_be_served_with_other_paths if {
	other := ["Ingress", "pay", ingress("old", [rule("a.example.com", ["/pay"])])]
	shared := ["A.example.com"]
	free := found("Ingress", web, [other]) with input.parameters.shared as shared
	free == set()
	same := found("Ingress", ingress("web", [rule("a.example.com", ["/pay/"])]), [other])
		with input.parameters.shared as shared
	same == {object.union(taken, {"msg": "Ingress `pay/old` serves `a.example.com/pay`"})}
	elsewhere := found("Ingress", web, [other]) with input.parameters.shared as ["b.example.com"]
	count(elsewhere) == 1
}

test_the_own_namespace_may_split_a_host_by_path if {
	other := ["Ingress", "shop", ingress("old", [rule("a.example.com", ["/old"])])]
	found("Ingress", web, [other]) == set()
	same := ["Ingress", "shop", ingress("old", [rule("a.example.com", ["/"])])]
	found("Ingress", web, [same]) == {object.union(
		taken,
		{"msg": "Ingress `shop/old` serves `a.example.com/`"},
	)}
}

test_one_object_per_host_is_a_parameter if {
	other := ["Ingress", "shop", ingress("old", [rule("a.example.com", ["/old"])])]
	result := found("Ingress", web, [other]) with input.parameters.onePerHost as true
	result == {object.union(taken, {"msg": "Ingress `shop/old` serves `a.example.com/old`"})}
}

test_an_object_does_not_take_its_own_place if {
	found("Ingress", web, [["Ingress", "shop", web]]) == set()
}

test_a_namesake_of_another_namespace_or_kind_is_another_object if {
	count(found("Ingress", web, [["Ingress", "pay", web]])) == 1
	namesake := route("web", {"hostnames": ["a.example.com"]})
	found("Ingress", web, [["HTTPRoute", "shop", namesake]]) == {object.union(
		taken,
		{"msg": "HTTPRoute `shop/web` serves `a.example.com/`"},
	)}
}

test_other_hosts_are_free if {
	found("Ingress", web, [["Ingress", "pay", ingress("old", [rule("b.example.com", ["/"])])]]) == set()
	found("Ingress", web, []) == set()
}

test_the_first_of_several_holders_is_named if {
	others := [
		["Ingress", "pay", ingress("old", [rule("a.example.com", ["/"])])],
		["HTTPRoute", "zoo", route("older", {"hostnames": ["a.example.com"]})],
	]
	found("Ingress", web, others) == {object.union(
		taken,
		{"msg": "HTTPRoute `zoo/older` serves `a.example.com/`"},
	)}
}

test_absent_paths_are_the_root if {
	every entry in [
		{"host": "a.example.com"},
		{"host": "a.example.com", "http": {"paths": []}},
		{"host": "a.example.com", "http": {"paths": [{"pathType": "Prefix"}]}},
	] {
		found("Ingress", web, [["Ingress", "pay", ingress("old", [entry])]]) == {taken}
	}
}

test_absent_hosts_are_compared_with_their_like if {
	none := ingress("web", [{"http": {"paths": [{"path": "/"}]}}])
	others := [["Ingress", "pay", ingress("old", [{"host": ""}])]]
	found("Ingress", none, others) == {{
		"rule": "taken",
		"path": "/spec/rules/0/host",
		"expected": "a host and path that no other Ingress or HTTPRoute serves",
		"msg": "Ingress `pay/old` serves `/`",
	}}
}

test_routes_are_compared_by_hostname_and_match if {
	spec := {"hostnames": ["b.example.com", "a.example.com"], "rules": [{"matches": [match("/x"), match("/y")]}]}
	others := [["Ingress", "shop", ingress("old", [rule("a.example.com", ["/y"])])]]
	found("HTTPRoute", route("web", spec), others) == {finding(
		"/spec/hostnames/1", "a.example.com",
		"Ingress `shop/old` serves `a.example.com/y`",
	)}
	free := [["Ingress", "shop", ingress("old", [rule("a.example.com", ["/z", "/"])])]]
	found("HTTPRoute", route("web", spec), free) == set()
}

test_a_single_match_of_a_route_is_all_that_it_serves if {
	single := route("web", {"hostnames": ["a.example.com"], "rules": [{"matches": [match("/y")]}]})
	found("HTTPRoute", single, [["Ingress", "shop", ingress("old", [rule("a.example.com", ["/"])])]]) == set()
	found("HTTPRoute", single, [["Ingress", "shop", ingress("old", [rule("a.example.com", ["/y"])])]]) == {finding(
		"/spec/hostnames/0", "a.example.com",
		"Ingress `shop/old` serves `a.example.com/y`",
	)}
}

test_absent_matches_and_rules_of_a_route_are_the_root if {
	others := [["Ingress", "shop", ingress("old", [rule("a.example.com", ["/"])])]]
	expected := {finding("/spec/hostnames/0", "a.example.com", "Ingress `shop/old` serves `a.example.com/`")}
	every rules in [null, [], [{"matches": []}], [{"matches": [match("/x")]}, {}], [{"matches": [{}]}]] {
		spec := {"hostnames": ["a.example.com"], "rules": rules}
		found("HTTPRoute", route("web", spec), others) == expected
	}
}

test_routes_without_hostnames_are_not_compared if {
	others := [["HTTPRoute", "pay", route("old", {"hostnames": [7]})], ["Ingress", "pay", {"metadata": {"name": "x"}}]]
	found("HTTPRoute", route("web", {"hostnames": [7]}), others) == set()
	found("HTTPRoute", route("web", {}), others) == set()
	found("Ingress", {"metadata": {"name": "web"}}, others) == set()
}

test_an_object_whose_name_is_still_to_be_made_is_compared if {
	others := [["Ingress", "pay", ingress("old", [rule("a.example.com", ["/"])])]]
	found("Ingress", {"metadata": {}, "spec": web.spec}, others) == {taken}
}

test_what_is_no_text_is_read_as_absent if {
	others := [["Ingress", "pay", ingress("old", [{"host": 7, "http": {"paths": [{"path": 7}]}}])]]
	result := found("Ingress", ingress("web", [{"host": 8, "http": {"paths": [{"path": 8}]}}]), others)
	{entry.msg | some entry in result} == {"Ingress `pay/old` serves `/`"}
}
