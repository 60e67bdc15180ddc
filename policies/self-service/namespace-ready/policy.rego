# METADATA
# scope: package
# title: Pods wait for their namespace
# description: |-
#   In a namespace that is furnished by the platform (`managed-by: idp`) Pods, and nothing else, wait until its
#   quota, limits and network policies are there: before that a Pod would run without any of them. The label
#   `wayguard.io/ready` says that they are. Only the provisioner writes it and nobody takes it away again (a
#   ValidatingAdmissionPolicy sees to that), not even an upgrade: a provisioner that is gone stops no Pod of a namespace
#   that was ready once. To be used where the provisioner runs (`wayguard install --provisioning`), and nowhere else.
# custom:
#   severity: medium
#   category: self-service
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE]}
#   controls: []
#   remedy: Wait a few seconds; the controller of a workload tries again by itself.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: []
#   needs: [user, namespace]
#   sensitive: false
package self_service.namespace_ready

import data.lib.namespace

# wayguard:ignore finding-path,finding-expected what is missing is of the namespace, which the message says
deny contains finding if {
	# Only who stands at the API server can wait: nobody does in a file, or in an audit.
	input.review.userInfo.username
	input.review.kind.kind == "Pod"
	input.review.kind.group == ""
	namespace.label("managed-by") == "idp"
	not namespace.label(mark)
	finding := {
		"rule": "namespace-not-ready",
		"msg": sprintf(
			"namespace `%v` is still being furnished: its quota and network policies are not all there (no label `%s`)",
			[input.review.namespace, mark],
		),
	}
}

mark := "wayguard.io/ready"
