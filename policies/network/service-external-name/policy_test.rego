package network.service_external_name_test

import data.network.service_external_name

service(name) := {"review": {"object": {"spec": {"type": "ExternalName", "externalName": name}}}}

outside := concat("", [
	"a DNS name outside the cluster, not below ",
	"localhost, localdomain, svc, cluster.local, metadata.google.internal",
])

finding(name) := {
	"rule": "external-name",
	"path": "/spec/externalName",
	"found": name,
	"expected": outside,
}

names_denied(names) := {name |
	some name in names
	result := service_external_name.deny with input as service(name)
	result == {finding(name)}
}

test_names_that_point_inside_are_denied if {
	names := {
		"localhost", "localhost.", "LOCALHOST", "web.localhost", "localhost.localdomain",
		"db.other.svc", "db.other.svc.cluster.local.", "metadata.google.internal",
	}
	names_denied(names) == names
}

test_addresses_are_denied if {
	names := {"127.0.0.1", "169.254.169.254", "::1"}
	names_denied(names) == names
}

test_names_that_only_end_alike_are_allowed if {
	every name in ["notlocalhost", "example.com", "localhost.example.com"] {
		service_external_name.deny == set() with input as service(name)
	}
}

test_an_absent_name_is_denied if {
	absent := object.remove(finding(""), ["found"])
	service_external_name.deny == {absent} with input.review.object.spec as {"type": "ExternalName"}
}

test_a_name_that_is_no_text_is_denied if {
	names := {"", 7, {}}
	names_denied(names) == names
}

test_other_types_are_not_judged if {
	spec := {"type": "ClusterIP", "externalName": "localhost"}
	service_external_name.deny == set() with input.review.object.spec as spec
	service_external_name.deny == set() with input.review.object as {"spec": {}}
	service_external_name.deny == set() with input.review.object as {}
}

test_the_refused_domains_are_a_parameter if {
	result := service_external_name.deny with input as service("db.corp.example.com")
		with input.parameters.refused as ["Corp.example.com"]
	result == {object.union(
		finding("db.corp.example.com"),
		{"expected": "a DNS name outside the cluster, not below Corp.example.com"},
	)}
	service_external_name.deny == set() with input as service("localhost")
		with input.parameters.refused as []
}

test_the_allowed_domains_are_a_parameter if {
	domains := ["example.com", "example.org"]
	every name in ["example.com", "db.example.org"] {
		service_external_name.deny == set() with input as service(name)
			with input.parameters.allowed as domains
	}
	result := service_external_name.deny with input as service("example.net")
		with input.parameters.allowed as domains
	result == {object.union(
		finding("example.net"),
		{"expected": "a DNS name outside the cluster, below example.com, example.org"},
	)}
}

test_one_allowed_domain_is_named if {
	result := service_external_name.deny with input as service("db.example.org")
		with input.parameters.allowed as ["example.com"]
	{entry.expected | some entry in result} == {"a DNS name outside the cluster, below example.com"}
}
