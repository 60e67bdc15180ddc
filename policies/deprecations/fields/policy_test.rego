package deprecations.fields_test

import data.deprecations.fields

reviewed(kind, annotations, spec) := {"review": {
	"kind": {"kind": kind},
	"object": {"metadata": {"annotations": annotations}, "spec": spec},
}}

pod(spec) := reviewed("Pod", {}, spec)

annotation(path, value, instead) := {
	"rule": "replaced-annotation",
	"path": concat("", ["/metadata/annotations/", path]),
	"found": value,
	"expected": sprintf("left out, for %s says it now", [instead]),
}

seccomp := {"seccomp.security.alpha.kubernetes.io/pod": "runtime/default"}

test_a_replaced_annotation_is_denied_with_its_field if {
	expected := {annotation(
		"seccomp.security.alpha.kubernetes.io~1pod",
		"runtime/default",
		"spec.securityContext.seccompProfile",
	)}
	fields.deny == expected with input as reviewed("Pod", seccomp, {})
}

test_every_kind_has_its_own_annotations if {
	classes := {"kubernetes.io/ingress.class": "nginx"}
	path := "kubernetes.io~1ingress.class"
	expected := {annotation(path, "nginx", "spec.ingressClassName")}
	fields.deny == expected with input as reviewed("Ingress", classes, {})
	fields.deny == set() with input as reviewed("Pod", classes, {})
	fields.deny == set() with input as reviewed("Ingress", seccomp, {})
}

test_annotations_may_be_accepted if {
	result := fields.deny with input as reviewed("Pod", seccomp, {})
		with input.parameters.accepted as ["seccomp.security.alpha.kubernetes.io/pod"]
	result == set()
}

app_armor := {"container.apparmor.security.beta.kubernetes.io/app": "runtime/default"}

app_armor_finding := annotation(
	"container.apparmor.security.beta.kubernetes.io~1app",
	"runtime/default",
	"securityContext.appArmorProfile of the container",
)

profile := {"securityContext": {"appArmorProfile": {"type": "RuntimeDefault"}}}

named(container, name) := object.union(container, {"name": name})

test_a_containers_profile_in_an_annotation_is_denied if {
	fields.deny == {app_armor_finding} with input as reviewed("Pod", app_armor, {})
	unconfined := {"containers": [{"name": "app", "securityContext": {}}]}
	fields.deny == {app_armor_finding} with input as reviewed("Pod", app_armor, unconfined)
	fields.deny == set() with input as reviewed("Service", app_armor, {})
}

test_a_profile_that_the_field_says_too_passes if {
	every spec in [
		profile,
		{"containers": [named(profile, "app")]},
		{"initContainers": [named(profile, "app")]},
	] {
		fields.deny == set() with input as reviewed("Pod", app_armor, spec)
	}
}

test_another_containers_field_does_not_say_it if {
	spec := {"containers": [named(profile, "proxy")]}
	fields.deny == {app_armor_finding} with input as reviewed("Pod", app_armor, spec)
}

test_profiles_may_be_accepted_by_their_prefix if {
	result := fields.deny with input as reviewed("Pod", app_armor, {})
		with input.parameters.accepted as ["container.apparmor.security.beta.kubernetes.io/"]
	result == set()
}

test_a_beta_label_of_nodes_is_denied if {
	spec := {"nodeSelector": {"beta.kubernetes.io/os": "linux", "disk": "ssd"}}
	fields.deny == {{
		"rule": "replaced-label",
		"path": "/spec/nodeSelector/beta.kubernetes.io~1os",
		"found": "linux",
		"expected": "left out, for nodes are labelled kubernetes.io/os now",
	}} with input as pod(spec)
	accepted := fields.deny with input as pod(spec)
		with input.parameters.accepted as ["beta.kubernetes.io/os"]
	accepted == set()
	fields.deny == set() with input as reviewed("Service", {}, spec)
}

alias := {
	"rule": "replaced-field",
	"path": "/spec/serviceAccount",
	"found": "deployer",
	"expected": "left out, for spec.serviceAccountName says it now",
}

test_the_alias_alone_is_denied if {
	fields.deny == {alias} with input as pod({"serviceAccount": "deployer"})
	fields.deny == {alias} with input as pod({"serviceAccount": "deployer", "serviceAccountName": "other"})
	fields.deny == {alias} with input as pod({"serviceAccount": "deployer", "serviceAccountName": null})
	fields.deny == set() with input as reviewed("Service", {}, {"serviceAccount": "deployer"})
}

test_the_alias_that_the_api_server_writes_passes if {
	fields.deny == set() with input as pod({"serviceAccount": "deployer", "serviceAccountName": "deployer"})
	fields.deny == set() with input as pod({"serviceAccount": ""})
	fields.deny == set() with input as pod({"serviceAccount": null})
	accepted := fields.deny with input as pod({"serviceAccount": "deployer"})
		with input.parameters.accepted as ["serviceAccount"]
	accepted == set()
}

test_a_volume_from_git_is_denied if {
	repository := {"repository": "https://git.example.com/site.git"}
	spec := {"volumes": [{"name": "cache", "emptyDir": {}}, {"name": "site", "gitRepo": repository}]}
	fields.deny == {{
		"rule": "replaced-field",
		"path": "/spec/volumes/1/gitRepo",
		"found": repository,
		"expected": "left out, for an init container clones into an emptyDir volume",
	}} with input as pod(spec)
	accepted := fields.deny with input as pod(spec)
		with input.parameters.accepted as ["gitRepo"]
	accepted == set()
	fields.deny == set() with input as pod({"volumes": [{"name": "site", "gitRepo": null}]})
	fields.deny == set() with input as reviewed("Service", {}, spec)
}

test_a_load_balancers_address_is_denied if {
	spec := {"loadBalancerIP": "192.0.2.7"}
	fields.deny == {{
		"rule": "replaced-field",
		"path": "/spec/loadBalancerIP",
		"found": "192.0.2.7",
		"expected": "left out, for an annotation of the load balancer's provider says it now",
	}} with input as reviewed("Service", {}, spec)
	accepted := fields.deny with input as reviewed("Service", {}, spec)
		with input.parameters.accepted as ["loadBalancerIP"]
	accepted == set()
	fields.deny == set() with input as reviewed("Service", {}, {"loadBalancerIP": ""})
	fields.deny == set() with input as pod(spec)
}

test_what_is_absent_or_null_is_not_of_the_past if {
	fields.deny == set() with input as {"review": {"kind": {"kind": "Pod"}, "object": {}}}
	fields.deny == set() with input as reviewed("Pod", null, null)
	fields.deny == set() with input as reviewed("Service", null, {"loadBalancerIP": null})
	fields.deny == set() with input as pod({"nodeSelector": null, "volumes": null})
}

instead_of(kind, name) := {entry.expected | some entry in findings} if {
	findings := fields.deny with input as reviewed(kind, {name: "x"}, {})
}

test_every_annotation_names_what_says_it_now if {
	init := "spec.initContainers"
	sysctls := "spec.securityContext.sysctls"
	class := "spec.storageClassName"
	expected := {
		"PersistentVolume": {"volume.beta.kubernetes.io/storage-class": class},
		"PersistentVolumeClaim": {"volume.beta.kubernetes.io/storage-class": class},
		"Pod": {
			"container.seccomp.security.alpha.kubernetes.io/app": "securityContext.seccompProfile of the container",
			"pod.alpha.kubernetes.io/init-containers": init,
			"pod.beta.kubernetes.io/hostname": "spec.hostname",
			"pod.beta.kubernetes.io/init-containers": init,
			"pod.beta.kubernetes.io/subdomain": "spec.subdomain",
			"scheduler.alpha.kubernetes.io/affinity": "spec.affinity",
			"scheduler.alpha.kubernetes.io/critical-pod": "spec.priorityClassName",
			"scheduler.alpha.kubernetes.io/tolerations": "spec.tolerations",
			"security.alpha.kubernetes.io/sysctls": sysctls,
			"security.alpha.kubernetes.io/unsafe-sysctls": sysctls,
		},
		"Service": {
			"service.alpha.kubernetes.io/tolerate-unready-endpoints": "spec.publishNotReadyAddresses",
			"service.kubernetes.io/topology-aware-hints": "spec.trafficDistribution",
		},
		"StorageClass": {
			"storageclass.beta.kubernetes.io/is-default-class": "the annotation storageclass.kubernetes.io/is-default-class",
		},
	}
	every kind, names in expected {
		every name, instead in names {
			instead_of(kind, name) == {sprintf("left out, for %s says it now", [instead])}
		}
	}
}

test_every_node_label_names_the_one_that_is_used_now if {
	expected := {
		"beta.kubernetes.io/arch": "kubernetes.io/arch",
		"beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
		"beta.kubernetes.io/os": "kubernetes.io/os",
		"failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
		"failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
		"node-role.kubernetes.io/master": "node-role.kubernetes.io/control-plane",
	}
	every label, instead in expected {
		findings := fields.deny with input as pod({"nodeSelector": {label: ""}})
		{entry.expected | some entry in findings} == {sprintf("left out, for nodes are labelled %s now", [instead])}
	}
}

test_an_alias_that_says_nothing_passes if {
	fields.deny == set() with input as pod({"serviceAccount": null, "serviceAccountName": "app"})
	fields.deny == set() with input as pod({"serviceAccount": "", "serviceAccountName": "app"})
}
