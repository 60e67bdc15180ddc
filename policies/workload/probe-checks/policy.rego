# METADATA
# scope: package
# title: Probes that check the right thing
# description: |-
#   A liveness probe that asks what the readiness probe asks restarts a container that is only busy, and the
#   load of its restart takes the next one down: the two are not the same check. A probe that takes as long
#   as its period is over when the next one starts. Programs that list processes or files, or attach to a
#   virtual machine, say nothing of whether the application answers, and cost more than they tell.
# custom:
#   severity: low
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers:
#     - kyverno/deny-commands-in-exec-probe
#     - kyverno/ensure-probes-different
#     - kyverno/validate-probe-timeout-period
#   remedy: >-
#     Let readiness ask whether the container can serve now, and liveness whether it hangs, each with a
#     timeout shorter than its period.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       programs:
#         description: Programs that no probe runs, by name.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [jcmd, ls, ps]
#       same:
#         description: Let the liveness and the readiness probe be the same.
#         type: boolean
#         default: false
#   facts: []
#   needs: []
#   sensitive: false
package workload.probe_checks

import data.lib.containers
import data.lib.fields

deny contains finding if {
	not same == true
	some list in containers.lists
	some index, container in fields.list_at(input.review.object.spec, list)
	fields.object_at(container, "livenessProbe") != {}
	container.livenessProbe == container.readinessProbe
	finding := {
		"rule": "same-probes",
		"path": concat("", [containers.path(list, index), "/livenessProbe"]),
		"found": container.livenessProbe,
		"expected": "another check than the readinessProbe",
	}
}

deny contains object.union(finding, fields.seen(entry.probe, "timeoutSeconds")) if {
	some entry in probes
	timeout := seconds(entry.probe, "timeoutSeconds", 1)
	period := seconds(entry.probe, "periodSeconds", 10)
	timeout >= period
	finding := {
		"rule": "probe-timeout",
		"path": concat("", [entry.path, "/timeoutSeconds"]),
		"expected": sprintf("less than the period of %v seconds", [period]),
	}
}

deny contains finding if {
	some entry in probes
	some index, text in fields.list_at(fields.object_at(entry.probe, "exec"), "command")
	some program in programs_in(text)
	program in programs
	finding := {
		"rule": "probe-command",
		"path": sprintf("%s/exec/command/%d", [entry.path, index]),
		"found": text,
		"expected": "a check of the application itself",
		"msg": sprintf("it runs `%s`", [program]),
	}
}

probes contains {"path": path, "probe": probe} if {
	some list in containers.lists
	some index, container in fields.list_at(input.review.object.spec, list)
	some field in ["livenessProbe", "readinessProbe", "startupProbe"]
	probe := container[field]
	path := sprintf("%s/%s", [containers.path(list, index), field])
}

# What the API server fills in where nothing, or 0, is written.
seconds(probe, field, usual) := value if {
	value := probe[field]
	value > 0
} else := usual

# The last parts of all words that could name a program: of `/bin/sh -c "ps aux | wc -l"` also `ps`.
programs_in(text) := {name |
	some word in regex.split(`[^A-Za-z0-9_./-]+`, text)
	parts := split(word, "/")
	name := parts[count(parts) - 1]
}

programs := object.get(input, ["parameters", "programs"], ["jcmd", "ls", "ps"])

same := object.get(input, ["parameters", "same"], false)
