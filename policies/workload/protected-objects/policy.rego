# METADATA
# scope: package
# title: Protected objects
# description: |-
#   What carries the label of the parameter is neither deleted nor changed, whatever rights somebody has:
#   `kubectl delete namespace` of the wrong cluster ends here. The label is read from the object as it was,
#   so that taking it away in the same breath helps nobody. The groups of the parameter may do both, among
#   them Kubernetes' own controllers, which finish what others began.
# custom:
#   severity: high
#   category: workload
#   match:
#     resourceRules:
#       - apiGroups: [""]
#         resources:
#           [namespaces, configmaps, secrets, services, serviceaccounts, persistentvolumeclaims, persistentvolumes]
#         operations: [UPDATE, DELETE]
#       - {apiGroups: [apps], resources: [deployments, statefulsets, daemonsets], operations: [UPDATE, DELETE]}
#       - {apiGroups: [batch], resources: [cronjobs], operations: [UPDATE, DELETE]}
#       - {apiGroups: [networking.k8s.io], resources: [ingresses, networkpolicies], operations: [UPDATE, DELETE]}
#       - {apiGroups: [apiextensions.k8s.io], resources: [customresourcedefinitions], operations: [UPDATE, DELETE]}
#   controls: [T1485]
#   peers: [kyverno/block-updates-deletes]
#   remedy: Ask one of the groups that may change protected objects.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       label:
#         description: The label that protects.
#         type: string
#         minLength: 1
#         default: protected
#       value:
#         description: The value with which it does.
#         type: string
#         default: 'true'
#       operations:
#         description: What is refused.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {enum: [UPDATE, DELETE]}
#         default: [UPDATE, DELETE]
#       groups:
#         description: Groups of users who may do it all the same.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: ['system:masters', 'system:nodes', 'system:serviceaccounts:kube-system']
#   facts: []
#   needs: [operation, oldObject, user]
#   sensitive: false
package workload.protected_objects

import data.lib.namespace
import data.lib.pointer

deny contains finding if {
	input.review.operation in operations
	namespace.labels_of(input.review.oldObject)[label] == value
	not trusted
	finding := {
		"rule": "protected-object",
		"path": pointer.label(label),
		"found": value,
		"expected": sprintf("without it before anybody may %s this object", [lower(input.review.operation)]),
		"msg": sprintf("it protects this object from %s", [input.review.operation]),
	}
}

trusted if {
	some group in input.review.userInfo.groups
	group in groups
}

label := object.get(input, ["parameters", "label"], "protected")

value := object.get(input, ["parameters", "value"], "true")

operations := object.get(input, ["parameters", "operations"], ["UPDATE", "DELETE"])

groups := object.get(
	input,
	["parameters", "groups"],
	["system:masters", "system:nodes", "system:serviceaccounts:kube-system"],
)
