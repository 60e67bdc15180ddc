# METADATA
# scope: package
# title: Hosts of Ingresses and routes
# description: |-
#   Where Ingresses and the routes of the Gateway API (HTTPRoute, GRPCRoute, TLSRoute) name the hosts that
#   they serve, and which hosts a pattern covers. Names are compared in lower case.
package lib.hosts

import data.lib.fields

# Every place of the object under review that names a host, or would have to, as {"path", "seen"}, with
# "host" where a name is given. No name means every host: an Ingress's rule without a host, an Ingress
# without rules, a route without hostnames.
places := ingress_places if {
	input.review.kind.kind == "Ingress"
} else := route_places

ingress_places := [place |
	some index, rule in rules
	place := place_of(sprintf("/spec/rules/%d/host", [index]), fields.seen(rule, "host"))
] if {
	count(rules) > 0
} else := [{"path": "/spec/rules", "seen": fields.seen(spec, "rules")}]

route_places := [place |
	some index, name in names
	place := place_of(sprintf("/spec/hostnames/%d", [index]), {"found": name})
] if {
	count(names) > 0
} else := [{"path": "/spec/hostnames", "seen": fields.seen(spec, "hostnames")}]

place_of(path, seen) := {"path": path, "seen": seen, "host": lower(seen.found)} if {
	is_string(seen.found)
	seen.found != ""
} else := {"path": path, "seen": seen}

spec := fields.object_at(input.review.object, "spec")

rules := fields.list_at(spec, "rules")

names := fields.list_at(spec, "hostnames")

# True when the pattern is the host, is `*`, or is `*.domain` and the host lies below the domain. A host with
# a wildcard of its own lies below what all its names lie below.
covers("*", _) := true

covers(pattern, host) if lower(pattern) == lower(host)

covers(pattern, host) if {
	startswith(pattern, "*.")
	domain := substring(lower(pattern), 1, -1)
	endswith(lower(host), domain)
}
