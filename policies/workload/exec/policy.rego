# METADATA
# scope: package
# title: No commands in running containers
# description: |-
#   `kubectl exec`, `attach` and `port-forward` go past everything that a release goes through: whoever has
#   them reads what the application reads, and changes what runs. They are refused in the environments of the
#   parameter (the environment is a label of the namespace; an empty list means everywhere), for all Pods or
#   for those whose name fits a pattern, but not for the groups that may break the glass. Some programs may be
#   refused in every environment, such as `tar`, with which `kubectl cp` copies.
# custom:
#   severity: high
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods/attach, pods/exec, pods/portforward], operations: [CONNECT]}
#   controls: [T1609]
#   peers:
#     - kyverno/block-kubectl-cp
#     - kyverno/block-pod-exec-by-namespace
#     - kyverno/block-pod-exec-by-namespace-label
#     - kyverno/block-pod-exec-by-pod-and-container
#     - kyverno/block-pod-exec-by-pod-name
#   remedy: Look at logs, metrics and traces, or ask somebody who may break the glass.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       subresources:
#         description: What is refused.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {enum: [attach, exec, portforward]}
#         default: [attach, exec, portforward]
#       environments:
#         description: Values of the environment label where this holds; empty means everywhere.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [production]
#       environmentLabel:
#         description: The namespace's label that names its environment.
#         type: string
#         minLength: 1
#         default: environment
#       pods:
#         description: Globs of the names of Pods that this is about, such as `db-*`; empty means all.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       containers:
#         description: Names of the containers that this is about; empty means all.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       programs:
#         description: Programs that nobody runs by exec in any environment, by name.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       groups:
#         description: Groups of users who may do all this.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: ['system:masters']
#   facts: []
#   needs: [namespace, user]
#   sensitive: false
package workload.exec

import data.lib.fields
import data.lib.namespace

# wayguard:ignore finding-path,finding-expected what is refused is the request itself, no field of it
deny contains finding if {
	input.review.subResource in subresources
	namespace.in_environments(environments, environment_label)
	concerns_pod
	concerns_container
	not breaks_glass
	finding := {
		"rule": "running-container",
		"msg": sprintf("nobody uses `%s` on the Pods of this namespace", [input.review.subResource]),
	}
}

deny contains finding if {
	input.review.subResource == "exec"
	not breaks_glass
	some index, word in fields.list_at(input.review.object, "command")
	parts := split(word, "/")
	program := parts[count(parts) - 1]
	program in programs
	finding := {
		"rule": "program",
		"path": sprintf("/command/%d", [index]),
		"found": word,
		"expected": "another program",
		"msg": sprintf("nobody runs `%s` in a running container", [program]),
	}
}

concerns_pod if count(pods) == 0

concerns_pod if {
	some pattern in pods
	glob.match(pattern, null, input.review.name)
}

concerns_container if count(containers) == 0

concerns_container if input.review.object.container in containers

# Without a name it is the Pod's default container, which may be any of them.
concerns_container if object.get(input.review.object, "container", "") == ""

breaks_glass if {
	some group in input.review.userInfo.groups
	group in groups
}

subresources := object.get(input, ["parameters", "subresources"], ["attach", "exec", "portforward"])

environments := object.get(input, ["parameters", "environments"], ["production"])

environment_label := object.get(input, ["parameters", "environmentLabel"], "environment")

pods := object.get(input, ["parameters", "pods"], [])

containers := object.get(input, ["parameters", "containers"], [])

programs := object.get(input, ["parameters", "programs"], [])

groups := object.get(input, ["parameters", "groups"], ["system:masters"])
