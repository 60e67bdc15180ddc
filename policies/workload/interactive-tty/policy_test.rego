package workload.interactive_tty_test

import data.workload.interactive_tty

pod(spec) := {"review": {"object": {"spec": spec}}}

finding(path, value) := {
	"rule": "interactive-terminal",
	"path": path,
	"found": value,
	"expected": "false or unset",
}

test_each_field_is_denied if {
	interactive_tty.deny == {
		finding("/spec/containers/0/stdin", true),
		finding("/spec/containers/0/tty", true),
	} with input as pod({"containers": [{"name": "app", "stdin": true, "tty": true}]})
}

test_absent_null_and_false_pass if {
	every container in [{}, {"stdin": null, "tty": null}, {"stdin": false, "tty": false}] {
		interactive_tty.deny == set() with input as pod({"containers": [container]})
	}
	interactive_tty.deny == set() with input as {"review": {"object": {}}}
}

test_what_is_no_boolean_is_denied if {
	expected := {finding("/spec/containers/0/tty", "true")}
	interactive_tty.deny == expected with input as pod({"containers": [{"tty": "true"}]})
}

everywhere := pod({
	"initContainers": [{"tty": true}],
	"containers": [{}, {"tty": true}],
	"ephemeralContainers": [{"tty": true}],
})

test_containers_of_every_kind_are_judged if {
	interactive_tty.deny == {
		finding("/spec/initContainers/0/tty", true),
		finding("/spec/containers/1/tty", true),
		finding("/spec/ephemeralContainers/0/tty", true),
	} with input as everywhere
}

test_debugging_is_a_parameter if {
	result := interactive_tty.deny with input as everywhere
		with input.parameters.debugging as true
	{entry.path | some entry in result} == {"/spec/initContainers/0/tty", "/spec/containers/1/tty"}
}
