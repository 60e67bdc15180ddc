# METADATA
# scope: package
# title: Replicas and spread in production
# description: |-
#   In production a Deployment or StatefulSet survives the loss of one Pod and of one node: it has at least
#   two replicas and says that they are kept apart, by topologySpreadConstraints or by pod anti-affinity.
#   Where spec.replicas is absent Kubernetes makes it 1, so an absent field does not pass. Zero is a workload
#   that somebody stopped on purpose, and passes unless the parameter says otherwise. The environment is a
#   label of the namespace; a namespace without it is not production. Judges the workload itself, not Pods.
# custom:
#   severity: medium
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [apps], resources: [deployments, statefulsets], operations: [CREATE, UPDATE]}
#   controls: []
#   peers:
#     - kyverno/create-pod-antiaffinity
#     - kyverno/require-deployments-have-multiple-replicas
#     - kyverno/topologyspreadconstraints-policy
#     - polaris/deploymentMissingReplicas
#     - polaris/topologySpreadConstraint
#   remedy: >-
#     Set spec.replicas to 2 or more and add topologySpreadConstraints over kubernetes.io/hostname to the
#     template.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       minimum:
#         description: The number of replicas that production needs.
#         type: integer
#         minimum: 1
#         default: 2
#       allowZero:
#         description: Let a workload be stopped by setting its replicas to 0.
#         type: boolean
#         default: true
#       spread:
#         description: Also require that the replicas are kept apart.
#         type: boolean
#         default: true
#       environments:
#         description: Values of the environment label that mean production.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [production]
#       environmentLabel:
#         description: The namespace's label that names its environment.
#         type: string
#         minLength: 1
#         default: environment
#   facts: []
#   needs: [namespace]
#   sensitive: false
package workload.production_replicas

import data.lib.fields
import data.lib.namespace

deny contains object.union(finding, fields.seen(spec, "replicas")) if {
	in_production
	not enough
	not stopped
	finding := {
		"rule": "too-few-replicas",
		"path": "/spec/replicas",
		"expected": sprintf("at least %d in production (absent means 1)", [minimum]),
	}
}

deny contains object.union(finding, fields.seen(pod_spec, "topologySpreadConstraints")) if {
	in_production
	spread_wanted == true
	not kept_apart
	finding := {
		"rule": "not-spread",
		"path": "/spec/template/spec/topologySpreadConstraints",
		"expected": "set in production (or affinity.podAntiAffinity), so that replicas do not share a node",
	}
}

in_production if namespace.label_in(environment_label, environments)

enough if {
	is_number(spec.replicas)
	spec.replicas >= minimum
}

# One replica is enough where the platform says so, and one is what an absent field means.
enough if {
	minimum <= 1
	not fields.present(spec, "replicas")
}

stopped if {
	allow_zero == true
	spec.replicas == 0
}

kept_apart if count(fields.list_at(pod_spec, "topologySpreadConstraints")) > 0

kept_apart if {
	some strength in [
		"requiredDuringSchedulingIgnoredDuringExecution",
		"preferredDuringSchedulingIgnoredDuringExecution",
	]
	count(fields.list_at(anti_affinity, strength)) > 0
}

spec := fields.object_at(input.review.object, "spec")

pod_spec := fields.object_at(fields.object_at(spec, "template"), "spec")

anti_affinity := fields.object_at(fields.object_at(pod_spec, "affinity"), "podAntiAffinity")

minimum := object.get(input, ["parameters", "minimum"], 2)

allow_zero := object.get(input, ["parameters", "allowZero"], true)

spread_wanted := object.get(input, ["parameters", "spread"], true)

environments := object.get(input, ["parameters", "environments"], ["production"])

environment_label := object.get(input, ["parameters", "environmentLabel"], "environment")
