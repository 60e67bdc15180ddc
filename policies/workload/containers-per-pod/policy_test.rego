package workload.containers_per_pod_test

import data.workload.containers_per_pod

pod(containers, init) := {"review": {"object": {"spec": {"containers": containers, "initContainers": init}}}}

app := {"name": "app"}

sidecar := {"name": "proxy", "restartPolicy": "Always"}

finding(number, maximum) := {
	"rule": "too-many-containers",
	"path": "/spec/containers",
	"expected": sprintf("at most %d containers, sidecars included", [maximum]),
	"msg": sprintf("there are %d", [number]),
}

test_as_many_as_allowed_pass if {
	containers_per_pod.deny == set() with input as pod([app, app, app, app], [])
	containers_per_pod.deny == set() with input as pod([app, app, app], [sidecar])
}

test_one_more_is_denied if {
	containers_per_pod.deny == {finding(5, 4)} with input as pod([app, app, app, app, app], [])
}

test_sidecars_count_and_other_init_containers_do_not if {
	containers_per_pod.deny == {finding(5, 4)} with input as pod([app, app, app], [sidecar, app, sidecar])
}

test_the_maximum_is_a_parameter if {
	result := containers_per_pod.deny with input as pod([app, app], [])
		with input.parameters.maximum as 1
	result == {finding(2, 1)}
}

test_absent_and_null_lists_are_empty if {
	containers_per_pod.deny == set() with input as {"review": {"object": {}}}
	containers_per_pod.deny == {finding(5, 4)} with input as pod([app, app, app, app, app], null)
	containers_per_pod.deny == set() with input as pod(null, [sidecar])
}
