package provision.volume_test

import data.provision.volume

settings := {
	"storageClass": "fast",
	"sizes": {"small": {"storage": "10Gi", "monthlyEUR": 1}, "large": {"storage": "500Gi", "monthlyEUR": 50}},
	"waitsForPod": true,
}

asked(size, observed) := {
	"claim": {"metadata": {"name": "files"}, "spec": {"size": size, "parameters": {"accessMode": "ReadWriteOnce"}}},
	"namespace": {"name": "a", "labels": {}},
	"class": {"name": "volume-default", "settings": settings},
	"observed": observed,
	"capabilities": "*",
}

there(phase, storage) := {"volume": {
	"spec": {"resources": {"requests": {"storage": storage}}},
	"status": {"phase": phase},
}}

test_a_size_becomes_a_claim if {
	given := asked("small", {})
	count(volume.deny) == 0 with input as given
	volume.cost == 1 with input as given
	made := volume.objects with input as given
	made.volume.spec == {
		"storageClassName": "fast",
		"accessModes": ["ReadWriteOnce"],
		"resources": {"requests": {"storage": "10Gi"}},
	}
	not volume.ready with input as given
}

test_the_clusters_own_storage_class if {
	plain := object.union(asked("small", {}), {"class": {"settings": object.union(settings, {"storageClass": ""})}})
	made := volume.objects with input as plain
	not made.volume.spec.storageClassName
}

test_an_unknown_size_is_refused if {
	some denial in volume.deny with input as asked("huge", {})
	denial.expected == "one of `large`, `small`"
}

test_no_size_is_refused if {
	given := {"claim": {"metadata": {"name": "a"}, "spec": {}}, "class": {"settings": settings}, "observed": {}}
	some denial in volume.deny with input as given
	denial.found == null
}

test_it_does_not_shrink if {
	some denial in volume.deny with input as asked("small", there("Bound", "500Gi"))
	startswith(denial.expected, "a size of 500Gi or more")
	count(volume.deny) == 0 with input as asked("large", there("Bound", "10Gi"))
	count(volume.deny) == 0 with input as asked("small", there("Bound", "10Gi"))
}

test_ready_when_it_can_be_used if {
	volume.ready with input as asked("small", there("Bound", "10Gi"))
	volume.ready with input as asked("small", there("Pending", "10Gi"))
	not volume.ready with input as asked("small", there("Lost", "10Gi"))
	volume.progress == "the volume is lost" with input as asked("small", there("Lost", "10Gi"))
	eager := object.union(settings, {"waitsForPod": false})
	waiting := object.union(asked("small", there("Pending", "10Gi")), {"class": {"settings": eager}})
	not volume.ready with input as waiting
}
