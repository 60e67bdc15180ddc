# METADATA
# scope: package
# title: Host name
# description: |-
#   A claim of type `network` makes a Service reachable from outside: an HTTPRoute of the platform's Gateway for a
#   host name of the team's own, and a NetworkPolicy that lets the Gateway in.
# custom:
#   severity: medium
#   category: provisioning
#   remedy: Use a host name below the team's own domain.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       domain:
#         description: Below it each team has a domain of its own, `TEAM.DOMAIN`.
#         type: string
#         default: apps.example.com
#       gateway:
#         description: The Gateway that routes belong to.
#         type: object
#         additionalProperties: false
#         required: [name, namespace]
#         properties:
#           name: {type: string}
#           namespace: {type: string}
#         default: {name: public, namespace: gateway-system}
#       monthlyEUR:
#         description: Euro a month for each host name.
#         type: number
#         minimum: 0
#         default: 2
package provision.network

import data.lib.provision

settings := input.class.settings

parameters := input.claim.spec.parameters

team := input.namespace.labels.team

deny contains {
	"msg": sprintf("namespace `%s` has no label `team`; whose host name would it be?", [input.namespace.name]),
	"remedy": "Label the namespace with its team.",
} if {
	not team
}

deny contains {
	"path": "/spec/parameters/host",
	"found": parameters.host,
	"expected": sprintf("a name directly below `%s`", [domain]),
} if {
	not is_own_host
}

domain := sprintf("%s.%s", [team, settings.domain])

is_own_host if {
	regex.match(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`, trim_suffix(parameters.host, sprintf(".%s", [domain])))
	endswith(parameters.host, sprintf(".%s", [domain]))
}

cost := settings.monthlyEUR

objects["route"] := {
	"apiVersion": "gateway.networking.k8s.io/v1",
	"kind": "HTTPRoute",
	"metadata": {"name": provision.name},
	"spec": {
		"parentRefs": [{"name": settings.gateway.name, "namespace": settings.gateway.namespace}],
		"hostnames": [parameters.host],
		"rules": [{
			"matches": [{"path": {"type": "PathPrefix", "value": parameters.path}}],
			"backendRefs": [{"name": parameters.service, "port": parameters.port}],
		}],
	},
}

# Which Pods are behind the Service is for the claim to say: only they are opened.
objects["network-gateway"] := provision.network_policy(
	sprintf("%s-gateway", [provision.name]), {"matchLabels": parameters.pods}, ["Ingress"],
	{"ingress": [{
		"from": [provision.namespace(settings.gateway.namespace)],
		"ports": provision.tcp([parameters.targetPort]),
	}]},
)

ready if {
	some parent in input.observed.route.status.parents
	some condition in parent.conditions
	condition.type == "Accepted"
	condition.status == "True"
}
