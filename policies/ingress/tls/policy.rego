# METADATA
# scope: package
# title: Ingress by HTTPS
# description: |-
#   Without TLS everything between the user and the cluster can be read and changed on the way: passwords,
#   cookies, pages. An Ingress has spec.tls, and each host of its rules is named there, or the controller
#   answers with a certificate that is not the host's. Where a controller needs an annotation to stop
#   serving plain HTTP, the platform names it.
# custom:
#   severity: high
#   category: ingress
#   match:
#     resourceRules:
#       - {apiGroups: [networking.k8s.io], resources: [ingresses], operations: [CREATE, UPDATE]}
#   controls: [NSA-encryption, T1557]
#   peers:
#     - gatekeeper/K8sHttpsOnly
#     - kyverno/require-ingress-https
#     - kyverno/ingress-host-match-tls
#     - polaris/tlsSettingsMissing
#   remedy: List every host under spec.tls, with the Secret that holds its certificate.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       annotations:
#         description: >-
#           Annotations that an Ingress must have, each with its value, such as
#           kubernetes.io/ingress.allow-http with "false".
#         type: object
#         additionalProperties: {type: string}
#         default: {}
#       hostsRequired:
#         description: >-
#           Each host must be named under spec.tls. If false, an entry without hosts counts for all of them.
#         type: boolean
#         default: true
#   facts: []
#   needs: []
#   sensitive: false
package ingress.tls

import data.lib.fields
import data.lib.pointer

deny contains object.union(finding, fields.seen(spec, "tls")) if {
	count(entries) == 0
	finding := {
		"rule": "no-tls",
		"path": "/spec/tls",
		"expected": "set, with the hosts of the rules and the Secret of their certificate",
	}
}

deny contains finding if {
	count(entries) > 0
	some index, rule in fields.list_at(spec, "rules")
	host := rule.host
	host != ""
	not encrypted(host)
	finding := {
		"rule": "host-without-tls",
		"path": sprintf("/spec/rules/%d/host", [index]),
		"found": host,
		"expected": "one of the hosts under spec.tls",
	}
}

deny contains object.union(finding, fields.seen(annotations, name)) if {
	some name, value in wanted
	not has_annotation(name, value)
	finding := {
		"rule": "annotation",
		"path": concat("", ["/metadata/annotations/", pointer.segment(name)]),
		"expected": sprintf("\"%s\"", [value]),
	}
}

encrypted(host) if {
	some entry in entries
	some name in fields.list_at(entry, "hosts")
	certified(name, host)
}

encrypted(_) if {
	hosts_required == false
	some entry in entries
	count(fields.list_at(entry, "hosts")) == 0
}

certified(name, host) if lower(name) == lower(host)

# The wildcard of a certificate stands for one label.
certified(name, host) if {
	parts := split(lower(host), ".")
	concat(".", array.concat(["*"], array.slice(parts, 1, count(parts)))) == lower(name)
}

has_annotation(name, value) if annotations[name] == value

entries := fields.list_at(spec, "tls")

spec := fields.object_at(input.review.object, "spec")

annotations := fields.object_at(fields.object_at(input.review.object, "metadata"), "annotations")

wanted := object.get(input, ["parameters", "annotations"], {})

hosts_required := object.get(input, ["parameters", "hostsRequired"], true)
