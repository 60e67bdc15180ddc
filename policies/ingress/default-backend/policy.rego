# METADATA
# scope: package
# title: No default backend
# description: |-
#   spec.defaultBackend of an Ingress answers all requests that no rule matches; many controllers take it
#   for the whole cluster, so that one team's Service answers what was meant for others, or takes the place
#   of the platform's own page. Ingresses have rules with hosts, and the default backend is the platform's.
# custom:
#   severity: medium
#   category: ingress
#   match:
#     resourceRules:
#       - {apiGroups: [networking.k8s.io], resources: [ingresses], operations: [CREATE, UPDATE]}
#   controls: []
#   peers: [kyverno/restrict-ingress-defaultbackend]
#   remedy: Remove spec.defaultBackend and write a rule for each host that the application serves.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: []
#   needs: []
#   sensitive: false
package ingress.default_backend

import data.lib.fields

deny contains object.union(finding, fields.seen(spec, "defaultBackend")) if {
	fields.present(spec, "defaultBackend")
	finding := {
		"rule": "default-backend",
		"path": "/spec/defaultBackend",
		"expected": "unset, with rules for the hosts instead",
	}
}

spec := fields.object_at(input.review.object, "spec")
