# METADATA
# scope: package
# title: Nothing in the default namespace
# description: |-
#   What names no namespace lands in `default`, where nobody owns anything and no team's policies, quotas or
#   rights apply. Everything goes to a namespace that is somebody's. The parameter may name further namespaces
#   to keep empty.
# custom:
#   severity: low
#   category: workload
#   match:
#     resourceRules:
#       - apiGroups: [""]
#         resources: [pods, services, configmaps, secrets, persistentvolumeclaims]
#         operations: [CREATE]
#       - {apiGroups: [apps], resources: [deployments, statefulsets, daemonsets], operations: [CREATE]}
#       - {apiGroups: [batch], resources: [jobs, cronjobs], operations: [CREATE]}
#       - {apiGroups: [networking.k8s.io], resources: [ingresses], operations: [CREATE]}
#     excludeResourceRules:
#       - {apiGroups: [""], resources: [services], operations: [CREATE], resourceNames: [kubernetes]}
#       - {apiGroups: [""], resources: [configmaps], operations: [CREATE], resourceNames: [kube-root-ca.crt]}
#   controls: [CIS-5.6.1, CIS-5.6.4]
#   peers: [kyverno/disallow-default-namespace]
#   remedy: Name your team's namespace in metadata.namespace.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       namespaces:
#         description: Names of namespaces in which nothing is created.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [default]
#   facts: []
#   needs: []
#   sensitive: false
package workload.default_namespace

import data.lib.fields

deny contains object.union(finding, fields.seen(metadata, "namespace")) if {
	namespace in namespaces
	finding := {
		"rule": "shared-namespace",
		"path": "/metadata/namespace",
		"expected": "the namespace of a team",
		"msg": sprintf("namespace `%s` belongs to nobody", [namespace]),
	}
}

# The request's own; a file that is looked at by itself has only what it says, and lands in `default` where it
# says nothing.
namespace := name if {
	name := input.review.namespace
	name != ""
} else := name if {
	name := metadata.namespace
	is_string(name)
	name != ""
} else := "default"

metadata := fields.object_at(input.review.object, "metadata")

namespaces := object.get(input, ["parameters", "namespaces"], ["default"])
