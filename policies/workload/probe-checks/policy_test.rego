package workload.probe_checks_test

import data.workload.probe_checks

pod(container) := {"review": {"object": {"spec": {"containers": [container]}}}}

http(path) := {"httpGet": {"path": path, "port": 8080}}

test_different_probes_pass if {
	probe_checks.deny == set() with input as pod({
		"livenessProbe": http("/live"),
		"readinessProbe": http("/ready"),
		"startupProbe": http("/live"),
	})
}

test_what_is_no_probe_is_not_judged if {
	probe_checks.deny == set() with input as pod({"example": {"timeoutSeconds": 99}})
}

test_the_same_probes_are_denied if {
	container := {"livenessProbe": http("/health"), "readinessProbe": http("/health")}
	probe_checks.deny == {{
		"rule": "same-probes",
		"path": "/spec/containers/0/livenessProbe",
		"found": http("/health"),
		"expected": "another check than the readinessProbe",
	}} with input as pod(container)
	allowed := probe_checks.deny with input as pod(container)
		with input.parameters.same as true
	allowed == set()
}

test_no_probes_are_not_the_same_ones if {
	probe_checks.deny == set() with input as pod({})
	probe_checks.deny == set() with input as pod({"livenessProbe": {}, "readinessProbe": {}})
	probe_checks.deny == set() with input as pod({"livenessProbe": null, "readinessProbe": null})
	probe_checks.deny == set() with input as {"review": {"object": {}}}
}

late(field, expected) := {
	"rule": "probe-timeout",
	"path": sprintf("/spec/containers/0/%s/timeoutSeconds", [field]),
	"expected": expected,
}

test_a_timeout_as_long_as_the_period_is_denied if {
	every field in ["livenessProbe", "readinessProbe", "startupProbe"] {
		expected := object.union(late(field, "less than the period of 5 seconds"), {"found": 5})
		probe_checks.deny == {expected} with input as pod({field: {"timeoutSeconds": 5, "periodSeconds": 5}})
		probe_checks.deny == set() with input as pod({field: {"timeoutSeconds": 4, "periodSeconds": 5}})
	}
}

test_absent_seconds_are_those_that_the_api_server_fills_in if {
	probe_checks.deny == {late("livenessProbe", "less than the period of 1 seconds")} with input as pod({
		"livenessProbe": {"periodSeconds": 1},
	})
	probe_checks.deny == set() with input as pod({"livenessProbe": {"periodSeconds": 2}})
	expected := late("livenessProbe", "less than the period of 10 seconds")
	every period in [{}, {"periodSeconds": 0}] {
		probe := object.union({"timeoutSeconds": 10}, period)
		probe_checks.deny == {object.union(expected, {"found": 10})} with input as pod({"livenessProbe": probe})
	}
	probe_checks.deny == set() with input as pod({"livenessProbe": {"timeoutSeconds": 9}})
}

exec(command) := {"livenessProbe": {"exec": {"command": command}}}

running(index, text, program) := {
	"rule": "probe-command",
	"path": sprintf("/spec/containers/0/livenessProbe/exec/command/%d", [index]),
	"found": text,
	"expected": "a check of the application itself",
	"msg": sprintf("it runs `%s`", [program]),
}

test_programs_that_tell_nothing_are_denied if {
	probe_checks.deny == {running(0, "/bin/ps", "ps")} with input as pod(exec(["/bin/ps", "aux"]))
	text := "jcmd | grep Main && ls /tmp"
	probe_checks.deny == {
		running(2, text, "jcmd"),
		running(2, text, "ls"),
	} with input as pod(exec(["/bin/sh", "-c", text]))
}

test_words_that_only_contain_such_a_name_pass if {
	probe_checks.deny == set() with input as pod(exec(["/opt/ps-check", "--tls", "maps", "/ls/healthy"]))
	probe_checks.deny == set() with input as pod(exec(null))
}

test_the_programs_are_a_parameter if {
	review := pod(exec(["cat", "/tmp/healthy"]))
	probe_checks.deny == set() with input as review
	result := probe_checks.deny with input as review
		with input.parameters.programs as ["cat"]
	result == {running(0, "cat", "cat")}
}

test_containers_of_every_kind_are_judged if {
	container := {"livenessProbe": object.union(http("/"), {"timeoutSeconds": 10}), "readinessProbe": http("/x")}
	twins := {"livenessProbe": http("/"), "readinessProbe": http("/")}
	lists := ["initContainers", "ephemeralContainers"]
	spec := {list: [container, twins] | some list in lists}
	result := probe_checks.deny with input.review.object as {"spec": spec}
	{[entry.rule, entry.path] | some entry in result} == {pair |
		some list in lists
		some pair in [
			["probe-timeout", sprintf("/spec/%s/0/livenessProbe/timeoutSeconds", [list])],
			["same-probes", sprintf("/spec/%s/1/livenessProbe", [list])],
		]
	}
}
