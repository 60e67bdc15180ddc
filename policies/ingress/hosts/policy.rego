# METADATA
# scope: package
# title: Hosts are named
# description: |-
#   An Ingress or route that names no host, or a wildcard, takes the traffic of every host that nobody else
#   named, or named later: whoever may write one can read and answer what was meant for other teams. Each
#   rule names its host in full. Platforms that give out wildcards list them.
# custom:
#   severity: high
#   category: ingress
#   match:
#     resourceRules:
#       - {apiGroups: [networking.k8s.io], resources: [ingresses], operations: [CREATE, UPDATE]}
#       - apiGroups: [gateway.networking.k8s.io]
#         resources: [httproutes, grpcroutes, tlsroutes]
#         operations: [CREATE, UPDATE]
#   controls: [T1557]
#   peers:
#     - gatekeeper/K8sBlockWildcardIngress
#     - kyverno/disallow-empty-ingress-host
#     - kyverno/restrict-ingress-wildcard
#   remedy: Name the hosts that the application serves, each in full.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       wildcards:
#         description: Wildcard hosts that may be used, such as `*.preview.example.com`.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package ingress.hosts

import data.lib.hosts

deny contains object.union(finding, place.seen) if {
	some place in hosts.places
	not place.host
	finding := {
		"rule": "missing-host",
		"path": place.path,
		"expected": "a host such as my-app.example.com; none means every host",
	}
}

deny contains object.union(finding, place.seen) if {
	some place in hosts.places
	contains(place.host, "*")
	not given_out(place.host)
	finding := {
		"rule": "wildcard-host",
		"path": place.path,
		"expected": "a host without a wildcard, such as my-app.example.com",
	}
}

given_out(host) if {
	some wildcard in wildcards
	lower(wildcard) == host
}

wildcards := object.get(input, ["parameters", "wildcards"], [])
