package pod_security.app_armor_profile_test

import data.pod_security.app_armor_profile

# A Pod that breaks the rule.
bad := {"containers": [{"name": "web", "securityContext": {"appArmorProfile": {"type": "Unconfined"}}}]}

test_an_unconfined_container_is_refused_in_upstreams_words if {
	denied(bad, {"level": "baseline"}) == {{
		"rule": "appArmorProfile",
		"path": "/spec/containers/0/securityContext/appArmorProfile/type",
		"found": "Unconfined",
		"expected": "`RuntimeDefault` or `Localhost`",
		"msg": concat("", [
			"violates PodSecurity \"baseline:latest\": forbidden AppArmor profile ",
			"(container \"web\" must not set AppArmor profile type to \"Unconfined\")",
		]),
	}}
}

test_an_unconfined_pod_is_refused if {
	found := denied({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}, {"level": "baseline"})
	places(found) == {["/spec/securityContext/appArmorProfile/type", "Unconfined"]}
	{contains(finding.msg, "(pod must not set AppArmor profile type to") | some finding in found} == {true}
}

test_a_profile_without_a_type_is_refused_in_every_list if {
	found := denied(everywhere({"securityContext": {"appArmorProfile": {}}}), {"level": "baseline"})
	places(found) == {
		["/spec/initContainers/0/securityContext/appArmorProfile/type", "absent"],
		["/spec/containers/0/securityContext/appArmorProfile/type", "absent"],
		["/spec/ephemeralContainers/0/securityContext/appArmorProfile/type", "absent"],
	}
}

test_absent_null_and_confining_profiles_pass if {
	denied(everywhere({}), {"level": "baseline"}) == set()
	every profile in [null, {"type": "RuntimeDefault"}, {"type": "Localhost", "localhostProfile": "x"}] {
		context := {"securityContext": {"appArmorProfile": profile}}
		denied(object.union(everywhere(context), context), {"level": "baseline"}) == set()
	}
}

test_a_weakening_annotation_is_refused_in_upstreams_words if {
	key := "container.apparmor.security.beta.kubernetes.io/web"
	annotated({key: "unconfined"}) == {{
		"rule": "appArmorProfile",
		"path": "/metadata/annotations/container.apparmor.security.beta.kubernetes.io~1web",
		"found": "unconfined",
		"expected": "`runtime/default`, `localhost/<profile>` or unset",
		"msg": concat("", [
			"violates PodSecurity \"baseline:latest\": forbidden AppArmor profile ",
			"(annotation must not set AppArmor profile type to ",
			"\"container.apparmor.security.beta.kubernetes.io/web=\"unconfined\"\")",
		]),
	}}
}

test_confining_empty_and_foreign_annotations_pass if {
	annotated({
		"container.apparmor.security.beta.kubernetes.io/a": "runtime/default",
		"container.apparmor.security.beta.kubernetes.io/b": "localhost/x",
		"container.apparmor.security.beta.kubernetes.io/c": "",
		"container.apparmor.security.beta.kubernetes.io/d": null,
		"example.org/apparmor": "unconfined",
	}) == set()
	annotated(null) == set()
}

annotated(annotations) := findings if {
	findings := app_armor_profile.deny with input as {
		"review": {"object": {"metadata": {"annotations": annotations}, "spec": {"containers": [{"name": "web"}]}}},
		"parameters": {"level": "baseline"},
	}
}

test_the_first_version_has_the_check if {
	count(denied(bad, {"level": "baseline", "version": "v1.0"})) == 1
}

test_with_namespace_labels_pods_are_refused_and_workloads_warned if {
	request := {
		"review": {"operation": "CREATE", "object": {"spec": bad}},
		"namespace": {"metadata": {"name": "shop", "labels": {
			"pod-security.kubernetes.io/enforce": "baseline",
			"pod-security.kubernetes.io/audit": "baseline",
		}}},
		"parameters": {"namespaceLabels": true},
	}
	count(app_armor_profile.deny) == 1 with input as request
	count(app_armor_profile.warn) == 1 with input as request
	count(app_armor_profile.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	app_armor_profile.deny == set() with input as workload
	app_armor_profile.warn == {finding |
		some denial in app_armor_profile.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	app_armor_profile.audit == app_armor_profile.warn with input as workload
}

test_null_lists_hold_nothing_to_refuse if {
	spec := {
		"initContainers": null,
		"containers": null,
		"ephemeralContainers": null,
		"volumes": null,
		"securityContext": null,
	}
	denied(spec, {"level": "baseline"}) == set()
}

test_in_a_privileged_namespace_nothing_is_said if {
	request := {
		"review": {"operation": "CREATE", "object": {"spec": bad}},
		"namespace": {"metadata": {
			"name": "shop",
			"labels": {"pod-security.kubernetes.io/enforce": "privileged"},
		}},
		"parameters": {"namespaceLabels": true},
	}
	app_armor_profile.deny == set() with input as request
	app_armor_profile.warn == set() with input as request
	app_armor_profile.audit == set() with input as request
}

# A Pod with this container in every list.
everywhere(container) := {
	"initContainers": [object.union(container, {"name": "first"})],
	"containers": [object.union(container, {"name": "web"})],
	"ephemeralContainers": [object.union(container, {"name": "debug"})],
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := app_armor_profile.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}

test_the_words_name_the_type_that_is_set if {
	types_in_words({"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}) == {"\"Unconfined\")"}
}

test_the_words_name_no_type_where_there_is_none if {
	types_in_words({"securityContext": {"appArmorProfile": {}}}) == {"\"\")"}
	types_in_words({"containers": [{"name": "web", "securityContext": {"appArmorProfile": {}}}]}) == {"\"\")"}
}

types_in_words(spec) := {split(finding.msg, " to ")[1] | some finding in denied(spec, {"level": "baseline"})}

test_an_annotation_that_is_no_text_is_refused if {
	annotations := {"container.apparmor.security.beta.kubernetes.io/web": 7}
	object := {"metadata": {"annotations": annotations}, "spec": {"containers": []}}
	found := app_armor_profile.deny with input.review.object as object
		with input.parameters as {"level": "baseline", "version": "v1.18"}
	count(found) == 1
}

# equivalent:
#   line: '"since": 0,'
#   becomes: '"since": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_an_unconfined_container_is_refused_in_upstreams_words
