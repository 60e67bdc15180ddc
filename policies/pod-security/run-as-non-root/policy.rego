# METADATA
# scope: package
# title: Containers run as non-root
# description: >-
#   The Pod or each of its containers promises not to run as root, and the kubelet holds it to that.
#   From v1.35 on Pods in a user namespace (`hostUsers: false`) pass.
# custom:
#   severity: high
#   category: pod-security
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, "pods/*"], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [PSS-restricted, CIS-5.2.7]
#   peers: [kyverno/require-run-as-nonroot, polaris/runAsRootAllowed]
#   remedy: >-
#     Set `securityContext.runAsNonRoot: true` on the Pod, and use an image with a numeric non-root user.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       level:
#         description: Level to judge by, in every namespace. Not read with namespaceLabels.
#         type: string
#         enum: [baseline, restricted]
#         default: restricted
#       version:
#         description: Version of the standard, `latest` or `v1.N`. Not read with namespaceLabels.
#         type: string
#         pattern: ^(latest|v1\.(0|[1-9][0-9]*))$
#         default: latest
#       namespaceLabels:
#         description: >-
#           Behave as the built-in plugin. The namespace's pod-security.kubernetes.io labels choose level and
#           version; Pods are refused, workloads warned.
#         type: boolean
#         default: false
#       defaults:
#         description: Levels and versions for what a namespace has no label for. Read with namespaceLabels.
#         type: object
#         additionalProperties: false
#         default: {}
#         properties:
#           enforce: {type: string, enum: [privileged, baseline, restricted], default: privileged}
#           enforce-version: {type: string, pattern: '^(latest|v1\.(0|[1-9][0-9]*))$', default: latest}
#           audit: {type: string, enum: [privileged, baseline, restricted], default: privileged}
#           audit-version: {type: string, pattern: '^(latest|v1\.(0|[1-9][0-9]*))$', default: latest}
#           warn: {type: string, enum: [privileged, baseline, restricted], default: privileged}
#           warn-version: {type: string, pattern: '^(latest|v1\.(0|[1-9][0-9]*))$', default: latest}
#       exemptions:
#         description: Requests that are never judged.
#         type: object
#         additionalProperties: false
#         default: {}
#         properties:
#           usernames:
#             description: Authenticated users, by their whole name.
#             type: array
#             uniqueItems: true
#             items: {type: string, minLength: 1}
#             default: []
#           namespaces:
#             description: Namespaces by name.
#             type: array
#             uniqueItems: true
#             items: {type: string, minLength: 1}
#             default: []
#           runtimeClasses:
#             description: Pods with one of these runtime classes.
#             type: array
#             uniqueItems: true
#             items: {type: string, minLength: 1}
#             default: []
#   facts: []
#   needs: []
#   needsWhen: {namespaceLabels: [namespace]}
#   sensitive: false
package pod_security.run_as_non_root

import data.lib.containers
import data.lib.pod_security

check := {
	"id": "runAsNonRoot",
	"level": "restricted",
	"since": 0,
	"user_namespace_passes_since": 35,
	"reason": "runAsNonRoot != true",
}

deny contains pod_security.denial(standard, check, problem) if {
	standard := pod_security.enforced(check)
	some problem in problems
}

warn contains pod_security.notice(standard, check, problem) if {
	standard := pod_security.warned(check)
	some problem in problems
}

audit contains pod_security.notice(standard, check, problem) if {
	standard := pod_security.audited(check)
	some problem in problems
}

problems contains {"at": at, "detail": detail} if {
	pod_value != null
	pod_value != true
	at := pod_security.field("/spec/securityContext/runAsNonRoot", pod_value, "true")
	detail := "pod must not set securityContext.runAsNonRoot=false"
}

problems contains {"at": at, "detail": detail} if {
	some list in containers.lists
	some i
	container := input.review.object.spec[list][i]
	value := object.get(container, ["securityContext", "runAsNonRoot"], null)
	value != null
	value != true
	at := pod_security.container_field(list, i, "securityContext/runAsNonRoot", value, "true")
	detail := sprintf("%s must not set securityContext.runAsNonRoot=false", [containers.title(container)])
}

# A container that says nothing follows the Pod. If the Pod says false, that alone is the mistake.
problems contains {"at": at, "detail": detail} if {
	pod_value == null
	some list in containers.lists
	some i
	container := input.review.object.spec[list][i]
	value := object.get(container, ["securityContext", "runAsNonRoot"], null)
	value == null
	at := pod_security.container_field(list, i, "securityContext/runAsNonRoot", null, "true, here or on the pod")
	detail := sprintf("pod or %s must set securityContext.runAsNonRoot=true", [containers.title(container)])
}

pod_value := object.get(input.review.object, ["spec", "securityContext", "runAsNonRoot"], null)
