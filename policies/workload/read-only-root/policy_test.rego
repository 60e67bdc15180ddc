package workload.read_only_root_test

import data.workload.read_only_root

pod(spec) := {"review": {"object": {"spec": spec}}}

app(context) := pod({"containers": [{"name": "app", "securityContext": context}]})

writable := {
	"rule": "writable-root",
	"path": "/spec/containers/0/securityContext/readOnlyRootFilesystem",
	"expected": "true",
}

test_a_read_only_root_passes if {
	read_only_root.deny == set() with input as app({"readOnlyRootFilesystem": true})
}

test_false_is_denied_and_shown if {
	expected := {object.union(writable, {"found": false})}
	read_only_root.deny == expected with input as app({"readOnlyRootFilesystem": false})
}

test_absent_means_false if {
	read_only_root.deny == {writable} with input as app({})
	read_only_root.deny == {writable} with input as app(null)
	read_only_root.deny == {writable} with input as pod({"containers": [{"name": "app"}]})
}

test_what_is_no_boolean_proves_nothing if {
	expected := {object.union(writable, {"found": "true"})}
	read_only_root.deny == expected with input as app({"readOnlyRootFilesystem": "true"})
}

test_containers_of_every_kind_are_judged if {
	result := read_only_root.deny with input as pod({
		"initContainers": [{"name": "a"}],
		"containers": [{"name": "b", "securityContext": {"readOnlyRootFilesystem": true}}, {"name": "c"}],
		"ephemeralContainers": [{"name": "d"}],
	})
	{entry.path | some entry in result} == {
		"/spec/initContainers/0/securityContext/readOnlyRootFilesystem",
		"/spec/containers/1/securityContext/readOnlyRootFilesystem",
		"/spec/ephemeralContainers/0/securityContext/readOnlyRootFilesystem",
	}
}

test_pods_for_windows_are_not_judged if {
	spec := {"os": {"name": "windows"}, "containers": [{"name": "app"}]}
	read_only_root.deny == set() with input as pod(spec)
	linux := object.union(spec, {"os": {"name": "linux"}})
	read_only_root.deny == {writable} with input as pod(linux)
}
