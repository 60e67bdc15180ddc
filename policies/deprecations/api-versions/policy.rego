# METADATA
# scope: package
# title: Deprecated and removed API versions
# description: |-
#   Kubernetes deprecates versions of its APIs and stops serving them some releases later: what is written in
#   such a version cannot be applied any more after the upgrade. Names the versions that the target version
#   of Kubernetes no longer serves, and warns of those that it still serves but that are on their way out.
#   The version judged is the one that the author asked for, not one into which the API server converted the
#   object. Set the target to the version that the cluster will be upgraded to.
# custom:
#   severity: medium
#   category: deprecations
#   match:
#     resourceRules:
#       - {apiGroups: [admissionregistration.k8s.io], resources: ["*"], operations: [CREATE, UPDATE]}
#       - {apiGroups: [apiextensions.k8s.io], resources: [customresourcedefinitions], operations: [CREATE, UPDATE]}
#       - {apiGroups: [apiregistration.k8s.io], resources: [apiservices], operations: [CREATE, UPDATE]}
#       - apiGroups: [apps]
#         resources: [daemonsets, deployments, replicasets, statefulsets]
#         operations: [CREATE, UPDATE]
#       - {apiGroups: [autoscaling], resources: [horizontalpodautoscalers], operations: [CREATE, UPDATE]}
#       - {apiGroups: [batch], resources: [cronjobs], operations: [CREATE, UPDATE]}
#       - {apiGroups: [certificates.k8s.io], resources: ["*"], operations: [CREATE, UPDATE]}
#       - {apiGroups: [extensions], resources: ["*"], operations: [CREATE, UPDATE]}
#       - {apiGroups: [flowcontrol.apiserver.k8s.io], resources: ["*"], operations: [CREATE, UPDATE]}
#       - apiGroups: [networking.k8s.io]
#         resources: [ingressclasses, ingresses, servicecidrs]
#         operations: [CREATE, UPDATE]
#       - {apiGroups: [node.k8s.io], resources: [runtimeclasses], operations: [CREATE, UPDATE]}
#       - {apiGroups: [policy], resources: [poddisruptionbudgets, podsecuritypolicies], operations: [CREATE, UPDATE]}
#       - {apiGroups: [rbac.authorization.k8s.io], resources: ["*"], operations: [CREATE, UPDATE]}
#       - apiGroups: [resource.k8s.io]
#         resources: [deviceclasses, devicetaintrules, resourceclaims, resourceclaimtemplates]
#         operations: [CREATE, UPDATE]
#       - {apiGroups: [scheduling.k8s.io], resources: [priorityclasses], operations: [CREATE, UPDATE]}
#       - apiGroups: [storage.k8s.io]
#         resources: [csidrivers, storageclasses, volumeattributesclasses]
#         operations: [CREATE, UPDATE]
#       - {apiGroups: [storagemigration.k8s.io], resources: ["*"], operations: [CREATE, UPDATE]}
#       - {apiGroups: [""], resources: [endpoints], operations: [CREATE]}
#   controls: []
#   peers: [gatekeeper/VerifyDeprecatedAPI, kyverno/check-deprecated-apis]
#   remedy: >-
#     Write the object in the version that replaces it (`kubectl convert -f FILE --output-version VERSION`
#     rewrites most).
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       target:
#         description: The version of Kubernetes that the objects must be fit for, such as 1.32.
#         type: string
#         pattern: '^1\.(0|[1-9][0-9]*)$'
#         default: '1.37'
#   facts: []
#   needs: []
#   sensitive: false
package deprecations.api_versions

import data.lib.api_lifecycle

deny contains finding if {
	entry := api_lifecycle.of(asked.api_version, asked.kind)
	entry.removed <= target_minor
	msg := sprintf("Kubernetes 1.%d stopped serving `%s` in this version", [entry.removed, asked.kind])
	finding := found("removed-api-version", entry, msg)
}

warn contains finding if {
	entry := api_lifecycle.of(asked.api_version, asked.kind)
	entry.deprecated <= target_minor
	not removed(entry)
	finding := found("deprecated-api-version", entry, announcement(entry))
}

removed(entry) if entry.removed <= target_minor

announcement(entry) := msg if {
	end := entry.removed
	msg := sprintf("`%s` is deprecated in this version, and Kubernetes 1.%d stops serving it", [asked.kind, end])
} else := sprintf("`%s` is deprecated since Kubernetes 1.%d", [asked.kind, entry.deprecated])

found(rule, entry, msg) := {
	"rule": rule,
	"path": "/apiVersion",
	"found": asked.api_version,
	"expected": expected(entry),
	"msg": msg,
}

expected(entry) := entry.instead

expected(entry) := "another kind, for nothing replaces this one" if not entry.instead

# What the requester wrote. The object itself may have been converted to the version that a webhook rule
# names; a file has no request around it.
asked := {"api_version": in_group(object.get(requested, "group", ""), version), "kind": requested.kind} if {
	requested := input.review.requestKind
	version := requested.version
} else := {"api_version": input.review.object.apiVersion, "kind": input.review.object.kind}

in_group(group, version) := concat("/", [group, version]) if {
	group != ""
} else := version

target_minor := to_number(trim_prefix(target, "1."))

# A parameter that is no version is no way around the policy: then the newest that is known counts.
target := version if {
	version := input.parameters.target
	regex.match(`^1\.(0|[1-9][0-9]*)$`, version)
} else := "1.37"
