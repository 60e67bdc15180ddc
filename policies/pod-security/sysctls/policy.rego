# METADATA
# scope: package
# title: Only safe sysctls
# description: >-
#   Sysctls change the kernel of the node. Only those are allowed that are namespaced, so that they act
#   on the Pod alone. Later versions of the standards allow more of them.
# custom:
#   severity: medium
#   category: pod-security
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, "pods/*"], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [PSS-baseline]
#   peers: [gatekeeper/K8sPSPForbiddenSysctls, kyverno/restrict-sysctls]
#   remedy: >-
#     Remove the sysctl from `securityContext.sysctls`.
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
package pod_security.sysctls

import data.lib.pod_security

check := {
	"id": "sysctls",
	"level": "baseline",
	"since": 0,
	"reason": "forbidden sysctls",
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

# The safe sysctls, by the version of the standards that first allows them.
allowed_since := {
	"kernel.shm_rmid_forced": 0,
	"net.ipv4.ip_local_port_range": 0,
	"net.ipv4.ip_unprivileged_port_start": 0,
	"net.ipv4.ping_group_range": 0,
	"net.ipv4.tcp_syncookies": 0,
	"net.ipv4.ip_local_reserved_ports": 27,
	"net.ipv4.tcp_fin_timeout": 29,
	"net.ipv4.tcp_keepalive_intvl": 29,
	"net.ipv4.tcp_keepalive_probes": 29,
	"net.ipv4.tcp_keepalive_time": 29,
	"net.ipv4.tcp_rmem": 32,
	"net.ipv4.tcp_wmem": 32,
	"net.ipv4.tcp_notsent_lowat": 37,
	"net.ipv4.tcp_slow_start_after_idle": 37,
}

problems(minor) := {problem |
	some i
	sysctl := input.review.object.spec.securityContext.sysctls[i]
	not allowed(sysctl, minor)
	names := {name | some name, since in allowed_since; minor >= since}
	expected := sprintf("one of %s", [concat(", ", names)])
	path := sprintf("/spec/securityContext/sysctls/%d/name", [i])
	problem := {
		"at": pod_security.field(path, object.get(sysctl, "name", null), expected),
		"detail": sprintf("%v", [object.get(sysctl, "name", "")]),
	}
}

allowed(sysctl, minor) if minor >= allowed_since[sysctl.name]
