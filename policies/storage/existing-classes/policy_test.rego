package storage.existing_classes_test

import data.storage.existing_classes

claim(spec) := {"review": {"kind": {"kind": "PersistentVolumeClaim"}, "object": {"spec": spec}}}

cluster := {"cluster": {"storage.k8s.io/v1": {"StorageClass": {"fast": {}, "slow": {}}}}}

found(spec, inventory) := result if {
	result := existing_classes.deny with input as claim(spec) with data.inventory as inventory
}

finding(class, expected) := {
	"rule": "no-such-class",
	"path": "/spec/storageClassName",
	"found": class,
	"expected": expected,
}

test_a_class_of_the_cluster_passes if found({"storageClassName": "fast"}, cluster) == set()

test_another_is_denied if {
	found({"storageClassName": "fats"}, cluster) == {finding("fats", "one of `fast`, `slow`")}
}

test_without_classes_none_can_be_named if {
	every inventory in [{}, {"cluster": {}}] {
		found({"storageClassName": "fast"}, inventory) == {finding("fast", "unset; the cluster has no storage class")}
	}
}

test_absent_and_empty_mean_something_else if {
	every spec in [{}, {"storageClassName": null}, {"storageClassName": ""}] {
		found(spec, cluster) == set()
	}
}

test_a_name_that_is_no_text_is_denied if {
	count(found({"storageClassName": 5}, cluster)) == 1
	count(found({"storageClassName": false}, cluster)) == 1
}

test_templates_and_volumes_are_judged if {
	spec := {
		"volumeClaimTemplates": [{"spec": {"storageClassName": "old"}}],
		"volumes": [{"ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "older"}}}}],
	}
	result := existing_classes.deny with input as {"review": {"kind": {"kind": "StatefulSet"}, "object": {"spec": spec}}}
		with data.inventory as cluster
	{entry.path | some entry in result} == {
		"/spec/volumeClaimTemplates/0/spec/storageClassName",
		"/spec/volumes/0/ephemeral/volumeClaimTemplate/spec/storageClassName",
	}
}
