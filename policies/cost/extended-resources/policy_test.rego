package cost.extended_resources_test

import data.cost.extended_resources

granted := {"metadata": {"labels": {"devices": "granted"}}}

asking(kind, amounts) := {"name": "app", "resources": {kind: amounts}}

pod(containers, namespace) := {
	"review": {"object": {"spec": {"containers": containers}}},
	"namespace": namespace,
}

cards(number) := asking("limits", {"nvidia.com/gpu": number})

not_granted(kind, resource, amount) := {
	"rule": "device-not-granted",
	"path": sprintf("/spec/containers/0/resources/%s/%s", [kind, replace(resource, "/", "~1")]),
	"found": amount,
	"expected": "left out",
	"msg": sprintf("the namespace has no label `devices` that grants `%s`", [resource]),
}

test_a_granted_device_passes if extended_resources.deny == set() with input as pod([cards(1)], granted)

test_a_device_that_is_not_granted_is_denied if {
	every kind in ["requests", "limits"] {
		every resource in [
			"nvidia.com/gpu", "nvidia.com/mig-1g.5gb", "amd.com/gpu", "gpu.intel.com/i915",
			"google.com/tpu",
		] {
			review := pod([asking(kind, {resource: "1"})], {"metadata": {"labels": {"devices": "none"}}})
			extended_resources.deny == {not_granted(kind, resource, "1")} with input as review
		}
	}
}

test_a_namespace_without_the_label_grants_nothing if {
	extended_resources.deny == {not_granted("limits", "nvidia.com/gpu", 1)} with input as pod([cards(1)], {})
}

test_what_cannot_be_read_is_denied if {
	expected := {not_granted("limits", "nvidia.com/gpu", "all")}
	extended_resources.deny == expected with input as pod([cards("all")], {})
	one_at_most := extended_resources.deny with input as pod([cards("all")], granted)
		with input.parameters.maximum as 1
	one_at_most == set()
	with_another := extended_resources.deny with input as pod([cards("all"), cards("1m")], granted)
		with input.parameters.maximum as 1
	{finding.msg | some finding in with_another} == {"its containers ask for 2"}
}

test_other_resources_and_none_pass if {
	extended_resources.deny == set() with input as pod([asking("limits", {"cpu": "64", "memory": "1Ti"})], {})
	extended_resources.deny == set() with input as pod([cards("0")], {})
	extended_resources.deny == set() with input as pod([{"name": "app"}], {})
	extended_resources.deny == set() with input as {"review": {"object": {}}}
}

many(number) := {
	"rule": "too-many-devices",
	"path": "/spec/containers",
	"expected": "at most 8 of `nvidia.com/gpu` in one Pod",
	"msg": sprintf("its containers ask for %d", [number]),
}

test_devices_of_a_pod_are_counted_together if {
	extended_resources.deny == set() with input as pod([cards(4), cards("4")], granted)
	extended_resources.deny == {many(9)} with input as pod([cards(4), cards(4), cards(1)], granted)
	extended_resources.deny == {many(9)} with input as pod([cards("8001m")], granted)
}

test_a_request_and_its_limit_are_one_device if {
	both := {"resources": {"requests": {"nvidia.com/gpu": 8}, "limits": {"nvidia.com/gpu": 8}}}
	extended_resources.deny == set() with input as pod([both], granted)
	more := {"resources": {"requests": {"nvidia.com/gpu": 1}, "limits": {"nvidia.com/gpu": 9}}}
	extended_resources.deny == {many(9)} with input as pod([more], granted)
}

test_different_devices_are_counted_apart if {
	two := asking("limits", {"nvidia.com/gpu": 8, "google.com/tpu": 8})
	extended_resources.deny == set() with input as pod([two], granted)
}

with_parameters(review, parameters) := result if {
	result := extended_resources.deny with input as review
		with input.parameters as parameters
}

test_everything_is_a_parameter if {
	with_parameters(pod([cards(1)], {}), {"resources": ["example.com/*"]}) == set()
	in_team := {"metadata": {"labels": {"team": "vision"}}}
	with_parameters(pod([cards(1)], in_team), {"label": "team", "values": ["speech", "vision"]}) == set()
	with_parameters(pod([cards(2)], granted), {"maximum": 1}) == {object.union(
		many(2),
		{"expected": "at most 1 of `nvidia.com/gpu` in one Pod"},
	)}
}

test_devices_are_counted_each_for_itself if {
	both := asking("limits", {"nvidia.com/gpu": 1, "amd.com/gpu": 8})
	result := extended_resources.deny with input as pod([both], granted)
		with input.parameters.maximum as 4
	{entry.expected | some entry in result} == {"at most 4 of `amd.com/gpu` in one Pod"}
}
