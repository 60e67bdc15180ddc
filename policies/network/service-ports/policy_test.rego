package network.service_ports_test

import data.network.service_ports

service(ports) := {"review": {"object": {"spec": {"ports": [{"port": port} | some port in ports]}}}}

finding(index, expected) := {
	"rule": "service-port",
	"path": sprintf("/spec/ports/%d/port", [index]),
	"expected": expected,
}

usual := "one of 80, 443, 1024-65535"

test_usual_ports_are_allowed if {
	service_ports.deny == set() with input as service([80, 443, 1024, 8080, 65535])
}

test_ports_of_the_system_are_denied if {
	service_ports.deny == {
		object.union(finding(0, usual), {"found": 22}),
		object.union(finding(2, usual), {"found": 1023}),
	} with input as service([22, 80, 1023])
}

test_an_absent_port_is_denied if {
	service_ports.deny == {finding(0, usual)} with input.review.object.spec.ports as [{"name": "http"}]
}

test_a_port_that_is_no_number_is_denied if {
	service_ports.deny == {object.union(finding(0, usual), {"found": "80"})} with input as service(["80"])
}

test_a_service_without_ports_is_allowed if {
	service_ports.deny == set() with input.review.object as {"spec": {"ports": null}}
	service_ports.deny == set() with input.review.object as {}
}

test_the_ranges_are_a_parameter if {
	result := service_ports.deny with input as service([31999, 32000, 33000, 33001])
		with input.parameters.ranges as [{"from": 32000, "to": 33000}]
	result == {
		object.union(finding(0, "one of 32000-33000"), {"found": 31999}),
		object.union(finding(3, "one of 32000-33000"), {"found": 33001}),
	}
}
