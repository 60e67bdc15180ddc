package network.service_types_test

import data.network.service_types

service(type, annotations) := {"review": {
	"namespace": "shop",
	"object": {"metadata": {"name": "web", "annotations": annotations}, "spec": {"type": type}},
}}

finding(type, expected) := {
	"rule": "service-type",
	"path": "/spec/type",
	"found": type,
	"expected": expected,
}

ungranted := "ClusterIP, unless the namespace was granted this type"

test_node_ports_and_load_balancers_are_denied if {
	service_types.deny == {finding("NodePort", ungranted)} with input as service("NodePort", {})
	service_types.deny == {finding("LoadBalancer", ungranted)} with input as service("LoadBalancer", {})
}

test_other_types_are_allowed if {
	service_types.deny == set() with input as service("ClusterIP", {})
	service_types.deny == set() with input as service("ExternalName", {})
}

test_an_absent_type_is_cluster_ip_and_allowed if {
	service_types.deny == set() with input.review.object as {"spec": {"ports": []}}
	service_types.deny == set() with input.review.object as {"metadata": {"name": "web"}}
}

test_the_types_are_a_parameter if {
	only := ["ExternalName"]
	service_types.deny == set() with input as service("NodePort", {})
		with input.parameters.denied as only
	service_types.deny == {finding("ExternalName", ungranted)} with input as service("ExternalName", {})
		with input.parameters.denied as only
}

test_a_grant_is_for_one_namespace if {
	service_types.deny == set() with input as service("NodePort", {})
		with input.parameters.namespaces as ["edge", "shop"]
	service_types.deny == {finding("NodePort", ungranted)} with input as service("NodePort", {})
		with input.parameters.namespaces as ["edge"]
}

annotation := "networking.gke.io/load-balancer-type"

internal := {annotation: "Internal"}

test_a_load_balancer_that_is_kept_inside_passes if {
	service_types.deny == set() with input as service("LoadBalancer", {annotation: "Internal"})
		with input.parameters.internal as internal
}

test_an_annotation_with_another_value_keeps_nothing_inside if {
	words := concat("", ["ClusterIP, or kept inside by the annotation ", annotation, ": \"Internal\""])
	every annotations in [{annotation: "External"}, {}, null] {
		service_types.deny == {finding("LoadBalancer", words)} with input as service("LoadBalancer", annotations)
			with input.parameters.internal as internal
	}
}

test_the_annotation_does_not_help_a_node_port if {
	service_types.deny == {finding("NodePort", ungranted)} with input as service("NodePort", internal)
		with input.parameters.internal as internal
}

test_every_way_to_keep_it_inside_is_named if {
	ways := {"a.example.com/internal": "true", "b.example.com/scheme": "internal"}
	words := concat(" or ", [
		"ClusterIP, or kept inside by the annotation a.example.com/internal: \"true\"",
		"b.example.com/scheme: \"internal\"",
	])
	service_types.deny == {finding("LoadBalancer", words)} with input as service("LoadBalancer", {})
		with input.parameters.internal as ways
}
