package workload.users_test

import data.workload.users

pod(context, container) := {"review": {"object": {"spec": {
	"securityContext": context,
	"containers": [{"name": "app", "securityContext": container}],
}}}}

finding(rule, path, value) := {
	"rule": rule,
	"path": path,
	"found": value,
	"expected": "a number of 1 to 2147483647",
}

missing(rule, path) := {
	"rule": rule,
	"path": path,
	"expected": "set to a number of 1 to 2147483647",
}

of_pod(field) := concat("", ["/spec/securityContext/", field])

of_app(field) := concat("", ["/spec/containers/0/securityContext/", field])

test_numbers_above_nought_pass if {
	context := {"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000, "supplementalGroups": [1, 2147483647]}
	users.deny == set() with input as pod(context, {"runAsUser": 1, "runAsGroup": 1})
}

test_what_is_not_set_passes if {
	users.deny == set() with input as pod(null, null)
	users.deny == set() with input as {"review": {"object": {}}}
	nulls := {"runAsUser": null, "runAsGroup": null, "fsGroup": null, "supplementalGroups": null}
	users.deny == set() with input as pod(nulls, nulls)
}

test_root_is_denied_in_every_field_of_the_pod if {
	context := {"runAsUser": 0, "runAsGroup": 0, "fsGroup": 0, "supplementalGroups": [5, 0]}
	users.deny == {
		finding("run-as-user", of_pod("runAsUser"), 0),
		finding("run-as-group", of_pod("runAsGroup"), 0),
		finding("fs-group", of_pod("fsGroup"), 0),
		finding("supplemental-groups", of_pod("supplementalGroups/1"), 0),
	} with input as pod(context, {"runAsUser": 7})
}

test_root_is_denied_in_containers_of_every_kind if {
	container := {"securityContext": {"runAsUser": 0, "runAsGroup": 0}}
	result := users.deny with input.review.object as {"spec": {
		"initContainers": [container],
		"containers": [container],
		"ephemeralContainers": [container],
	}}
	{entry.path | some entry in result} == {path |
		some list in ["initContainers", "containers", "ephemeralContainers"]
		some field in ["runAsUser", "runAsGroup"]
		path := sprintf("/spec/%s/0/securityContext/%s", [list, field])
	}
}

test_what_is_no_number_is_denied if {
	every value in ["1000", true, []] {
		expected := {finding("run-as-user", of_app("runAsUser"), value)}
		users.deny == expected with input as pod({}, {"runAsUser": value})
	}
}

test_the_ranges_are_a_parameter_of_each_field if {
	both := [{"min": 100, "max": 200}, {"min": 1000, "max": 1000}]
	every value in [100, 200, 1000] {
		result := users.deny with input as pod({"fsGroup": value}, {})
			with input.parameters.fsGroup.ranges as both
		result == set()
	}
	every value in [99, 201, 999, 1001] {
		result := users.deny with input as pod({"fsGroup": value}, {})
			with input.parameters.fsGroup.ranges as both
		result == {object.union(
			finding("fs-group", of_pod("fsGroup"), value),
			{"expected": "a number of 100 to 200 or 1000 to 1000"},
		)}
	}
	further := users.deny with input as pod({"supplementalGroups": [200, 201, 1000]}, {})
		with input.parameters.supplementalGroups.ranges as both
	result := {entry.path | some entry in further}
	result == {of_pod("supplementalGroups/1")}
	other := users.deny with input as pod({"runAsUser": 5}, {"runAsUser": 5})
		with input.parameters.fsGroup.ranges as both
	other == set()
}

required(context, container, field) := result if {
	result := users.deny with input as pod(context, container)
		with input.parameters as {field: {"required": true}}
}

test_a_required_user_is_the_containers_or_the_pods if {
	required({"runAsUser": 5}, {}, "runAsUser") == set()
	required({}, {"runAsUser": 5}, "runAsUser") == set()
	required({}, {}, "runAsUser") == {missing("run-as-user", of_app("runAsUser"))}
	required({"runAsUser": null}, null, "runAsUser") == {missing("run-as-user", of_app("runAsUser"))}
	required({"runAsUser": 5}, {}, "runAsGroup") == {missing("run-as-group", of_app("runAsGroup"))}
}

test_required_groups_of_volumes_are_the_pods if {
	required({"fsGroup": 5}, {}, "fsGroup") == set()
	required({}, {"fsGroup": 5}, "fsGroup") == {missing("fs-group", of_pod("fsGroup"))}
}

test_required_further_groups_are_some if {
	required({"supplementalGroups": [5]}, {}, "supplementalGroups") == set()
	required({"supplementalGroups": []}, {}, "supplementalGroups") == {missing(
		"supplemental-groups",
		of_pod("supplementalGroups"),
	)}
}

test_pods_for_windows_are_not_judged if {
	root := {"runAsUser": 0, "fsGroup": 0, "supplementalGroups": [0]}
	windows := {"spec": {"os": {"name": "windows"}, "securityContext": root, "containers": [{}]}}
	users.deny == set() with input.review.object as windows
	linux := {"spec": {"os": {"name": "linux"}, "securityContext": root, "containers": [{}]}}
	count(users.deny) == 3 with input.review.object as linux
	nothing := {"spec": {"os": {"name": "windows"}, "containers": [{}]}}
	settings := {field: {"required": true} | some field in ["runAsUser", "fsGroup", "supplementalGroups"]}
	users.deny == set() with input.review.object as nothing with input.parameters as settings
}
