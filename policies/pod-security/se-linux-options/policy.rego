# METADATA
# scope: package
# title: No custom SELinux user, role or type
# description: >-
#   SELinux keeps containers apart by the type they run with. Only the container types are allowed, and
#   no other user or role. From v1.31 on `container_engine_t` is one of them.
# custom:
#   severity: medium
#   category: pod-security
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, "pods/*"], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [PSS-baseline]
#   peers: [gatekeeper/K8sPSPSELinuxV2, kyverno/disallow-selinux]
#   remedy: >-
#     Remove `user` and `role` from `seLinuxOptions`, and use a container type or none.
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
package pod_security.se_linux_options

import data.lib.containers
import data.lib.pod_security

check := {
	"id": "seLinuxOptions",
	"level": "baseline",
	"since": 0,
	"reason": "seLinuxOptions",
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

# The types of containers, by the version of the standards that first allows them.
allowed_since := {
	"": 0,
	"container_t": 0,
	"container_init_t": 0,
	"container_kvm_t": 0,
	"container_engine_t": 31,
}

problems(minor) := {problem |
	some setter in setters
	some problem in faults(setter, minor)
}

# Every place that sets SELinux options.
setters contains {"title": "pod", "path": "/spec", "options": options} if {
	options := input.review.object.spec.securityContext.seLinuxOptions
}

setters contains {"title": title, "path": path, "options": options} if {
	some list in containers.lists
	some i
	container := input.review.object.spec[list][i]
	options := container.securityContext.seLinuxOptions
	title := containers.title(container)
	path := containers.path(list, i)
}

faults(setter, minor) := types | users_and_roles if {
	types := {problem |
		type := setter.options.type
		not allowed_type(type, minor)
		allowed := {name | some name, since in allowed_since; name != ""; minor >= since}
		expected := sprintf("one of %s, or unset", [concat(", ", allowed)])
		problem := fault(setter, "type", expected, sprintf("type \"%v\"", [type]))
	}
	users_and_roles := {problem |
		some name in ["user", "role"]
		value := setter.options[name]
		not harmless(value)
		problem := fault(setter, name, "unset", sprintf("%s may not be set", [name]))
	}
}

fault(setter, name, expected, words) := {"at": at, "detail": detail} if {
	path := sprintf("%s/securityContext/seLinuxOptions/%s", [setter.path, name])
	at := pod_security.field(path, setter.options[name], expected)
	detail := sprintf("%s set forbidden securityContext.seLinuxOptions: %s", [setter.title, words])
}

allowed_type(type, _) if type == null

allowed_type(type, minor) if minor >= allowed_since[type]

harmless(value) if value in {null, ""}
