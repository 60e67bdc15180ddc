package storage.empty_dir_limits_test

import data.storage.empty_dir_limits

pod(volume, containers) := {"review": {"object": {"spec": {
	"volumes": [{"name": "other", "configMap": {}}, object.union({"name": "tmp"}, volume)],
	"containers": containers,
}}}}

mounting(resources) := {
	"name": "app",
	"resources": resources,
	"volumeMounts": [{"name": "other"}, {"name": "tmp", "mountPath": "/tmp"}],
}

both := {"requests": {"ephemeral-storage": "1Gi"}, "limits": {"ephemeral-storage": "2Gi"}}

no_limit := {
	"rule": "no-size-limit",
	"path": "/spec/volumes/1/emptyDir/sizeLimit",
	"expected": "set, or every container that mounts it has a request and a limit for ephemeral-storage",
}

test_an_absent_limit_is_denied if {
	empty_dir_limits.deny == {no_limit} with input as pod({"emptyDir": {}}, [mounting({})])
	empty_dir_limits.deny == {no_limit} with input as pod({"emptyDir": {"sizeLimit": null}}, [mounting({})])
}

test_a_limit_is_allowed if {
	empty_dir_limits.deny == set() with input as pod({"emptyDir": {"sizeLimit": "1Gi"}}, [mounting({})])
	memory := {"emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}
	empty_dir_limits.deny == set() with input as pod(memory, [mounting({})])
}

test_a_limit_of_nothing_limits_nothing if {
	every limit in ["0", "lots"] {
		found := object.union(no_limit, {"found": limit})
		empty_dir_limits.deny == {found} with input as pod({"emptyDir": {"sizeLimit": limit}}, [mounting(both)])
	}
}

test_bounded_containers_are_enough_on_disk if {
	empty_dir_limits.deny == set() with input as pod({"emptyDir": {}}, [mounting(both)])
	empty_dir_limits.deny == set() with input as pod({"emptyDir": {"medium": ""}}, [mounting(both)])
}

test_every_container_that_mounts_it_is_bounded_in_both_ways if {
	every resources in [{"requests": both.requests}, {"limits": both.limits}, {}, null] {
		empty_dir_limits.deny == {no_limit} with input as pod({"emptyDir": {}}, [mounting(both), mounting(resources)])
	}
}

test_init_containers_count if {
	spec := {
		"volumes": [{"name": "other", "configMap": {}}, {"name": "tmp", "emptyDir": {}}],
		"initContainers": [mounting({})],
		"containers": [mounting(both)],
	}
	empty_dir_limits.deny == {no_limit} with input.review.object.spec as spec
}

test_containers_that_do_not_mount_it_do_not_count if {
	empty_dir_limits.deny == set() with input as pod({"emptyDir": {}}, [
		mounting(both),
		{"name": "proxy", "volumeMounts": [{"name": "other"}]},
		{"name": "log"},
	])
}

test_memory_needs_a_limit_of_its_own if {
	memory := {"emptyDir": {"medium": "Memory"}}
	empty_dir_limits.deny == {no_limit} with input as pod(memory, [mounting(both)])
}

test_absent_volumes_are_allowed if {
	every object in [{}, {"spec": null}, {"spec": {"volumes": null}}, {"spec": {"volumes": [{"emptyDir": null}]}}] {
		empty_dir_limits.deny == set() with input.review.object as object
	}
}

test_a_volume_of_another_kind_is_allowed if {
	empty_dir_limits.deny == set() with input as pod({"emptyDir": null}, [mounting({})])
	empty_dir_limits.deny == set() with input as pod({"configMap": {}}, [mounting({})])
}

test_the_maximum_is_a_parameter if {
	result := empty_dir_limits.deny with input as pod({"emptyDir": {"sizeLimit": "2Gi"}}, [])
		with input.parameters.maximum as "1Gi"
	result == {{
		"rule": "size-limit",
		"path": "/spec/volumes/1/emptyDir/sizeLimit",
		"found": "2Gi",
		"expected": "at most 1Gi",
	}}
	same := empty_dir_limits.deny with input as pod({"emptyDir": {"sizeLimit": "1Gi"}}, [])
		with input.parameters.maximum as "1Gi"
	same == set()
}
