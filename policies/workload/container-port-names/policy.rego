# METADATA
# scope: package
# title: Names of container ports
# description: |-
#   A Service, a probe or a network policy that names a port keeps working when its number changes, and
#   whoever reads it learns what the port is for. Every port that a container lists has a name.
# custom:
#   severity: low
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers: [kyverno/require-container-port-names]
#   remedy: Give the port a name such as `http` or `metrics`, and refer to it by that.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: []
#   needs: []
#   sensitive: false
package workload.container_port_names

import data.lib.containers
import data.lib.fields

deny contains object.union(finding, fields.seen(port, "name")) if {
	some list in containers.lists
	some index, container in fields.list_at(input.review.object.spec, list)
	some number, port in fields.list_at(container, "ports")
	not named(port)
	number_of_port := object.get(port, "containerPort", "")
	finding := {
		"rule": "unnamed-port",
		"path": sprintf("%s/ports/%d/name", [containers.path(list, index), number]),
		"expected": "a name such as `http`",
		"msg": sprintf("port %v of %s has no name", [number_of_port, containers.title(container)]),
	}
}

named(port) if {
	is_string(port.name)
	port.name != ""
}
