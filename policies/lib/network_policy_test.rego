package lib.network_policy_test

import data.lib.network_policy

bits := {"IPv4": 8, "IPv6": 16}

test_a_rule_without_peers_is_found_in_its_direction if {
	spec := {"ingress": [{"from": [{"podSelector": {}}]}, {}, {"from": []}], "egress": [{"to": null}]}
	network_policy.without_peers("ingress") == {
		{"path": "/spec/ingress/1/from", "seen": {}},
		{"path": "/spec/ingress/2/from", "seen": {"found": []}},
	} with input.review.object.spec as spec
	network_policy.without_peers("egress") == {{
		"path": "/spec/egress/0/to",
		"seen": {},
	}} with input.review.object.spec as spec
}

test_no_spec_and_no_rules_open_nothing if {
	every object in [{}, {"spec": null}, {"spec": {"ingress": null, "egress": []}}] {
		every direction in ["ingress", "egress"] {
			network_policy.without_peers(direction) == set() with input.review.object as object
			network_policy.wide_blocks(direction, bits) == set() with input.review.object as object
			network_policy.every_namespace(direction) == set() with input.review.object as object
		}
	}
}

blocks(cidrs) := {"egress": [{"to": [{"ipBlock": {"cidr": cidr}} | some cidr in cidrs]}]}

test_wide_and_unreadable_blocks_are_found if {
	cidrs := ["0.0.0.0/0", "10.0.0.0/8", "128.0.0.0/7", "::/0", "2001::/16", "2000::/15", "all"]
	found := network_policy.wide_blocks("egress", bits) with input.review.object.spec as blocks(cidrs)
	{entry.seen.found | some entry in found} == {"0.0.0.0/0", "128.0.0.0/7", "::/0", "2000::/15", "all"}
	{entry.path | some entry in found; entry.seen.found == "::/0"} == {"/spec/egress/0/to/3/ipBlock/cidr"}
}

test_a_block_without_addresses_is_found if {
	found := network_policy.wide_blocks("ingress", bits) with input.review.object.spec as {"ingress": [
		{"from": [{"ipBlock": {}}]},
		{"from": [{"ipBlock": null, "podSelector": {}}]},
	]}
	found == {{"path": "/spec/ingress/0/from/0/ipBlock/cidr", "seen": {}}}
}

every_namespace(peer) := result if {
	rules := [{"from": [peer]}]
	result := network_policy.every_namespace("ingress") with input.review.object.spec.ingress as rules
}

test_an_empty_namespace_selector_is_every_namespace if {
	every peer in [
		{"namespaceSelector": {}},
		{"namespaceSelector": {"matchLabels": {}, "matchExpressions": null}},
		{"namespaceSelector": {}, "podSelector": {}},
	] {
		every_namespace(peer) == {{"path": "/spec/ingress/0/from/0", "seen": {"found": peer}}}
	}
}

test_some_pods_or_some_namespaces_are_not_everything if {
	expression := {"key": "app", "operator": "Exists"}
	every peer in [
		{"podSelector": {}},
		{"namespaceSelector": null, "podSelector": {}},
		{"namespaceSelector": {"matchLabels": {"team": "shop"}}},
		{"namespaceSelector": {"matchExpressions": [expression]}},
		{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}},
		{"namespaceSelector": {}, "podSelector": {"matchExpressions": [expression]}},
	] {
		every_namespace(peer) == set()
	}
}
