# METADATA
# scope: package
# title: What every namespace of a team gets
# description: |-
#   A Namespace with the labels `team`, `environment` and `managed-by: idp` gets NetworkPolicies that deny by
#   default and allow names, neighbours and metrics; limits, and a quota by environment; the team's rights; and a
#   default ServiceAccount whose token no Pod has unless it asks.
# custom:
#   severity: medium
#   category: provisioning
#   remedy: "Label the namespace with its `team` and one of the environments, and name it after its team."
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       environments:
#         description: What an environment may use, and what the team may do there.
#         type: object
#         additionalProperties:
#           type: object
#           additionalProperties: false
#           required: [quota, role]
#           properties:
#             quota: {description: The `hard` of a ResourceQuota., type: object, additionalProperties: {type: string}}
#             role: {description: The ClusterRole of the team's group., type: string}
#         default:
#           development:
#             quota:
#               requests.cpu: "4"
#               requests.memory: 8Gi
#               limits.memory: 16Gi
#               pods: "50"
#               persistentvolumeclaims: "10"
#               count/platformclaims.wayguard.io: "10"
#             role: edit
#           staging:
#             quota:
#               requests.cpu: "8"
#               requests.memory: 16Gi
#               limits.memory: 32Gi
#               pods: "100"
#               persistentvolumeclaims: "20"
#               count/platformclaims.wayguard.io: "20"
#             role: edit
#           production:
#             quota:
#               requests.cpu: "32"
#               requests.memory: 64Gi
#               limits.memory: 128Gi
#               pods: "300"
#               persistentvolumeclaims: "50"
#               count/platformclaims.wayguard.io: "50"
#             role: view
#       defaults:
#         description: What a container gets that says nothing; the same as the golden path's defaults.
#         type: object
#         additionalProperties: false
#         properties:
#           cpu: {description: Requested., type: string, default: 250m}
#           memory: {description: Requested., type: string, default: 256Mi}
#           memoryLimit: {type: string, default: 512Mi}
#         default: {}
#       groupPrefix:
#         description: Before a team's name it makes the group of the team's members.
#         type: string
#         default: team-
#       pullSecret:
#         description: A Secret with logins of registries that every Pod may use; empty for none.
#         type: string
#         default: ""
#       monitoringNamespace:
#         description: Where Prometheus runs.
#         type: string
#         default: monitoring
package provision.namespace

import data.lib.provision

settings := input.class.settings

labels := input.namespace.labels

team := labels.team

environment := settings.environments[labels.environment]

deny contains {"path": "/metadata/labels/team", "found": null, "expected": "the name of the team"} if not team

deny contains {
	"path": "/metadata/labels/environment",
	"found": object.get(labels, "environment", null),
	"expected": provision.one_of(object.keys(settings.environments)),
} if {
	not environment
}

deny contains {
	"path": "/metadata/labels/team",
	"found": team,
	"expected": sprintf("a word of the namespace's name, `%s`", [input.namespace.name]),
} if {
	not is_in_name
}

is_in_name if contains(sprintf("-%s-", [input.namespace.name]), sprintf("-%s-", [team]))

objects["limits"] := {
	"apiVersion": "v1",
	"kind": "LimitRange",
	"metadata": {"name": "defaults"},
	"spec": {"limits": [{
		"type": "Container",
		"defaultRequest": {"cpu": settings.defaults.cpu, "memory": settings.defaults.memory},
		"default": {"memory": settings.defaults.memoryLimit},
	}]},
}

objects["quota"] := {
	"apiVersion": "v1",
	"kind": "ResourceQuota",
	"metadata": {"name": "environment"},
	"spec": {"hard": environment.quota},
}

objects["network-deny"] := provision.network_policy("default-deny", {}, ["Ingress", "Egress"], {})

objects["network-dns"] := provision.network_policy("allow-dns", {}, ["Egress"], {"egress": [provision.dns]})

objects["network-neighbours"] := provision.network_policy(
	"allow-neighbours", {}, ["Ingress", "Egress"],
	{"ingress": [{"from": [{"podSelector": {}}]}], "egress": [{"to": [{"podSelector": {}}]}]},
)

objects["network-metrics"] := provision.network_policy(
	"allow-metrics", {}, ["Ingress"],
	{"ingress": [{"from": [provision.namespace(settings.monitoringNamespace)]}]},
)

objects["team"] := {
	"apiVersion": "rbac.authorization.k8s.io/v1",
	"kind": "RoleBinding",
	"metadata": {"name": "team"},
	"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": environment.role},
	"subjects": [{
		"apiGroup": "rbac.authorization.k8s.io",
		"kind": "Group",
		"name": sprintf("%s%s", [settings.groupPrefix, team]),
	}],
}

# The account that Pods have which name none: it needs no token.
objects["account"] := object.union(
	{
		"apiVersion": "v1",
		"kind": "ServiceAccount",
		"metadata": {"name": "default"},
		"automountServiceAccountToken": false,
	},
	pull_secrets,
)

pull_secrets := {"imagePullSecrets": [{"name": settings.pullSecret}]} if settings.pullSecret != ""

else := {}

ready if count(input.observed) >= count(objects)
