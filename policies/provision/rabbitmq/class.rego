# METADATA
# scope: package
# title: RabbitMQ by its cluster operator
# description: |-
#   A claim of type `rabbitmq` becomes a RabbitmqCluster of its own and the NetworkPolicies that it needs. The
#   operator makes the Secret `<claim>-default-user` with the credentials; nobody else reads it.
# custom:
#   severity: medium
#   category: provisioning
#   remedy: "`kubectl get claimclass rabbitmq-default -o yaml` shows what is offered."
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       images:
#         description: The version that is offered, and the image of each.
#         type: object
#         additionalProperties: {type: string}
#         default:
#           "4.1": docker.io/library/rabbitmq:4.1-management
#           "4.2": docker.io/library/rabbitmq:4.2-management
#       sizes:
#         description: What each size is, and what it costs.
#         type: object
#         additionalProperties:
#           type: object
#           additionalProperties: false
#           required: [replicas, storage, cpu, memory, monthlyEUR]
#           properties:
#             replicas: {description: How many servers; queues want an odd number., type: integer, minimum: 1}
#             storage: {description: Of each server., type: string}
#             cpu: {description: Of each server., type: string}
#             memory: {description: Of each server; also the limit., type: string}
#             monthlyEUR: {description: Euro a month., type: number, minimum: 0}
#         default:
#           small: {replicas: 1, storage: 5Gi, cpu: 250m, memory: 1Gi, monthlyEUR: 10}
#           medium: {replicas: 3, storage: 20Gi, cpu: 500m, memory: 2Gi, monthlyEUR: 70}
#           large: {replicas: 5, storage: 100Gi, cpu: "2", memory: 8Gi, monthlyEUR: 450}
#       operatorNamespace:
#         description: Where the operator runs.
#         type: string
#         default: rabbitmq-system
#       monitoringNamespace:
#         description: Where Prometheus runs.
#         type: string
#         default: monitoring
package provision.rabbitmq

import data.lib.provision

settings := input.class.settings

claim := input.claim.spec

name := provision.name

size := settings.sizes[claim.size]

image := settings.images[claim.version]

deny contains {
	"path": "/spec/version",
	"found": provision.found("version"),
	"expected": provision.one_of(object.keys(settings.images)),
} if {
	not image
}

deny contains {
	"path": "/spec/size",
	"found": provision.found("size"),
	"expected": provision.one_of(object.keys(settings.sizes)),
} if {
	not size
}

# The operator does not take servers away: their queues would be lost.
deny contains {
	"path": "/spec/size",
	"found": claim.size,
	"expected": sprintf("a size with %d servers or more: the operator removes none", [running]),
	"remedy": "Make a new claim of that size and move the queues.",
} if {
	running := input.observed.cluster.spec.replicas
	size.replicas < running
}

cost := size.monthlyEUR

objects["cluster"] := {
	"apiVersion": "rabbitmq.com/v1beta1",
	"kind": "RabbitmqCluster",
	"metadata": {"name": name},
	"spec": {
		"replicas": size.replicas,
		"image": image,
		"persistence": {"storage": size.storage},
		"resources": {
			"requests": {"cpu": size.cpu, "memory": size.memory},
			"limits": {"cpu": size.cpu, "memory": size.memory},
		},
	},
}

objects["network-servers"] := provision.network_policy(
	sprintf("%s-rabbitmq", [name]), {"matchLabels": server}, ["Ingress", "Egress"],
	{
		"ingress": [
			{"from": [{"podSelector": {}}], "ports": provision.tcp([5672, 5671])},
			{"from": [provision.pods(server)], "ports": provision.tcp([4369, 25672])},
			{"from": [provision.namespace(settings.operatorNamespace)], "ports": provision.tcp([15672, 15671])},
			{"from": [provision.namespace(settings.monitoringNamespace)], "ports": provision.tcp([15692])},
		],
		"egress": [
			{"to": [provision.pods(server)], "ports": provision.tcp([4369, 25672])},
			provision.dns,
			provision.api_server,
		],
	},
)

objects["network-clients"] := provision.network_policy(
	sprintf("%s-rabbitmq-clients", [name]), {}, ["Egress"],
	{"egress": [{"to": [provision.pods(server)], "ports": provision.tcp([5672, 5671])}]},
) if {
	provision.denies_by_default
}

outputs := {output: {"secret": sprintf("%s-default-user", [name]), "key": output} |
	some output in ["connection_string", "host", "port", "username", "password"]
}

ready if {
	true_conditions := {condition.type |
		some condition in input.observed.cluster.status.conditions
		condition.status == "True"
	}
	{"AllReplicasReady", "ClusterAvailable"} - true_conditions == set()
}

server := {"app.kubernetes.io/name": name, "app.kubernetes.io/component": "rabbitmq"}
