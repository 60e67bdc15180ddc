package lib.pod_security_scope_test

import data.lib.pod_security_scope as scope

pod := {"spec": {"containers": [{"name": "web", "image": "a"}]}}

exemptions := {
	"usernames": ["system:builder"],
	"namespaces": ["kube-system"],
	"runtimeClasses": ["sandboxed"],
}

judged(review) if {
	scope.judged_by_labels with input as {"review": review, "parameters": {"exemptions": exemptions}}
}

judged_template(review) if {
	scope.judged_by_labels with input as {
		"review": review,
		"owner": {"kind": "Deployment"},
		"parameters": {},
	}
}

updates(old, new) := {"operation": "UPDATE", "object": {"spec": new}, "oldObject": {"spec": old}}

test_a_created_pod_is_judged if judged({"operation": "CREATE", "object": pod})

test_a_pod_without_a_request_around_it_is_judged if {
	scope.judged with input as {"review": {"object": pod}}
}

test_subresources_that_carry_no_pod_are_not_judged if {
	passive := ["attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "status"]
	every subresource in passive {
		not judged({"operation": "CREATE", "subResource": subresource, "object": pod})
	}
}

test_subresources_that_change_pods_and_unknown_ones_are_judged if {
	every subresource in ["", "ephemeralcontainers", "resize", "something-new"] {
		judged({"operation": "CREATE", "subResource": subresource, "object": pod})
	}
}

test_a_template_is_judged_only_with_its_workload_itself if {
	judged_template({"operation": "CREATE", "object": pod})
	judged_template({"operation": "CREATE", "subResource": "", "object": pod})
	judged_template({"operation": "CREATE", "subResource": null, "object": pod})
	not judged_template({"operation": "UPDATE", "subResource": "status", "object": pod})
	not judged_template({"operation": "UPDATE", "subResource": "scale", "object": pod})
}

test_exempt_users_namespaces_and_runtime_classes_are_not_judged if {
	not judged({"object": pod, "userInfo": {"username": "system:builder"}})
	not judged({"object": pod, "namespace": "kube-system"})
	not judged({"object": {"spec": {"runtimeClassName": "sandboxed"}}})
}

test_others_are_judged if {
	judged({"object": pod, "userInfo": {"username": "system:builder:2"}})
	judged({"object": pod, "namespace": "kube-system-2"})
	judged({"object": {"spec": {"runtimeClassName": "runc"}}})
}

test_without_a_request_the_namespace_object_tells_the_name if {
	scope.namespace == "shop" with input as {
		"review": {"object": pod},
		"namespace": {"metadata": {"name": "shop"}},
	}
	scope.namespace == "shop" with input as {
		"review": {"object": pod, "namespace": ""},
		"namespace": {"metadata": {"name": "shop"}},
	}
}

test_an_update_of_labels_is_not_judged if {
	terminal := updates({"containers": [{"image": "a"}]}, {"containers": [{"image": "a", "tty": true}]})
	not judged(terminal)
	no_image := updates({"containers": [{"name": "no-image"}]}, {"containers": [{"name": "no-image"}]})
	not judged(no_image)
}

test_a_fixed_level_judges_every_update if {
	same := {"containers": [{"image": "a"}]}
	scope.judged with input as {"review": updates(same, same), "parameters": {}}
}

test_an_update_of_a_template_is_judged if {
	judged_template(updates({"containers": [{"image": "a"}]}, {"containers": [{"image": "a"}]}))
}

test_a_changed_image_is_judged if {
	judged(updates({"containers": [{"image": "a"}]}, {"containers": [{"image": "b"}]}))
	judged(updates({"initContainers": [{"image": "a"}]}, {"initContainers": [{"image": "b"}]}))
}

test_added_and_removed_containers_are_judged if {
	judged(updates({"containers": [{"image": "a"}]}, {"containers": [{"image": "a"}, {"image": "a"}]}))
	judged(updates({"initContainers": [{"image": "a"}]}, {}))
}

test_an_update_without_its_old_object_is_judged if judged({"operation": "UPDATE", "object": pod})

test_ephemeral_containers_are_compared_by_name if {
	old := {"ephemeralContainers": [{"name": "one", "image": "a"}, {"name": "two", "image": "b"}]}
	fewer := updates(old, {"ephemeralContainers": [{"name": "two", "image": "b"}]})
	not judged(fewer)
	same := updates(old, old)
	not judged(same)
	judged(updates(old, {"ephemeralContainers": [{"name": "three", "image": "b"}]}))
	judged(updates(old, {"ephemeralContainers": [{"name": "two", "image": "a"}]}))
	judged(updates({}, {"ephemeralContainers": [{"name": "one"}]}))
}

# A name that is not there is nobody's, even where somebody wrote it into a list.
test_an_empty_name_exempts_nothing if {
	nobody := {"usernames": [""], "namespaces": [""], "runtimeClasses": [""]}
	review := {
		"object": {"spec": {"runtimeClassName": ""}},
		"namespace": "",
		"userInfo": {"username": ""},
	}
	scope.judged_by_labels with input as {
		"review": review,
		"namespace": {"metadata": {"name": ""}},
		"parameters": {"exemptions": nobody},
	}
}

test_the_request_knows_its_namespace_best if {
	scope.namespace == "shop" with input as {
		"review": {"object": pod, "namespace": "shop"},
		"namespace": {"metadata": {"name": "other"}},
	}
}

test_only_an_update_can_be_insignificant if {
	judged({"operation": "CREATE", "object": pod, "oldObject": pod})
}

test_an_update_that_keeps_its_init_containers_is_not_judged if {
	same := {"initContainers": [{"image": "a"}]}
	review := updates(same, same)
	not judged(review)
}

test_an_absent_image_is_an_empty_one if {
	every list in ["containers", "initContainers", "ephemeralContainers"] {
		absent := {list: [{"name": "one"}]}
		empty := {list: [{"name": "one", "image": ""}]}
		appears := updates(absent, empty)
		not judged(appears)
		goes := updates(empty, absent)
		not judged(goes)
	}
}
