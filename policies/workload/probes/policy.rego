# METADATA
# scope: package
# title: Probes
# description: |-
#   Without a readiness probe a Pod gets traffic before it can answer, without a liveness probe it hangs for
#   ever. Every container of a service has both. Pods that run to completion (those of Jobs and CronJobs, and
#   those with restartPolicy Never or OnFailure) serve nobody and need none; nor do init and ephemeral
#   containers. Sidecars (init containers with restartPolicy Always) are judged where the parameter says so.
# custom:
#   severity: low
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers:
#     - gatekeeper/K8sRequiredProbes
#     - kyverno/require-probes
#     - polaris/livenessProbeMissing
#     - polaris/readinessProbeMissing
#   remedy: >-
#     Give the container a readinessProbe and a livenessProbe, for example
#     `httpGet: {path: /healthz, port: 8080}`.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       probes:
#         description: The probes that a container must have.
#         type: array
#         uniqueItems: true
#         items: {enum: [readiness, liveness, startup]}
#         default: [readiness, liveness]
#       sidecars:
#         description: Also judge sidecars, which run as long as the Pod does.
#         type: boolean
#         default: false
#   facts: []
#   needs: []
#   sensitive: false
package workload.probes

import data.lib.containers
import data.lib.fields

deny contains object.union(finding, fields.seen(place.container, field)) if {
	not runs_to_completion
	some place in serving
	some probe in wanted
	field := sprintf("%sProbe", [probe])
	checks := fields.object_at(place.container, field)
	not checks_something(checks)
	finding := {
		"rule": sprintf("missing-%s-probe", [probe]),
		"path": sprintf("%s/%s", [place.path, field]),
		"expected": "set to a check (httpGet, tcpSocket, grpc or exec)",
	}
}

serving contains place if {
	some place in containers.all
	place.list == "containers"
}

serving contains place if {
	judge_sidecars == true
	some place in containers.all
	place.list == "initContainers"
	place.container.restartPolicy == "Always"
}

checks_something(checks) if {
	some handler in ["httpGet", "tcpSocket", "grpc", "exec"]
	is_object(checks[handler])
}

runs_to_completion if input.owner.kind in {"Job", "CronJob"}

runs_to_completion if {
	some owner in fields.list_at(fields.object_at(input.review.object, "metadata"), "ownerReferences")
	owner.kind == "Job"
	is_string(owner.apiVersion)
	startswith(owner.apiVersion, "batch/")
}

runs_to_completion if input.review.object.spec.restartPolicy in {"Never", "OnFailure"}

wanted := object.get(input, ["parameters", "probes"], ["readiness", "liveness"])

judge_sidecars := object.get(input, ["parameters", "sidecars"], false)
