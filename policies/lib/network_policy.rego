# METADATA
# scope: package
# title: What a NetworkPolicy opens
# description: |-
#   Finds the rules of a NetworkPolicy that let traffic come from, or go to, more or less everywhere. Rules
#   are read whatever spec.policyTypes says: one that is not in force today is with the next edit.
package lib.network_policy

import data.lib.addresses
import data.lib.fields

# What each direction calls its list of peers.
peers_key := {"ingress": "from", "egress": "to"}

spec := fields.object_at(input.review.object, "spec")

# Rules that name no peer, as {"path", "seen"}: they are open to everybody.
without_peers(direction) := {entry |
	some index, rule in fields.list_at(spec, direction)
	key := peers_key[direction]
	count(fields.list_at(rule, key)) == 0
	entry := {"path": sprintf("/spec/%s/%d/%s", [direction, index, key]), "seen": fields.seen(rule, key)}
}

# Every peer of every rule, as {"path", "peer"}.
peers(direction) := [{"path": path, "peer": peer} |
	some index, rule in fields.list_at(spec, direction)
	some number, peer in fields.list_at(rule, peers_key[direction])
	path := sprintf("/spec/%s/%d/%s/%d", [direction, index, peers_key[direction], number])
]

# Peers whose block of addresses is wider than it may be, as {"path", "found"}. `fixed_bits` says for each
# family how many leading bits a block must fix. A block that cannot be read is too wide.
wide_blocks(direction, fixed_bits) := {entry |
	some place in peers(direction)
	block := place.peer.ipBlock
	not is_null(block)
	not narrow(block, fixed_bits)
	entry := {"path": concat("", [place.path, "/ipBlock/cidr"]), "seen": fields.seen(block, "cidr")}
}

narrow(block, fixed_bits) if {
	family := addresses.family(block.cidr)
	addresses.fixed_bits(block.cidr) >= fixed_bits[family]
}

# Peers that are every Pod of every namespace, as {"path", "found"}.
every_namespace(direction) := {{"path": place.path, "seen": {"found": place.peer}} |
	some place in peers(direction)
	is_object(place.peer.namespaceSelector)
	selects_all(place.peer.namespaceSelector)
	selects_all(fields.object_at(place.peer, "podSelector"))
}

selects_all(selector) if {
	count(fields.object_at(selector, "matchLabels")) == 0
	count(fields.list_at(selector, "matchExpressions")) == 0
}
