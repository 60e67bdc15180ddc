# METADATA
# scope: package
# title: Secrets that exist
# description: |-
#   Warns of a Secret that is named but not there: the Pod will wait for it without saying so to the one who
#   applied it. It only warns, because the Secret may well be made a moment later, and it knows the names of
#   the namespace's Secrets, never what is in them. References marked `optional` are left out.
# custom:
#   severity: low
#   category: secrets
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   remedy: Create the Secret in the workload's namespace, or mend its name.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: [secretNames]
#   needs: []
#   sensitive: false
package secrets.secret_exists

import data.lib.secret_references

warn contains object.union(finding, entry.seen) if {
	known := input.facts.secretNames
	some entry in secret_references.all
	entry.optional == false
	not listed(entry, known)
	finding := {
		"rule": "secret-not-found",
		"path": entry.path,
		"expected": "the name of a Secret in the workload's namespace",
	}
}

listed(entry, known) if entry.name in known
