# METADATA
# scope: package
# title: No switched-off seccomp profile
# description: >-
#   A seccomp profile filters the system calls that reach the node's kernel. If one is named it must be
#   the runtime's default or one of the node's. Up to v1.18 the alpha annotations are read, from v1.19
#   on the fields.
# custom:
#   severity: medium
#   category: pod-security
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, "pods/*"], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [PSS-baseline, CIS-5.6.2]
#   peers: [gatekeeper/K8sPSPSeccomp, gatekeeper/K8sPSPSeccompV2, kyverno/restrict-seccomp]
#   remedy: >-
#     Set `seccompProfile.type` to `RuntimeDefault` or `Localhost`, or remove the profile.
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
package pod_security.seccomp_profile_baseline

import data.lib.containers
import data.lib.pod_security

check := {
	"id": "seccompProfile_baseline",
	"level": "baseline",
	"since": 0,
	"overridden_since": 19,
	"reason": "seccompProfile",
}

deny contains pod_security.denial(standard, check, problem) if {
	standard := pod_security.enforced(check)
	some problem in problems(standard.minor)
}

warn contains pod_security.notice(standard, check, problem) if {
	standard := pod_security.warned(check)
	some problem in problems(standard.minor)
}

audit contains pod_security.notice(standard, check, problem) if {
	standard := pod_security.audited(check)
	some problem in problems(standard.minor)
}

problems(minor) := field_problems if minor >= 19

problems(minor) := annotation_problems if minor < 19

field_problems contains {"at": at, "detail": detail} if {
	profile := input.review.object.spec.securityContext.seccompProfile
	not harmless(profile)
	type := object.get(profile, "type", null)
	at := pod_security.field("/spec/securityContext/seccompProfile/type", type, expected_type)
	detail := forbidden("pod", profile)
}

field_problems contains {"at": at, "detail": detail} if {
	some list in containers.lists
	some i
	container := input.review.object.spec[list][i]
	profile := container.securityContext.seccompProfile
	not harmless(profile)
	type := object.get(profile, "type", null)
	at := pod_security.container_field(list, i, "securityContext/seccompProfile/type", type, expected_type)
	detail := forbidden(containers.title(container), profile)
}

expected_type := "`RuntimeDefault` or `Localhost`"

# A profile without a type is not a profile: only its complete absence is harmless.
harmless(profile) if profile == null

harmless(profile) if profile.type in {"RuntimeDefault", "Localhost"}

forbidden(setter, profile) := sprintf("%s must not set securityContext.seccompProfile.type to \"%v\"", [
	setter,
	object.get(profile, "type", ""),
])

annotation_problems contains {"at": at, "detail": detail} if {
	some key in annotation_keys
	value := input.review.object.metadata.annotations[key]
	not harmless_annotation(value)
	expected := "`runtime/default`, `docker/default`, `localhost/<profile>` or unset"
	at := pod_security.field(pod_security.annotation_path(key), value, expected)
	detail := sprintf("forbidden annotation %s=\"%v\"", [key, value])
}

# Annotations for containers that the Pod does not have are not looked at.
annotation_keys contains "seccomp.security.alpha.kubernetes.io/pod"

annotation_keys contains key if {
	some list in containers.lists
	some container in input.review.object.spec[list]
	key := sprintf("container.seccomp.security.alpha.kubernetes.io/%v", [containers.name(container)])
}

harmless_annotation(value) if value in {"runtime/default", "docker/default"}

harmless_annotation(value) if {
	is_string(value)
	startswith(value, "localhost/")
}
