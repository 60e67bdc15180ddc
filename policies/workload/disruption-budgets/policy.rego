# METADATA
# scope: package
# title: Disruption budgets that allow disruption
# description: |-
#   A PodDisruptionBudget that allows no Pod to be away stops every drain of a node: an upgrade of the cluster
#   hangs on it until somebody deletes it. maxUnavailable is more than nothing, and minAvailable is less than
#   everything, in numbers or in percent; a number of minAvailable is less than the replicas of the workload
#   whose Pods it selects, where the parameter names how many replicas the smallest workload has.
# custom:
#   severity: medium
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [policy], resources: [poddisruptionbudgets], operations: [CREATE, UPDATE]}
#   controls: []
#   peers: [gatekeeper/K8sPodDisruptionBudget, kyverno/pdb-maxunavailable, polaris/pdbDisruptionsIsZero]
#   remedy: Set maxUnavailable to 1, and leave out minAvailable.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       replicas:
#         description: >-
#           The number of replicas that a workload has at least: minAvailable as a number is below it.
#           0 judges percentages alone.
#         type: integer
#         minimum: 0
#         default: 0
#   facts: []
#   needs: []
#   sensitive: false
package workload.disruption_budgets

import data.lib.fields

deny contains finding if {
	value := spec.maxUnavailable
	nothing(value)
	finding := {
		"rule": "no-disruption",
		"path": "/spec/maxUnavailable",
		"found": value,
		"expected": "more than nothing",
		"msg": "no Pod may be away, so no node can be drained",
	}
}

deny contains finding if {
	value := spec.minAvailable
	everything(value)
	finding := {
		"rule": "no-disruption",
		"path": "/spec/minAvailable",
		"found": value,
		"expected": "less than all Pods",
		"msg": "no Pod may be away, so no node can be drained",
	}
}

nothing(value) if value == 0

nothing(value) if regex.match(`^0+%?$`, as_text(value))

everything(value) if regex.match(`^0*[1-9][0-9]{2,}%$`, as_text(value))

everything(value) if {
	is_number(value)
	smallest := input.parameters.replicas
	smallest > 0
	value >= smallest
}

as_text(value) := value if is_string(value)

spec := fields.object_at(input.review.object, "spec")
