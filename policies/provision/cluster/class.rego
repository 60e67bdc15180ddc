# METADATA
# scope: package
# title: Kubernetes cluster by Cluster API
# description: |-
#   A claim of type `cluster` becomes a Cluster of Cluster API from one of the platform's ClusterClasses. Nothing
#   is made before somebody agreed; the kubeconfig is an output.
# custom:
#   severity: high
#   category: provisioning
#   remedy: "`kubectl get claimclass cluster-default -o yaml` shows what is offered."
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       clusterClass:
#         description: The ClusterClass and its namespace.
#         type: object
#         additionalProperties: false
#         required: [name, namespace]
#         properties:
#           name: {type: string}
#           namespace: {type: string}
#         default: {name: standard, namespace: capi-classes}
#       worker:
#         description: The class of worker machines.
#         type: string
#         default: default-worker
#       versions:
#         description: The Kubernetes versions that are offered, without `v`.
#         type: array
#         minItems: 1
#         items: {type: string}
#         default: ["1.35.4", "1.36.2"]
#       sizes:
#         description: What each size is, and what it costs.
#         type: object
#         additionalProperties:
#           type: object
#           additionalProperties: false
#           required: [controlPlane, workers, monthlyEUR]
#           properties:
#             controlPlane: {description: Machines of the control plane; an odd number., type: integer, minimum: 1}
#             workers: {type: integer, minimum: 0}
#             monthlyEUR: {description: Euro a month., type: number, minimum: 0}
#         default:
#           small: {controlPlane: 1, workers: 2, monthlyEUR: 180}
#           medium: {controlPlane: 3, workers: 5, monthlyEUR: 700}
#           large: {controlPlane: 3, workers: 20, monthlyEUR: 2600}
#       approver:
#         description: The group that agrees to every cluster.
#         type: string
#         default: platform-clusters
package provision.cluster

import data.lib.provision

settings := input.class.settings

claim := input.claim.spec

name := provision.name

size := settings.sizes[claim.size]

deny contains {
	"path": "/spec/version",
	"found": provision.found("version"),
	"expected": provision.one_of(settings.versions),
} if {
	not is_offered
}

is_offered if claim.version in settings.versions

deny contains {
	"path": "/spec/size",
	"found": provision.found("size"),
	"expected": provision.one_of(object.keys(settings.sizes)),
} if {
	not size
}

approval contains {"group": settings.approver, "reason": reason} if {
	reason := sprintf("a %s cluster costs %v EUR a month", [claim.size, size.monthlyEUR])
}

cost := size.monthlyEUR

objects["cluster"] := {
	"apiVersion": "cluster.x-k8s.io/v1beta2",
	"kind": "Cluster",
	"metadata": {"name": name},
	"spec": {"topology": {
		"classRef": settings.clusterClass,
		"version": sprintf("v%s", [claim.version]),
		"controlPlane": {"replicas": size.controlPlane},
		"workers": {"machineDeployments": [{
			"class": settings.worker,
			"name": "workers",
			"replicas": size.workers,
		}]},
	}},
}

outputs := {"kubeconfig": {"secret": sprintf("%s-kubeconfig", [name]), "key": "value"}}

ready if {
	some condition in input.observed.cluster.status.conditions
	condition.type == "Available"
	condition.status == "True"
}

progress := sprintf("the cluster is %s", [lower(input.observed.cluster.status.phase)])
