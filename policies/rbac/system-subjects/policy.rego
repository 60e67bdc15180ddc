# METADATA
# scope: package
# title: No rights for everybody
# description: |-
#   Some subjects are not somebody: system:anonymous and system:unauthenticated are whoever reaches the API
#   server, system:serviceaccounts is every Pod of the cluster, and system:masters passes by RBAC as a whole,
#   so that nothing said of it can be taken back. No binding names them, except to the roles that every
#   cluster opens to the public on purpose. Platforms that also refuse system:authenticated add it.
# custom:
#   severity: critical
#   category: rbac
#   match:
#     resourceRules:
#       - apiGroups: [rbac.authorization.k8s.io]
#         resources: [rolebindings, clusterrolebindings]
#         operations: [CREATE, UPDATE]
#   controls: [CIS-5.1.7, NSA-rbac, NSA-authentication, T1078]
#   peers: [gatekeeper/K8sDisallowAnonymous, kyverno/restrict-binding-system-groups]
#   remedy: Bind the users, groups or service accounts that need the role.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       subjects:
#         description: Names of users and groups that no binding names.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default:
#           - system:anonymous
#           - system:unauthenticated
#           - system:serviceaccounts
#           - system:masters
#       roles:
#         description: ClusterRoles that they may be bound to.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default:
#           - system:cluster-trust-bundle-discovery
#           - system:public-info-viewer
#           - system:service-account-issuer-discovery
#   facts: []
#   needs: []
#   sensitive: false
package rbac.system_subjects

import data.lib.rbac

deny contains finding if {
	some entry in rbac.subjects
	name := entry.subject.name
	name in refused
	not service_account(entry.subject)
	not public_role
	not rbac.first_binding
	finding := {
		"rule": "system-subject",
		"path": sprintf("/subjects/%d/name", [entry.index]),
		"found": name,
		"expected": "a user, group or service account that needs the role",
	}
}

# Its name is no user or group.
service_account(subject) if subject.kind == "ServiceAccount"

public_role if {
	some role in roles
	rbac.refers_to_cluster_role(role)
}

refused := object.get(
	input,
	["parameters", "subjects"],
	["system:anonymous", "system:unauthenticated", "system:serviceaccounts", "system:masters"],
)

roles := object.get(
	input,
	["parameters", "roles"],
	[
		"system:cluster-trust-bundle-discovery",
		"system:public-info-viewer",
		"system:service-account-issuer-discovery",
	],
)
