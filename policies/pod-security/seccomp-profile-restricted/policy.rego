# METADATA
# scope: package
# title: A seccomp profile is set
# description: >-
#   A seccomp profile filters the system calls that reach the node's kernel. The Pod or each of its
#   containers names the runtime's default or one of the node's. Windows Pods pass from v1.25 on.
# custom:
#   severity: medium
#   category: pod-security
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, "pods/*"], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [PSS-restricted, CIS-5.6.2]
#   peers: [gatekeeper/K8sPSPSeccompV2, kyverno/restrict-seccomp-strict]
#   remedy: >-
#     Set `securityContext.seccompProfile: {type: RuntimeDefault}` on the Pod.
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
package pod_security.seccomp_profile_restricted

import data.lib.containers
import data.lib.pod_security

check := {
	"id": "seccompProfile_restricted",
	"level": "restricted",
	"since": 19,
	"windows_passes_since": 25,
	"reason": "seccompProfile",
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
	pod_profile != null
	not valid(pod_profile)
	type := object.get(pod_profile, "type", null)
	at := pod_security.field("/spec/securityContext/seccompProfile/type", type, expected_type)
	detail := forbidden("pod", pod_profile)
}

problems contains {"at": at, "detail": detail} if {
	some list in containers.lists
	some i
	container := input.review.object.spec[list][i]
	profile := object.get(container, ["securityContext", "seccompProfile"], null)
	profile != null
	not valid(profile)
	type := object.get(profile, "type", null)
	at := pod_security.container_field(list, i, "securityContext/seccompProfile/type", type, expected_type)
	detail := forbidden(containers.title(container), profile)
}

# A container that says nothing follows the Pod. If the Pod's profile is bad, that alone is the mistake.
problems contains {"at": at, "detail": detail} if {
	pod_profile == null
	some list in containers.lists
	some i
	container := input.review.object.spec[list][i]
	profile := object.get(container, ["securityContext", "seccompProfile"], null)
	profile == null
	expected := sprintf("%s, here or on the pod", [expected_type])
	at := pod_security.container_field(list, i, "securityContext/seccompProfile/type", null, expected)
	title := containers.title(container)
	detail := sprintf("pod or %s must set securityContext.seccompProfile.type to %s", [title, valid_types])
}

pod_profile := object.get(input.review.object, ["spec", "securityContext", "seccompProfile"], null)

valid(profile) if profile.type in {"RuntimeDefault", "Localhost"}

expected_type := "`RuntimeDefault` or `Localhost`"

valid_types := "\"RuntimeDefault\" or \"Localhost\""

forbidden(setter, profile) := sprintf("%s must not set securityContext.seccompProfile.type to \"%v\"", [
	setter,
	object.get(profile, "type", ""),
])
