# METADATA
# scope: package
# title: No Pods without a controller
# description: |-
#   A Pod that nothing controls is gone for good when its node goes, and nobody brings a new version of it.
#   Pods are made by a Deployment, a StatefulSet, a DaemonSet, a Job or an operator, which stand in their
#   ownerReferences as controller. A reference to an owner that does not exist helps nobody: the garbage
#   collector deletes such a Pod. Static Pods are controlled by their node and pass.
# custom:
#   severity: medium
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE]}
#   controls: []
#   peers: [kyverno/prevent-bare-pods]
#   remedy: Make the Pod the template of a Deployment, or of a Job where it runs to completion.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: []
#   needs: []
#   sensitive: false
package workload.bare_pods

import data.lib.fields

deny contains object.union(finding, fields.seen(metadata, "ownerReferences")) if {
	not input.owner
	not controlled
	finding := {
		"rule": "no-controller",
		"path": "/metadata/ownerReferences",
		"expected": "set by a controller, such as a Deployment or a Job",
		"msg": "nothing replaces this Pod when its node goes",
	}
}

controlled if {
	some reference in fields.list_at(metadata, "ownerReferences")
	reference.controller == true
}

metadata := fields.object_at(input.review.object, "metadata")
