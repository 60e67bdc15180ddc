# METADATA
# scope: package
# title: No Secrets with tokens of service accounts
# description: |-
#   A Secret of type kubernetes.io/service-account-token is filled by the cluster with a token that never
#   expires and that everybody can use who reads Secrets: whoever may write and read Secrets of a namespace
#   is any of its service accounts. Pods get tokens that expire by themselves, and others ask for one by
#   `kubectl create token`. Service accounts for which there is no other way are listed.
# custom:
#   severity: high
#   category: rbac
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [secrets], operations: [CREATE, UPDATE]}
#   controls: [NSA-secrets, T1528]
#   peers: [kyverno/deny-secret-service-account-token-type]
#   remedy: Mount a projected token with an expiry, or make one by `kubectl create token`.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       serviceAccounts:
#         description: Service accounts that may have such a Secret, as `namespace/name`.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package rbac.token_secrets

deny contains finding if {
	input.review.object.type == token_type
	not listed
	finding := {
		"rule": "token-secret",
		"path": "/type",
		"found": token_type,
		"expected": "another type; the token in it would never expire",
	}
}

token_type := "kubernetes.io/service-account-token"

listed if {
	account := input.review.object.metadata.annotations["kubernetes.io/service-account.name"]
	sprintf("%v/%v", [input.review.namespace, account]) in service_accounts
}

service_accounts := object.get(input, ["parameters", "serviceAccounts"], [])
