# METADATA
# scope: package
# title: Hosts and paths that nobody else serves
# description: |-
#   Two Ingresses or HTTPRoutes with the same host and path leave it to the controller's mood who is
#   answered, and a second namespace with the same host takes over paths of the first. A host is served
#   from one namespace, unless it is among those that the platform lets several share; and a path of it is
#   served by one object. Wildcard hosts are compared as they are written. HTTPRoutes without hostnames,
#   which serve what their Gateway's listeners say, are not compared.
# custom:
#   severity: high
#   category: ingress
#   match:
#     resourceRules:
#       - {apiGroups: [networking.k8s.io], resources: [ingresses], operations: [CREATE, UPDATE]}
#       - {apiGroups: [gateway.networking.k8s.io], resources: [httproutes], operations: [CREATE, UPDATE]}
#   controls: [T1557]
#   peers:
#     - gatekeeper/K8sUniqueIngressHost
#     - kyverno/unique-ingress-host
#     - kyverno/unique-ingress-host-and-path
#     - kyverno/unique-ingress-path
#   remedy: Serve a host and path that are free, or change the object that has them.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       shared:
#         description: Hosts that several namespaces may serve, each with paths of its own.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       onePerHost:
#         description: A host is served by one Ingress or HTTPRoute only, whatever the paths.
#         type: boolean
#         default: false
#   facts: []
#   needs: []
#   inventory:
#     - {group: networking.k8s.io, version: v1, kind: Ingress, scope: cluster}
#     - {group: gateway.networking.k8s.io, version: v1, kind: HTTPRoute, scope: cluster}
#   sensitive: false
package ingress.unique_hosts

import data.lib.fields

deny contains object.union(finding, place.seen) if {
	some place in places(kind, input.review.object)
	holders := {holder | some holder in others; holder.host == place.host; not compatible(holder, place)}
	holder := sort(holders)[0]
	finding := {
		"rule": "taken",
		"path": place.path,
		"expected": "a host and path that no other Ingress or HTTPRoute serves",
		"msg": sprintf("%s `%s/%s` serves `%s%s`", [
			holder.kind,
			holder.namespace,
			holder.name,
			holder.host,
			holder.url,
		]),
	}
}

# The same host elsewhere does no harm where the paths differ and the host may be shared.
compatible(holder, place) if {
	one_per_host == false
	holder.url != place.url
	may_share(holder)
}

may_share(holder) if holder.namespace == input.review.namespace

may_share(holder) if {
	some host in shared
	lower(host) == holder.host
}

others contains holder if {
	some namespace, versions in data.inventory.namespace
	some kinds in versions
	some other_kind, objects in kinds
	some name, object in objects
	not itself(other_kind, namespace, name)
	some place in places(other_kind, object)
	holder := {
		"kind": other_kind,
		"namespace": namespace,
		"name": name,
		"host": place.host,
		"url": place.url,
	}
}

itself(other_kind, namespace, name) if {
	other_kind == kind
	namespace == input.review.namespace
	name == input.review.object.metadata.name
}

# What an object serves, as {"path", "seen", "host", "url"}: `path` points at the host. An Ingress's rule
# without a host serves every host, and is compared with its like.
places("Ingress", object) := {place |
	some index, rule in fields.list_at(fields.object_at(object, "spec"), "rules")
	some url in rule_urls(rule)
	place := {
		"path": sprintf("/spec/rules/%d/host", [index]),
		"seen": fields.seen(rule, "host"),
		"host": lower(text_at(rule, "host")),
		"url": url,
	}
}

places("HTTPRoute", object) := {place |
	spec := fields.object_at(object, "spec")
	some index, host in fields.list_at(spec, "hostnames")
	is_string(host)
	some url in route_urls(spec)
	place := {
		"path": sprintf("/spec/hostnames/%d", [index]),
		"seen": {"found": host},
		"host": lower(host),
		"url": url,
	}
}

# A rule without paths serves all of them.
rule_urls(rule) := {url_of(text_at(path, "path")) | some path in paths} if {
	paths := fields.list_at(fields.object_at(rule, "http"), "paths")
	count(paths) > 0
} else := {"/"}

# So do a route without rules, and a rule of it without matches.
route_urls(spec) := {url | some rule in rules; some url in match_urls(rule)} if {
	rules := fields.list_at(spec, "rules")
	count(rules) > 0
} else := {"/"}

match_urls(rule) := {url_of(text_at(fields.object_at(match, "path"), "value")) | some match in matches} if {
	matches := fields.list_at(rule, "matches")
	count(matches) > 0
} else := {"/"}

# `/shop` and `/shop/` are the same prefix, and an absent path is `/`.
url_of(path) := concat("", ["/", trim(path, "/")])

text_at(parent, key) := parent[key] if {
	is_string(parent[key])
} else := ""

kind := input.review.kind.kind

shared := object.get(input, ["parameters", "shared"], [])

one_per_host := object.get(input, ["parameters", "onePerHost"], false)
