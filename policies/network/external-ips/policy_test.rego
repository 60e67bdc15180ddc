package network.external_ips_test

import data.network.external_ips

service(addresses) := {"review": {"object": {"metadata": {"name": "web"}, "spec": {"externalIPs": addresses}}}}

finding(index, address, expected) := {
	"rule": "external-ip",
	"path": sprintf("/spec/externalIPs/%d", [index]),
	"found": address,
	"expected": expected,
}

none := "unset; no external IPs are allowed"

test_every_external_ip_is_denied if {
	external_ips.deny == {
		finding(0, "203.0.113.7", none),
		finding(1, "2001:db8::1", none),
	} with input as service(["203.0.113.7", "2001:db8::1"])
}

test_a_service_without_external_ips_is_allowed if {
	external_ips.deny == set() with input as service([])
	external_ips.deny == set() with input as service(null)
	external_ips.deny == set() with input.review.object as {"spec": {}}
	external_ips.deny == set() with input.review.object as {"metadata": {"name": "web"}}
}

test_only_what_lies_in_the_allowed_ranges_passes if {
	result := external_ips.deny with input as service(["203.0.113.7", "198.51.100.1", "203.0.113.8"])
		with input.parameters.allowed as ["203.0.113.0/29", "203.0.113.8"]
	result == {finding(1, "198.51.100.1", "within 203.0.113.0/29, 203.0.113.8")}
}

test_what_is_no_address_is_denied if {
	result := external_ips.deny with input as service(["example.com", 7])
		with input.parameters.allowed as ["0.0.0.0/0"]
	result == {finding(0, "example.com", "within 0.0.0.0/0"), finding(1, 7, "within 0.0.0.0/0")}
}
