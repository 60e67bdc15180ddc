package self_service.namespace_ready_test

import data.self_service.namespace_ready

pod_in(labels) := {
	"review": {
		"kind": {"group": "", "kind": "Pod"},
		"namespace": "shop",
		"object": {},
		"operation": "CREATE",
		"userInfo": {"username": "kim"},
	},
	"namespace": {"metadata": {"labels": labels}},
}

test_a_pod_waits_until_its_namespace_is_ready if {
	told := "namespace `shop` is still being furnished: its quota and network policies are not all there"
	namespace_ready.deny == {{
		"rule": "namespace-not-ready",
		"msg": sprintf("%s (no label `wayguard.io/ready`)", [told]),
	}} with input as pod_in({"managed-by": "idp"})
	count(namespace_ready.deny) == 0 with input as pod_in({"managed-by": "idp", "wayguard.io/ready": "true"})
}

test_other_namespaces_and_objects_wait_for_nothing if {
	count(namespace_ready.deny) == 0 with input as pod_in({})
	count(namespace_ready.deny) == 0 with input as pod_in({"managed-by": "us"})
	service := {"review": {"kind": {"group": "", "kind": "Service"}}}
	count(namespace_ready.deny) == 0 with input as object.union(pod_in({"managed-by": "idp"}), service)
	other := {"review": {"kind": {"group": "other.example", "kind": "Pod"}}}
	count(namespace_ready.deny) == 0 with input as object.union(pod_in({"managed-by": "idp"}), other)
}

test_nobody_waits_who_is_not_there if {
	file := json.remove(pod_in({"managed-by": "idp"}), ["review/userInfo"])
	count(namespace_ready.deny) == 0 with input as file
}

test_absent_labels_are_no_managed_namespace if {
	count(namespace_ready.deny) == 0 with input as object.remove(pod_in({}), ["namespace"])
}
