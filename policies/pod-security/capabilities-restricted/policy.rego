# METADATA
# scope: package
# title: All capabilities dropped
# description: >-
#   A container drops every capability and may add back only NET_BIND_SERVICE. Windows Pods pass from
#   v1.25 on.
# custom:
#   severity: high
#   category: pod-security
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, "pods/*"], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [PSS-restricted, CIS-5.2.8, CIS-5.2.9, CIS-5.2.10]
#   peers:
#     - gatekeeper/K8sPSPCapabilities
#     - kyverno/disallow-capabilities-strict
#     - kyverno/require-drop-all
#     - kyverno/require-drop-cap-net-raw
#     - polaris/insecureCapabilities
#   remedy: >-
#     Set `securityContext.capabilities.drop: ["ALL"]` on every container and add nothing but
#     `NET_BIND_SERVICE`.
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
package pod_security.capabilities_restricted

import data.lib.containers
import data.lib.pod_security

check := {
	"id": "capabilities_restricted",
	"level": "restricted",
	"since": 22,
	"windows_passes_since": 25,
	"reason": "unrestricted capabilities",
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
	some list in containers.lists
	some i
	container := input.review.object.spec[list][i]
	not drops_all(container)
	value := object.get(container, ["securityContext", "capabilities", "drop"], null)
	suffix := "securityContext/capabilities/drop"
	at := pod_security.container_field(list, i, suffix, value, "a list with `ALL`")
	detail := sprintf("%s must set securityContext.capabilities.drop=[\"ALL\"]", [containers.title(container)])
}

problems contains {"at": at, "detail": detail} if {
	some list in containers.lists
	some i, j
	container := input.review.object.spec[list][i]
	capability := container.securityContext.capabilities.add[j]
	capability != "NET_BIND_SERVICE"
	suffix := sprintf("securityContext/capabilities/add/%d", [j])
	at := pod_security.container_field(list, i, suffix, capability, "`NET_BIND_SERVICE` or removed")
	detail := sprintf("%s must not include \"%v\" in securityContext.capabilities.add", [
		containers.title(container),
		capability,
	])
}

drops_all(container) if "ALL" in container.securityContext.capabilities.drop
