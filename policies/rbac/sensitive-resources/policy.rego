# METADATA
# scope: package
# title: Rights that are worth a cluster
# description: |-
#   Some rights look harmless and are not: who reads Secrets has every credential; who may exec into a Pod
#   is that Pod; `nodes/proxy` talks to the kubelet past all admission; who approves certificate requests
#   or makes tokens of service accounts can be anybody; who writes webhook configurations sees and changes
#   every object; a PersistentVolume of type hostPath is the node's disk. No role grants them, also not by
#   `*`. The list is a parameter; ClusterRoles of the API server are left out.
# custom:
#   severity: high
#   category: rbac
#   match:
#     resourceRules:
#       - {apiGroups: [rbac.authorization.k8s.io], resources: [roles, clusterroles], operations: [CREATE, UPDATE]}
#   controls:
#     - CIS-5.1.2
#     - CIS-5.1.9
#     - CIS-5.1.10
#     - CIS-5.1.11
#     - CIS-5.1.12
#     - CIS-5.1.13
#     - NSA-rbac
#     - T1098.006
#   peers:
#     - kyverno/restrict-secret-role-verbs
#     - kyverno/restrict-clusterrole-nodesproxy
#     - kyverno/restrict-clusterrole-csr
#     - kyverno/restrict-clusterrole-mutating-validating-admission-webhooks
#     - polaris/clusterrolePodExecAttach
#     - polaris/rolePodExecAttach
#   remedy: Leave the right out of the role, or ask the platform for an exception for this role.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       rights:
#         description: >-
#           Rights that no role grants. The verb `*` means any verb at all. With `named` a rule that names
#           single objects in resourceNames passes.
#         type: array
#         items:
#           type: object
#           additionalProperties: false
#           required: [group, resource, verbs]
#           properties:
#             group: {type: string}
#             resource: {type: string, minLength: 1}
#             verbs: {type: array, minItems: 1, items: {type: string, minLength: 1}}
#             named: {type: boolean, default: false}
#         default:
#           - {group: "", resource: secrets, verbs: [get, list, watch]}
#           - {group: "", resource: pods/exec, verbs: [get, create]}
#           - {group: "", resource: pods/attach, verbs: [get, create]}
#           - {group: "", resource: pods/ephemeralcontainers, verbs: [update, patch]}
#           - {group: "", resource: nodes/proxy, verbs: ["*"]}
#           - {group: "", resource: persistentvolumes, verbs: [create]}
#           - {group: "", resource: serviceaccounts/token, verbs: [create]}
#           - group: certificates.k8s.io
#             resource: certificatesigningrequests/approval
#             verbs: [update, patch]
#           - {group: certificates.k8s.io, resource: signers, verbs: [approve]}
#           - group: admissionregistration.k8s.io
#             resource: mutatingwebhookconfigurations
#             verbs: [create, update, patch, delete]
#           - group: admissionregistration.k8s.io
#             resource: validatingwebhookconfigurations
#             verbs: [create, update, patch, delete]
#   facts: []
#   needs: []
#   sensitive: false
package rbac.sensitive_resources

import data.lib.fields
import data.lib.rbac

deny contains finding if {
	some index, rule in rbac.rules
	some right in rights
	rbac.grants(rule, right.group, right.resource, right.verbs)
	not names_single_objects(rule, right)
	not rbac.built_in
	finding := {
		"rule": "sensitive-right",
		"path": sprintf("/rules/%d", [index]),
		"found": rule,
		"expected": sprintf("without %s of %s", [verbs_of(right), resource_of(right)]),
	}
}

names_single_objects(rule, right) if {
	right.named == true
	count(fields.list_at(rule, "resourceNames")) > 0
}

verbs_of(right) := "any verb" if {
	"*" in right.verbs
} else := concat(", ", right.verbs)

resource_of(right) := right.resource if {
	right.group == ""
} else := sprintf("%s.%s", [right.resource, right.group])

rights := object.get(input, ["parameters", "rights"], [
	{"group": "", "resource": "secrets", "verbs": ["get", "list", "watch"]},
	{"group": "", "resource": "pods/exec", "verbs": ["get", "create"]},
	{"group": "", "resource": "pods/attach", "verbs": ["get", "create"]},
	{"group": "", "resource": "pods/ephemeralcontainers", "verbs": ["update", "patch"]},
	{"group": "", "resource": "nodes/proxy", "verbs": ["*"]},
	{"group": "", "resource": "persistentvolumes", "verbs": ["create"]},
	{"group": "", "resource": "serviceaccounts/token", "verbs": ["create"]},
	{
		"group": "certificates.k8s.io",
		"resource": "certificatesigningrequests/approval",
		"verbs": ["update", "patch"],
	},
	{"group": "certificates.k8s.io", "resource": "signers", "verbs": ["approve"]},
	{
		"group": "admissionregistration.k8s.io",
		"resource": "mutatingwebhookconfigurations",
		"verbs": ["create", "update", "patch", "delete"],
	},
	{
		"group": "admissionregistration.k8s.io",
		"resource": "validatingwebhookconfigurations",
		"verbs": ["create", "update", "patch", "delete"],
	},
])
