package ingress.tls_test

import data.ingress.tls

ingress(spec) := {"review": {"object": {"metadata": {"name": "web"}, "spec": spec}}}

rules := [{"host": "a.example.com"}, {"host": "b.example.com"}]

no_tls := {
	"rule": "no-tls",
	"path": "/spec/tls",
	"expected": "set, with the hosts of the rules and the Secret of their certificate",
}

uncovered(index, host) := {
	"rule": "host-without-tls",
	"path": sprintf("/spec/rules/%d/host", [index]),
	"found": host,
	"expected": "one of the hosts under spec.tls",
}

test_absent_tls_is_denied if {
	tls.deny == {no_tls} with input as ingress({"rules": rules})
	tls.deny == {no_tls} with input as ingress({"rules": rules, "tls": null})
	tls.deny == {no_tls} with input as ingress(null)
}

test_empty_tls_is_denied if {
	tls.deny == {object.union(no_tls, {"found": []})} with input as ingress({"rules": rules, "tls": []})
}

test_hosts_that_are_named_are_allowed if {
	entries := [{"hosts": ["A.example.com"]}, {"hosts": ["x.example.com", "b.example.com"]}]
	tls.deny == set() with input as ingress({"rules": rules, "tls": entries})
}

test_a_host_that_is_not_named_is_denied if {
	entries := [{"hosts": ["a.example.com"], "secretName": "tls"}]
	tls.deny == {uncovered(1, "b.example.com")} with input as ingress({"rules": rules, "tls": entries})
}

test_a_wildcard_stands_for_one_label if {
	below := array.concat(rules, [{"host": "x.a.example.com"}, {"host": "example.com"}])
	tls.deny == {uncovered(2, "x.a.example.com"), uncovered(3, "example.com")} with input as ingress({
		"rules": below,
		"tls": [{"hosts": ["*.Example.com"]}],
	})
	tls.deny == set() with input as ingress({
		"rules": [{"host": "*.example.com"}],
		"tls": [{"hosts": ["*.example.com"]}],
	})
}

test_a_certificate_for_a_star_in_the_middle_covers_nothing if {
	entries := [{"hosts": ["*a.example.com"]}]
	tls.deny == {uncovered(0, "a.example.com")} with input as ingress({"rules": [rules[0]], "tls": entries})
}

test_absent_hosts_of_an_entry_name_nothing_unless_told_otherwise if {
	review := ingress({"rules": [rules[0]], "tls": [{"secretName": "tls"}]})
	tls.deny == {uncovered(0, "a.example.com")} with input as review
	tls.deny == set() with input as review
		with input.parameters.hostsRequired as false
	named := ingress({"rules": [rules[0]], "tls": [{"hosts": ["x.example.com"]}]})
	tls.deny == {uncovered(0, "a.example.com")} with input as named
		with input.parameters.hostsRequired as false
}

test_rules_without_a_host_need_no_certificate_of_their_own if {
	entries := [{"hosts": ["a.example.com"]}]
	tls.deny == set() with input as ingress({"rules": [{"host": ""}, {"http": {}}], "tls": entries})
}

allow_http := "kubernetes.io/ingress.allow-http"

annotation := {
	"rule": "annotation",
	"path": "/metadata/annotations/kubernetes.io~1ingress.allow-http",
	"expected": "\"false\"",
}

test_the_annotations_are_a_parameter if {
	spec := {"rules": [rules[0]], "tls": [{"hosts": ["a.example.com"]}]}
	absent := tls.deny with input as ingress(spec)
		with input.parameters.annotations as {allow_http: "false"}
	absent == {annotation}
	other := tls.deny with input.review.object as {"metadata": {"annotations": {allow_http: "true"}}, "spec": spec}
		with input.parameters.annotations as {allow_http: "false"}
	other == {object.union(annotation, {"found": "true"})}
	right := tls.deny with input.review.object as {"metadata": {"annotations": {allow_http: "false"}}, "spec": spec}
		with input.parameters.annotations as {allow_http: "false"}
	right == set()
}
