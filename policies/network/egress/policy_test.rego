package network.egress_test

import data.network.egress

policy_in(environment, rules) := {
	"review": {"object": {"spec": {"podSelector": {}, "egress": rules}}},
	"namespace": {"metadata": {"name": "shop", "labels": {"environment": environment}}},
}

no_destination := {
	"rule": "no-destination",
	"path": "/spec/egress/0/to",
	"expected": "set; a rule without destinations allows all of them",
}

wide_block(cidr) := {
	"rule": "wide-block",
	"path": "/spec/egress/0/to/0/ipBlock/cidr",
	"found": cidr,
	"expected": "a block of /8 or longer (IPv4), /7 or longer (IPv6)",
}

every_namespace := {
	"rule": "every-namespace",
	"path": "/spec/egress/0/to/0",
	"found": {"namespaceSelector": {}},
	"expected": "some Pods or some namespaces, not every Pod of every namespace",
}

to_block(cidr) := [{"to": [{"ipBlock": {"cidr": cidr}}]}]

test_the_whole_internet_is_denied_in_production if {
	every cidr in ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/7", "::/0", "2000::/3"] {
		egress.deny == {wide_block(cidr)} with input as policy_in("production", to_block(cidr))
	}
}

test_a_block_that_says_where_is_allowed if {
	every cidr in ["10.0.0.0/8", "203.0.113.7/32", "fc00::/7"] {
		egress.deny == set() with input as policy_in("production", to_block(cidr))
	}
}

test_an_absent_destination_is_denied if {
	egress.deny == {no_destination} with input as policy_in("production", [{"ports": [{"port": 443}]}])
	egress.deny == {no_destination} with input as policy_in("production", [{}])
}

test_an_empty_destination_is_denied if {
	found := object.union(no_destination, {"found": []})
	egress.deny == {found} with input as policy_in("production", [{"to": []}])
}

test_every_namespace_is_denied_unless_told_otherwise if {
	everything := policy_in("production", [{"to": [{"namespaceSelector": {}}]}])
	egress.deny == {every_namespace} with input as everything
	egress.deny == set() with input as everything
		with input.parameters.everyNamespace as true
}

test_no_egress_rules_allow_nothing_and_pass if {
	egress.deny == set() with input as policy_in("production", [])
	egress.deny == set() with input as policy_in("production", null)
}

test_other_environments_are_not_judged if {
	rules := array.concat(to_block("0.0.0.0/0"), [{}, {"to": [{"namespaceSelector": {}}]}])
	egress.deny == set() with input as policy_in("staging", rules)
}

test_a_namespace_without_the_label_is_not_judged if {
	egress.deny == set() with input.review.object.spec.egress as to_block("0.0.0.0/0")
}

test_the_environments_are_a_parameter if {
	wide := to_block("0.0.0.0/0")
	egress.deny == {wide_block("0.0.0.0/0")} with input as policy_in("staging", wide)
		with input.parameters.environments as ["staging"]
	egress.deny == {wide_block("0.0.0.0/0")} with input.review.object.spec.egress as wide
		with input.parameters.environments as []
}

test_the_label_is_a_parameter if {
	result := egress.deny with input as policy_in("production", to_block("0.0.0.0/0"))
		with input.parameters.environmentLabel as "stage"
	result == set()
}

test_the_fixed_bits_are_a_parameter if {
	result := egress.deny with input as policy_in("production", to_block("10.0.0.0/15"))
		with input.parameters.fixedBits as {"IPv4": 16, "IPv6": 48}
	result == {object.union(
		wide_block("10.0.0.0/15"),
		{"expected": "a block of /16 or longer (IPv4), /48 or longer (IPv6)"},
	)}
}
