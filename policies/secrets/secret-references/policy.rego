# METADATA
# scope: package
# title: Secrets that a workload may name
# description: |-
#   Whoever may create a Pod may read every Secret of its namespace by naming it. This policy says which
#   names a Pod may use, in every place that can name one: environment, volumes of every kind, pull secrets,
#   debug containers. A name must match a pattern of `allowed` and none of `forbidden`; a pattern covers the
#   whole name. As it comes, every valid name is allowed but those of Helm's releases, which hold all values
#   that a chart was installed with, and of the tokens by which nodes join the cluster.
# custom:
#   severity: high
#   category: secrets
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [CIS-5.4.1, NSA-secrets]
#   peers: [kyverno/restrict-secrets-by-name]
#   remedy: Name a Secret that belongs to this workload, or have the platform team allow the name.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       allowed:
#         description: Regular expressions of the names that may be used; each covers the whole name.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: ['[a-z0-9]([a-z0-9.-]*[a-z0-9])?']
#       forbidden:
#         description: Regular expressions of names that may not be used, though they are allowed.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: ['sh\.helm\.release\..*', 'bootstrap-token-.*']
#   facts: []
#   needs: []
#   sensitive: false
package secrets.secret_references

import data.lib.secret_references

deny contains object.union(finding, entry.seen) if {
	some entry in secret_references.all
	not in_allowed(entry)
	finding := {
		"rule": "secret-not-allowed",
		"path": entry.path,
		"expected": sprintf("a name that matches %s", [concat(" or ", allowed)]),
	}
}

deny contains object.union(finding, entry.seen) if {
	some entry in secret_references.all
	in_allowed(entry)
	some pattern in forbidden
	covers(pattern, entry.name)
	finding := {
		"rule": "secret-forbidden",
		"path": entry.path,
		"expected": sprintf("a name that does not match %s", [pattern]),
	}
}

in_allowed(entry) if {
	some pattern in allowed
	covers(pattern, entry.name)
}

covers(pattern, name) if regex.match(sprintf(`^(?:%s)$`, [pattern]), name)

allowed := object.get(input, ["parameters", "allowed"], ["[a-z0-9]([a-z0-9.-]*[a-z0-9])?"])

forbidden := object.get(input, ["parameters", "forbidden"], [`sh\.helm\.release\..*`, "bootstrap-token-.*"])
