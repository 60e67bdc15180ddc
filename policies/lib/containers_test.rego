package lib.containers_test

import data.lib.containers

test_every_list_is_visited_in_upstreams_order if {
	found := containers.all with input as {"review": {"object": {"spec": {
		"containers": [{"name": "a"}, {"name": "b"}],
		"initContainers": [{"name": "first"}],
		"ephemeralContainers": [{"name": "debug"}],
	}}}}
	[entry.path | some entry in found] == [
		"/spec/initContainers/0",
		"/spec/containers/0",
		"/spec/containers/1",
		"/spec/ephemeralContainers/0",
	]
	[entry.container.name | some entry in found] == ["first", "a", "b", "debug"]
	found[2] == {"list": "containers", "index": 1, "path": "/spec/containers/1", "container": {"name": "b"}}
}

test_absent_and_null_lists_hold_no_containers if {
	found := containers.all with input as {"review": {"object": {"spec": {"containers": null}}}}
	found == []
}

test_an_object_without_a_spec_holds_no_containers if {
	found := containers.all with input as {"review": {"object": {"data": {}}}}
	found == []
}

test_a_container_without_a_name_still_has_a_title if {
	containers.title({"image": "i"}) == "container \"\""
	containers.title({"name": "web"}) == "container \"web\""
}
