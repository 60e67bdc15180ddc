# METADATA
# scope: package
# title: Hosts of the own team
# description: |-
#   Each team serves the hosts that the platform gave it, so that nobody takes over the name of another
#   team's application. Whose hosts these are is told by the namespace: its name, and the label with its
#   team. As it comes no host is allowed; the parameters say which are. An Ingress or route that names no
#   host serves every host, and is refused.
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
#   remedy: Serve a host that was given to your team, or ask the platform for this one.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       hosts:
#         description: >-
#           Hosts for everybody: a name, or `*.` and a domain for all below it. `{namespace}` and `{team}`
#           stand for the namespace's name and team.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       teams:
#         description: Further hosts of each team, by the value of the team label.
#         type: object
#         additionalProperties: {type: array, items: {type: string, minLength: 1}}
#         default: {}
#       namespaces:
#         description: Further hosts of single namespaces, by name.
#         type: object
#         additionalProperties: {type: array, items: {type: string, minLength: 1}}
#         default: {}
#       teamLabel:
#         description: The namespace's label that names its team.
#         type: string
#         minLength: 1
#         default: team
#   facts: []
#   needs: [namespace]
#   sensitive: false
package ingress.allowed_hosts

import data.lib.hosts
import data.lib.label_value
import data.lib.namespace

deny contains object.union(finding, place.seen) if {
	some place in hosts.places
	not allowed(place)
	finding := {
		"rule": "host",
		"path": place.path,
		"expected": expected,
	}
}

allowed(place) if {
	some pattern in patterns
	hosts.covers(pattern, place.host)
}

# A pattern whose placeholder nothing stands for covers nothing, rather than every namespace's hosts.
patterns contains pattern if {
	some template in parameter("hosts", [])
	pattern := filled(template)
}

patterns contains pattern if some pattern in parameter("teams", {})[team]

patterns contains pattern if some pattern in parameter("namespaces", {})[input.namespace.metadata.name]

filled(template) := text if {
	text := strings.replace_n(values, template)
	not contains(text, "{")
}

values["{namespace}"] := input.namespace.metadata.name

values["{team}"] := team

team := value if {
	value := namespace.label(parameter("teamLabel", "team"))
	label_value.valid(value)
}

expected := sprintf("one of %s", [concat(", ", patterns)]) if {
	count(patterns) > 0
} else := "a host of this namespace or its team; none was given to them"

parameter(name, otherwise) := object.get(input, ["parameters", name], otherwise)
