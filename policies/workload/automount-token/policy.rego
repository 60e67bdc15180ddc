# METADATA
# scope: package
# title: Tokens of service accounts only where needed
# description: |-
#   Kubernetes puts a token of the Pod's service account into every container, and whoever breaks into one can
#   speak to the API server with it. Few applications need that. A Pod says `automountServiceAccountToken:
#   false` itself, whatever its service account says, so that its file alone tells; absent means true. The
#   parameter names the service accounts of what does speak to the API server. ServiceAccount objects are
#   judged too where the Policy matches them. A token that a Pod asks for by a projected volume is the
#   author's own decision, and is not judged.
# custom:
#   severity: medium
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, serviceaccounts], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [CIS-5.1.6, NSA-service-account-tokens, T1528]
#   peers:
#     - gatekeeper/K8sPSPAutomountServiceAccountTokenPod
#     - kyverno/restrict-automount-sa-token
#     - kyverno/restrict-sa-automount-sa-token
#     - polaris/automountServiceAccountToken
#   remedy: >-
#     Set automountServiceAccountToken to false, or, where the application speaks to the API server, ask for
#     its service account to be allowed.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       allowed:
#         description: Names of service accounts whose token may be mounted, in every namespace.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package workload.automount_token

import data.lib.fields
import data.lib.service_account

deny contains object.union(finding, fields.seen(spec, "automountServiceAccountToken")) if {
	not judges_account
	not switched_off(spec)
	not service_account.name in allowed
	finding := {
		"rule": "token-mounted",
		"path": "/spec/automountServiceAccountToken",
		"expected": "false",
		"msg": sprintf("the token of service account `%s` is put into every container", [service_account.name]),
	}
}

deny contains object.union(finding, fields.seen(account, "automountServiceAccountToken")) if {
	judges_account
	not switched_off(account)
	not account_allowed
	finding := {
		"rule": "token-mounted",
		"path": "/automountServiceAccountToken",
		"expected": "false",
		"msg": "its token is put into the containers of every Pod that does not say otherwise",
	}
}

switched_off(holder) if holder.automountServiceAccountToken == false

judges_account if input.review.kind.kind == "ServiceAccount"

account := input.review.object

account_allowed if account.metadata.name in allowed

spec := fields.object_at(input.review.object, "spec")

allowed := object.get(input, ["parameters", "allowed"], [])
