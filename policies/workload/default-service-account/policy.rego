# METADATA
# scope: package
# title: A service account of one's own
# description: |-
#   Whatever is granted to the service account `default` is granted to every Pod of the namespace that names
#   no other. Each workload has a service account of its own, so that a right reaches just whom it was meant
#   for. A Pod that names none runs as `default`.
# custom:
#   severity: low
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [CIS-5.1.5, NSA-service-account-tokens]
#   peers: [kyverno/deny-default-service-accounts]
#   remedy: Create a ServiceAccount for the workload and name it in spec.serviceAccountName.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       shared:
#         description: Names of service accounts that no workload may run as.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [default]
#   facts: []
#   needs: []
#   sensitive: false
package workload.default_service_account

import data.lib.fields
import data.lib.service_account

deny contains object.union(finding, fields.seen(spec, "serviceAccountName")) if {
	service_account.name in shared
	finding := {
		"rule": "shared-service-account",
		"path": "/spec/serviceAccountName",
		"expected": "a service account of the workload's own",
		"msg": sprintf("it runs as `%s`, which other workloads share", [service_account.name]),
	}
}

spec := fields.object_at(input.review.object, "spec")

shared := object.get(input, ["parameters", "shared"], ["default"])
