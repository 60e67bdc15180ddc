package ingress.hosts_test

import data.ingress.hosts

of_kind(kind, spec) := {"review": {"kind": {"kind": kind}, "object": {"spec": spec}}}

missing(path) := {
	"rule": "missing-host",
	"path": path,
	"expected": "a host such as my-app.example.com; none means every host",
}

wildcard(path, host) := {
	"rule": "wildcard-host",
	"path": path,
	"found": host,
	"expected": "a host without a wildcard, such as my-app.example.com",
}

test_a_named_host_is_allowed if {
	hosts.deny == set() with input as of_kind("Ingress", {"rules": [{"host": "shop.example.com"}]})
	hosts.deny == set() with input as of_kind("HTTPRoute", {"hostnames": ["shop.example.com"]})
}

test_an_absent_host_is_denied if {
	hosts.deny == {missing("/spec/rules/1/host")} with input as of_kind("Ingress", {"rules": [
		{"host": "shop.example.com"},
		{"http": {"paths": []}},
	]})
	hosts.deny == {missing("/spec/rules")} with input as of_kind("Ingress", {})
	hosts.deny == {missing("/spec/hostnames")} with input as of_kind("HTTPRoute", {"rules": []})
}

test_an_empty_host_is_denied if {
	hosts.deny == {object.union(
		missing("/spec/rules/0/host"),
		{"found": ""},
	)} with input as of_kind("Ingress", {"rules": [{"host": ""}]})
}

test_wildcards_are_denied_wherever_they_stand if {
	hosts.deny == {
		wildcard("/spec/rules/0/host", "*.example.com"),
		wildcard("/spec/rules/1/host", "*"),
	} with input as of_kind("Ingress", {"rules": [{"host": "*.example.com"}, {"host": "*"}]})
	hosts.deny == {wildcard("/spec/hostnames/0", "*.example.com")} with input as of_kind(
		"HTTPRoute",
		{"hostnames": ["*.example.com"]},
	)
}

test_wildcards_that_were_given_out_are_allowed if {
	result := hosts.deny with input as of_kind("Ingress", {"rules": [
		{"host": "*.preview.example.com"},
		{"host": "*.example.com"},
	]})
		with input.parameters.wildcards as ["*.Preview.example.com"]
	result == {wildcard("/spec/rules/1/host", "*.example.com")}
}

test_a_wildcard_is_one_anywhere if {
	host := "shop.*.example.com"
	expected := {wildcard("/spec/rules/0/host", host)}
	hosts.deny == expected with input as of_kind("Ingress", {"rules": [{"host": host}]})
}
