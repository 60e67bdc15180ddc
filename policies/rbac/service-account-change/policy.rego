# METADATA
# scope: package
# title: The service account of a workload stays
# description: |-
#   Whoever may change a workload may also have it run as another service account of its namespace, and use
#   that account's rights: where powerful accounts live (kube-system, operators' namespaces) that is a way
#   up. On an update the service account stays as it was, unless one of the named users or groups asks.
#   An absent name is `default`. Judges the Pod's template of workloads; a Pod itself cannot be changed so.
# custom:
#   severity: high
#   category: rbac
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [UPDATE]}
#   expand: true
#   controls: [NSA-rbac, T1098.006]
#   peers: [gatekeeper/NoUpdateServiceAccount]
#   remedy: Leave the service account as it is, or have somebody change it who may.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       groups:
#         description: Groups that may change it.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [system:masters]
#       users:
#         description: Users that may change it.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: [user, operation, oldObject]
#   sensitive: false
package rbac.service_account_change

import data.lib.fields

deny contains object.union(finding, fields.seen(spec(input.review.object), "serviceAccountName")) if {
	input.review.operation == "UPDATE"
	before := account(input.review.oldObject)
	account(input.review.object) != before
	not privileged
	finding := {
		"rule": "service-account",
		"path": "/spec/serviceAccountName",
		"expected": sprintf("`%s`, as before", [before]),
	}
}

privileged if input.review.userInfo.username in users

privileged if {
	some group in input.review.userInfo.groups
	group in groups
}

# The older field counts where the newer one is absent.
account(pod) := name if {
	name := spec(pod).serviceAccountName
	named(name)
} else := name if {
	name := spec(pod).serviceAccount
	named(name)
} else := "default"

named(name) if {
	is_string(name)
	name != ""
}

spec(pod) := fields.object_at(pod, "spec")

groups := object.get(input, ["parameters", "groups"], ["system:masters"])

users := object.get(input, ["parameters", "users"], [])
