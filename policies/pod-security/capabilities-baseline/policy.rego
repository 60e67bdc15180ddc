# METADATA
# scope: package
# title: No capabilities beyond the default set
# description: >-
#   Capabilities beyond the container runtime's default set, such as NET_RAW or SYS_ADMIN, let a
#   container attack its neighbours or the node.
# custom:
#   severity: high
#   category: pod-security
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, "pods/*"], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [PSS-baseline, CIS-5.2.8, CIS-5.2.9]
#   peers: [gatekeeper/K8sPSPCapabilities, kyverno/disallow-capabilities, polaris/dangerousCapabilities]
#   remedy: >-
#     Remove the capability from `securityContext.capabilities.add`.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       level:
#         description: Level to judge by, in every namespace. Not read with namespaceLabels.
#         type: string
#         enum: [baseline, restricted]
#         default: baseline
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
package pod_security.capabilities_baseline

import data.lib.containers
import data.lib.pod_security

check := {
	"id": "capabilities_baseline",
	"level": "baseline",
	"since": 0,
	"overridden_since": 22,
	"reason": "non-default capabilities",
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

default_set := {
	"AUDIT_WRITE",
	"CHOWN",
	"DAC_OVERRIDE",
	"FOWNER",
	"FSETID",
	"KILL",
	"MKNOD",
	"NET_BIND_SERVICE",
	"SETFCAP",
	"SETGID",
	"SETPCAP",
	"SETUID",
	"SYS_CHROOT",
}

problems contains {"at": at, "detail": detail} if {
	some list in containers.lists
	some i, j
	container := input.review.object.spec[list][i]
	capability := container.securityContext.capabilities.add[j]
	not in_default_set(capability)
	suffix := sprintf("securityContext/capabilities/add/%d", [j])
	expected := sprintf("one of %s", [concat(", ", default_set)])
	at := pod_security.container_field(list, i, suffix, capability, expected)
	detail := sprintf("%s must not include \"%v\" in securityContext.capabilities.add", [
		containers.title(container),
		capability,
	])
}

in_default_set(capability) if capability in default_set
