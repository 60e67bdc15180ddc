package workload.container_port_names_test

import data.workload.container_port_names

pod(list, ports) := {"review": {"object": {"spec": {list: [{"name": "app", "ports": ports}]}}}}

finding(list, index, number) := {
	"rule": "unnamed-port",
	"path": sprintf("/spec/%s/0/ports/%d/name", [list, index]),
	"expected": "a name such as `http`",
	"msg": sprintf("port %v of container \"app\" has no name", [number]),
}

test_named_ports_pass if {
	ports := [{"containerPort": 8080, "name": "http"}]
	container_port_names.deny == set() with input as pod("containers", ports)
}

test_a_port_without_a_name_is_denied if {
	ports := [{"containerPort": 8080, "name": "http"}, {"containerPort": 9090}]
	container_port_names.deny == {finding("containers", 1, 9090)} with input as pod("containers", ports)
}

test_an_empty_name_and_a_number_are_no_names if {
	every name in ["", 8080] {
		review := pod("containers", [{"containerPort": 8080, "name": name}])
		expected := {object.union(finding("containers", 0, 8080), {"found": name})}
		container_port_names.deny == expected with input as review
	}
	null_name := pod("containers", [{"containerPort": 8080, "name": null}])
	container_port_names.deny == {finding("containers", 0, 8080)} with input as null_name
}

test_containers_of_every_kind_are_judged if {
	every list in ["initContainers", "containers", "ephemeralContainers"] {
		container_port_names.deny == {finding(list, 0, 80)} with input as pod(list, [{"containerPort": 80}])
	}
}

test_a_port_of_nothing_is_denied_too if {
	container_port_names.deny == {finding("containers", 0, "")} with input as pod("containers", [{}])
}

test_containers_without_ports_pass if {
	container_port_names.deny == set() with input as pod("containers", null)
	container_port_names.deny == set() with input as {"review": {"object": {}}}
}
