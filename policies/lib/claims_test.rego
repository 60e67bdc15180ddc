package lib.claims_test

import data.lib.claims

claims_of(kind, spec) := result if {
	result := claims.all with input.review as {"kind": {"kind": kind}, "object": {"spec": spec}}
}

test_a_claim_is_itself if {
	claims_of("PersistentVolumeClaim", {"a": 1}) == [{"path": "/spec", "spec": {"a": 1}}]
	claims_of("PersistentVolumeClaim", null) == [{"path": "/spec", "spec": {}}]
}

test_every_template_of_a_stateful_set_is_a_claim if {
	claims_of("StatefulSet", {"volumeClaimTemplates": [{"spec": {"a": 1}}, {}]}) == [
		{"path": "/spec/volumeClaimTemplates/0/spec", "spec": {"a": 1}},
		{"path": "/spec/volumeClaimTemplates/1/spec", "spec": {}},
	]
}

test_every_ephemeral_volume_of_a_pod_is_a_claim if {
	claims_of("Pod", {"volumes": [
		{"emptyDir": {}},
		{"ephemeral": {"volumeClaimTemplate": {"spec": {"a": 1}}}},
	]}) == [{"path": "/spec/volumes/1/ephemeral/volumeClaimTemplate/spec", "spec": {"a": 1}}]
}

test_absent_lists_claim_nothing if {
	claims_of("StatefulSet", {"volumeClaimTemplates": null}) == []
	claims_of("Pod", {"volumes": null}) == []
	claims_of("Pod", null) == []
}
