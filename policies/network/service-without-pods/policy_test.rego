package network.service_without_pods_test

import data.network.service_without_pods

# What is warned of where the namespace `shop` has these objects.
warned(spec, objects) := result if {
	result := service_without_pods.warn with input.review as {"namespace": "shop", "object": {"spec": spec}}
		with data.inventory as {"namespace": {"shop": objects}}
}

web := {"app": "web"}

finding := {
	"rule": "selects-nothing",
	"path": "/spec/selector",
	"found": web,
	"expected": "labels that Pods of the namespace have",
	"msg": "no Pod and no workload of the namespace has these labels",
}

pod(labels) := {"metadata": {"labels": labels}}

workload(labels) := {"spec": {"template": pod(labels)}}

test_a_selector_that_matches_nothing_is_warned_of if {
	warned({"selector": web}, {}) == {finding}
	others := {
		"v1": {"Pod": {"a": pod({"app": "other"}), "b": pod({}), "c": {"metadata": {"name": "c"}}}},
		"apps/v1": {"Deployment": {"web": workload({"app": "other"})}},
		"batch/v1": {"Job": {"web": {"metadata": {"labels": web}}}},
	}
	warned({"selector": web}, others) == {finding}
}

test_a_pod_is_enough if {
	warned({"selector": web}, {"v1": {"Pod": {"p": pod({"app": "web", "v": "1"})}}}) == set()
}

test_the_template_of_a_workload_is_enough if {
	every kind in ["Deployment", "StatefulSet", "DaemonSet"] {
		warned({"selector": web}, {"apps/v1": {kind: {"web": workload(web)}}}) == set()
	}
	warned({"selector": web}, {"batch/v1": {"Job": {"web": workload(web)}}}) == set()
}

test_every_label_must_match if {
	selector := {"app": "web", "tier": "front"}
	objects := {"v1": {"Pod": {"p": pod({"app": "web"}), "q": pod({"tier": "front"})}}}
	warned({"selector": selector}, objects) == {object.union(finding, {"found": selector})}
}

test_an_absent_selector_is_left_out if {
	warned({}, {}) == set()
	warned({"selector": null}, {}) == set()
	warned({"selector": {}}, {}) == set()
	service_without_pods.warn == set() with input.review as {"namespace": "shop", "object": {}}
}

test_external_names_are_left_out if {
	warned({"selector": web, "type": "ExternalName"}, {}) == set()
	warned({"selector": web, "type": "ClusterIP"}, {}) == {finding}
}

test_another_namespaces_pods_do_not_count if {
	result := service_without_pods.warn with input.review as {
		"namespace": "shop",
		"object": {"spec": {"selector": web}},
	}
		with data.inventory as {"namespace": {"other": {"v1": {"Pod": {"p": pod(web)}}}}}
	result == {finding}
}
