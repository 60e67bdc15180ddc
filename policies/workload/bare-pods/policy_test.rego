package workload.bare_pods_test

import data.workload.bare_pods

owned_by(references) := {"review": {"object": {"metadata": {"name": "app", "ownerReferences": references}}}}

bare := {
	"rule": "no-controller",
	"path": "/metadata/ownerReferences",
	"expected": "set by a controller, such as a Deployment or a Job",
	"msg": "nothing replaces this Pod when its node goes",
}

test_a_controlled_pod_passes if {
	bare_pods.deny == set() with input as owned_by([{"kind": "ReplicaSet", "name": "app", "controller": true}])
}

test_a_pod_without_owners_is_denied if {
	bare_pods.deny == {bare} with input as {"review": {"object": {"metadata": {"name": "app"}}}}
	bare_pods.deny == {bare} with input as {"review": {"object": {}}}
	bare_pods.deny == {bare} with input as owned_by(null)
	bare_pods.deny == {object.union(bare, {"found": []})} with input as owned_by([])
}

test_an_owner_that_controls_nothing_does_not_count if {
	every reference in [{"kind": "Release"}, {"kind": "Release", "controller": false}] {
		expected := {object.union(bare, {"found": [reference]})}
		bare_pods.deny == expected with input as owned_by([reference])
	}
}

test_the_pod_of_a_workloads_template_passes if {
	bare_pods.deny == set() with input as {"review": {"object": {}}, "owner": {"kind": "Deployment"}}
}
