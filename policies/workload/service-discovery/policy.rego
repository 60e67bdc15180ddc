# METADATA
# scope: package
# title: How a Pod finds others
# description: |-
#   By default every container gets the addresses of all Services of its namespace as environment variables:
#   a map of the neighbourhood for whoever breaks in, names that clash with the application's own, and slow
#   starts where there are thousands of Services. Pods set enableServiceLinks to false and use DNS; absent
#   means true. Where the parameters say so, Pods also add nothing to their hosts file, which can turn
#   another's name to any address, and choose only the DNS policies that are listed.
# custom:
#   severity: low
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [T1613]
#   peers: [kyverno/disable-service-discovery]
#   remedy: Set spec.enableServiceLinks to false and find Services by DNS.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       serviceLinks:
#         description: Let Pods have the environment variables of Services.
#         type: boolean
#         default: false
#       hostAliases:
#         description: Let Pods add names to their hosts file.
#         type: boolean
#         default: true
#       dnsPolicies:
#         description: The DNS policies that a Pod may choose; empty allows each.
#         type: array
#         uniqueItems: true
#         items: {enum: [ClusterFirst, ClusterFirstWithHostNet, Default, None]}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package workload.service_discovery

import data.lib.fields

deny contains object.union(finding, fields.seen(spec, "enableServiceLinks")) if {
	not service_links == true
	not switched_off
	finding := {
		"rule": "service-links",
		"path": "/spec/enableServiceLinks",
		"expected": "false",
		"msg": "every Service of the namespace becomes environment variables of every container",
	}
}

deny contains finding if {
	not host_aliases == true
	some index, alias in fields.list_at(spec, "hostAliases")
	finding := {
		"rule": "host-aliases",
		"path": sprintf("/spec/hostAliases/%d", [index]),
		"found": alias,
		"expected": "left out",
		"remedy": "Leave out hostAliases, and have the name put into DNS.",
	}
}

# Absent means ClusterFirst.
deny contains object.union(finding, fields.seen(spec, "dnsPolicy")) if {
	count(dns_policies) > 0
	not dns_policy in dns_policies
	finding := {
		"rule": "dns-policy",
		"path": "/spec/dnsPolicy",
		"expected": concat(" or ", dns_policies),
		"remedy": "Choose a DNS policy that is allowed.",
	}
}

dns_policy := policy if {
	policy := spec.dnsPolicy
	not policy in {null, ""}
} else := "ClusterFirst"

switched_off if spec.enableServiceLinks == false

spec := fields.object_at(input.review.object, "spec")

service_links := object.get(input, ["parameters", "serviceLinks"], false)

host_aliases := object.get(input, ["parameters", "hostAliases"], true)

dns_policies := object.get(input, ["parameters", "dnsPolicies"], [])
