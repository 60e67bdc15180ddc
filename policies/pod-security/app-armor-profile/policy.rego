# METADATA
# scope: package
# title: No weakened AppArmor profile
# description: >-
#   The runtime's AppArmor profile confines what a container may do to the node. It may be replaced by a
#   profile of the node, not switched off. The old beta annotations count as well as the fields.
# custom:
#   severity: medium
#   category: pod-security
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, "pods/*"], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [PSS-baseline]
#   peers: [gatekeeper/K8sPSPAppArmor, kyverno/restrict-apparmor-profiles]
#   remedy: >-
#     Remove the profile, or use `RuntimeDefault` or `Localhost` (in annotations `runtime/default` or
#     `localhost/<name>`).
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
package pod_security.app_armor_profile

import data.lib.containers
import data.lib.pod_security

check := {
	"id": "appArmorProfile",
	"level": "baseline",
	"since": 0,
	"reason": "forbidden AppArmor profile",
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
	profile := input.review.object.spec.securityContext.appArmorProfile
	not harmless(profile)
	type := object.get(profile, "type", null)
	at := pod_security.field("/spec/securityContext/appArmorProfile/type", type, expected_type)
	detail := sprintf("pod must not set AppArmor profile type to \"%v\"", [object.get(profile, "type", "")])
}

problems contains {"at": at, "detail": detail} if {
	some list in containers.lists
	some i
	container := input.review.object.spec[list][i]
	profile := container.securityContext.appArmorProfile
	not harmless(profile)
	type := object.get(profile, "type", null)
	at := pod_security.container_field(list, i, "securityContext/appArmorProfile/type", type, expected_type)
	detail := sprintf("%s must not set AppArmor profile type to \"%v\"", [
		containers.title(container),
		object.get(profile, "type", ""),
	])
}

problems contains {"at": at, "detail": detail} if {
	some key
	value := input.review.object.metadata.annotations[key]
	startswith(key, "container.apparmor.security.beta.kubernetes.io/")
	not harmless_annotation(value)
	expected := "`runtime/default`, `localhost/<profile>` or unset"
	at := pod_security.field(pod_security.annotation_path(key), value, expected)
	detail := sprintf("annotation must not set AppArmor profile type to \"%s=\"%v\"\"", [key, value])
}

expected_type := "`RuntimeDefault` or `Localhost`"

# A profile without a type is not a profile: only its complete absence is harmless.
harmless(profile) if profile == null

harmless(profile) if profile.type in {"RuntimeDefault", "Localhost"}

harmless_annotation(value) if value in {null, "", "runtime/default"}

harmless_annotation(value) if {
	is_string(value)
	startswith(value, "localhost/")
}
