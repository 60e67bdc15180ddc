# METADATA
# scope: package
# title: Secure defaults
# description: |-
#   Fills in what an ordinary Pod needs to pass the `restricted` Pod Security level: not as root, the
#   runtime's seccomp profile, no privilege escalation, no capabilities. What the author says stays, and
#   nothing is added that the API server would refuse beside it or that would take back what the author asked
#   for: a container that is privileged, runs as root, or adds capabilities that rest on escalation keeps the
#   defaults of the runtime there. Pods for Windows, where these fields do not exist, and Pods that share the
#   node's namespaces (their policy is Pod Security, not a default) are left alone as a whole.
# custom:
#   severity: medium
#   category: golden-path
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [PSS-restricted, CIS-5.6.2, CIS-5.6.3, NSA-pod-security]
#   peers: [kyverno/add-default-securitycontext, kyverno/apply-pss-restricted-profile]
#   remedy: Set the security context yourself where the default does not fit.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       runAsNonRoot:
#         description: Default spec.securityContext.runAsNonRoot to true.
#         type: boolean
#         default: true
#       seccompProfile:
#         description: Default spec.securityContext.seccompProfile to RuntimeDefault.
#         type: boolean
#         default: true
#       noPrivilegeEscalation:
#         description: Default allowPrivilegeEscalation of containers to false.
#         type: boolean
#         default: true
#       dropCapabilities:
#         description: Default capabilities.drop of containers to ALL.
#         type: boolean
#         default: true
#       withholdServiceAccountToken:
#         description: >-
#           Default spec.automountServiceAccountToken to false. The API server mounts the token into a Pod
#           before any webhook sees it, so this takes effect only in templates, where the Policy says
#           `mutate: Template`.
#         type: boolean
#         default: false
#   facts: []
#   needs: []
#   sensitive: false
package golden_path.secure_defaults

import data.lib.containers
import data.lib.fields

defaults contains {"path": "/spec/securityContext/runAsNonRoot", "value": true} if {
	wanted.runAsNonRoot == true
	ordinary
	not fields.present(pod_context, "runAsNonRoot")
	not root_is_asked_for
}

defaults contains {"path": "/spec/securityContext/seccompProfile", "value": {"type": "RuntimeDefault"}} if {
	wanted.seccompProfile == true
	ordinary
	not fields.present(pod_context, "seccompProfile")
}

defaults contains {"path": path, "value": false} if {
	wanted.noPrivilegeEscalation == true
	ordinary
	some place in started
	context := context_of(place)
	not fields.present(context, "allowPrivilegeEscalation")
	not rests_on_escalation(context)
	path := concat("", [place.path, "/securityContext/allowPrivilegeEscalation"])
}

defaults contains {"path": path, "value": ["ALL"]} if {
	wanted.dropCapabilities == true
	ordinary
	some place in started
	context := context_of(place)
	capabilities := fields.object_at(context, "capabilities")
	not fields.present(capabilities, "drop")
	not rests_on_capabilities(context)
	path := concat("", [place.path, "/securityContext/capabilities/drop"])
}

defaults contains {"path": "/spec/automountServiceAccountToken", "value": false} if {
	wanted.withholdServiceAccountToken == true
	not fields.present(spec, "automountServiceAccountToken")
}

# Debug containers are added to running Pods, which nothing is filled into.
started := [place | some place in containers.all; place.list != "ephemeralContainers"]

ordinary if {
	not windows
	not shares_the_node
}

windows if spec.os.name == "windows"

windows if spec.nodeSelector["kubernetes.io/os"] == "windows"

windows if fields.present(pod_context, "windowsOptions")

windows if {
	some place in containers.all
	fields.present(context_of(place), "windowsOptions")
}

shares_the_node if {
	some field in ["hostNetwork", "hostPID", "hostIPC"]
	spec[field] == true
}

# runAsNonRoot on the Pod would keep such a container from starting.
root_is_asked_for if pod_context.runAsUser == 0

root_is_asked_for if {
	some place in containers.all
	context := context_of(place)
	not fields.present(context, "runAsNonRoot")
	privileged_or_root(context)
}

privileged_or_root(context) if context.privileged == true

privileged_or_root(context) if context.runAsUser == 0

# The API server refuses allowPrivilegeEscalation: false beside privileged: true and, on creation, beside
# CAP_SYS_ADMIN (pkg/apis/core/validation, ValidateSecurityContext).
rests_on_escalation(context) if context.privileged == true

rests_on_escalation(context) if {
	some capability in fields.list_at(fields.object_at(context, "capabilities"), "add")
	capability in {"SYS_ADMIN", "CAP_SYS_ADMIN", "ALL", "CAP_ALL"}
}

rests_on_capabilities(context) if context.privileged == true

rests_on_capabilities(context) if {
	some capability in fields.list_at(fields.object_at(context, "capabilities"), "add")
	capability in {"ALL", "CAP_ALL"}
}

context_of(place) := fields.object_at(place.container, "securityContext")

spec := fields.object_at(input.review.object, "spec")

pod_context := fields.object_at(spec, "securityContext")

wanted := object.union(
	{
		"runAsNonRoot": true,
		"seccompProfile": true,
		"noPrivilegeEscalation": true,
		"dropCapabilities": true,
		"withholdServiceAccountToken": false,
	},
	object.get(input, "parameters", {}),
)
