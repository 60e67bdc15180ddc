# METADATA
# scope: package
# title: ExternalName Services that point inside
# description: |-
#   A Service of type ExternalName is an alias. One that points at localhost makes an ingress controller
#   or another proxy talk to itself, past its own access rules; one that points at the cluster's own names
#   leads traffic into other namespaces. An ExternalName names a host outside: a DNS name that is not
#   below the refused domains, and no IP address.
# custom:
#   severity: medium
#   category: network
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [services], operations: [CREATE, UPDATE]}
#   controls: []
#   peers: [kyverno/no-localhost-service]
#   remedy: Name the host outside the cluster, or use a Service with a selector for what runs inside.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       refused:
#         description: Domains that may not be pointed at, with everything below them.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [localhost, localdomain, svc, cluster.local, metadata.google.internal]
#       allowed:
#         description: Domains that may be pointed at, with everything below them; empty means all others.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package network.service_external_name

import data.lib.addresses
import data.lib.fields

deny contains object.union(finding, fields.seen(spec, "externalName")) if {
	spec.type == "ExternalName"
	not fine
	finding := {"rule": "external-name", "path": "/spec/externalName", "expected": expected}
}

fine if {
	spec.externalName != ""
	not addresses.readable(name)
	not below(name, refused)
	within_allowed
}

within_allowed if count(allowed) == 0

within_allowed if below(name, allowed)

# The domain itself, or a name that ends with it behind a dot.
below(host, domains) if {
	some domain in domains
	endswith(concat("", [".", host]), concat("", [".", lower(domain)]))
}

# Names are the same in capitals, and with the dot of the root behind them.
name := trim_right(lower(spec.externalName), ".") if is_string(spec.externalName)

expected := sprintf("a DNS name outside the cluster, below %s", [concat(", ", allowed)]) if {
	count(allowed) > 0
} else := sprintf("a DNS name outside the cluster, not below %s", [concat(", ", refused)])

spec := fields.object_at(input.review.object, "spec")

refused := object.get(
	input,
	["parameters", "refused"],
	["localhost", "localdomain", "svc", "cluster.local", "metadata.google.internal"],
)

allowed := object.get(input, ["parameters", "allowed"], [])
