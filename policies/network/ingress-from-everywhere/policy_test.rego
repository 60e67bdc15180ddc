package network.ingress_from_everywhere_test

import data.network.ingress_from_everywhere

denied(rules) := result if {
	result := ingress_from_everywhere.deny with input.review.object.spec as {"ingress": rules}
}

wide_block(cidr) := {
	"rule": "wide-block",
	"path": "/spec/ingress/0/from/0/ipBlock/cidr",
	"found": cidr,
	"expected": "a block of /8 or longer (IPv4), /7 or longer (IPv6)",
}

test_an_absent_source_is_denied if {
	denied([{"from": [{"podSelector": {}}]}, {"ports": [{"port": 80}]}]) == {{
		"rule": "no-source",
		"path": "/spec/ingress/1/from",
		"expected": "set; a rule without sources lets in everybody",
	}}
}

test_every_namespace_is_denied if {
	denied([{"from": [{"namespaceSelector": {}}]}]) == {{
		"rule": "every-namespace",
		"path": "/spec/ingress/0/from/0",
		"found": {"namespaceSelector": {}},
		"expected": "some Pods or some namespaces, not every Pod of every namespace",
	}}
}

test_the_whole_internet_is_denied if {
	every cidr in ["0.0.0.0/0", "128.0.0.0/7", "::/0"] {
		denied([{"from": [{"ipBlock": {"cidr": cidr}}]}]) == {wide_block(cidr)}
	}
}

test_named_sources_are_allowed if {
	denied([{"from": [
		{"podSelector": {}},
		{"namespaceSelector": {"matchLabels": {"team": "edge"}}},
		{"ipBlock": {"cidr": "10.0.0.0/8"}},
		{"ipBlock": {"cidr": "fc00::/7"}},
	]}]) == set()
}

test_no_rules_let_nobody_in_and_pass if {
	denied([]) == set()
	denied(null) == set()
	ingress_from_everywhere.deny == set() with input.review.object as {"metadata": {"name": "p"}}
}

test_the_fixed_bits_are_a_parameter if {
	rules := [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]
	result := ingress_from_everywhere.deny with input.review.object.spec.ingress as rules
		with input.parameters.fixedBits as {"IPv4": 24, "IPv6": 64}
	result == {object.union(
		wide_block("10.0.0.0/8"),
		{"expected": "a block of /24 or longer (IPv4), /64 or longer (IPv6)"},
	)}
}
