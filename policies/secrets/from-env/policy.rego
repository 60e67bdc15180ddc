# METADATA
# scope: package
# title: Secrets as files
# description: |-
#   Environment variables are seen by every process of the container, printed by crash reports and debug
#   pages, and keep the old value when a Secret is renewed. Secrets are mounted as files. No container takes
#   one key of a Secret (valueFrom.secretKeyRef), or all of them (envFrom.secretRef), into its environment.
# custom:
#   severity: medium
#   category: secrets
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [CIS-5.4.1, NSA-secrets]
#   peers: [kyverno/disallow-secrets-from-env-vars]
#   remedy: Mount the Secret as a volume, and have the application read the file.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: []
#   needs: []
#   sensitive: false
package secrets.from_env

import data.lib.containers
import data.lib.fields

deny contains finding if {
	some list in containers.lists
	some index, container in fields.list_at(input.review.object.spec, list)
	some number, variable in fields.list_at(container, "env")
	reference := variable.valueFrom.secretKeyRef
	not is_null(reference)
	finding := {
		"rule": "secret-in-variable",
		"path": sprintf("%s/env/%d/valueFrom/secretKeyRef", [containers.path(list, index), number]),
		"found": reference,
		"expected": expected,
	}
}

deny contains finding if {
	some list in containers.lists
	some index, container in fields.list_at(input.review.object.spec, list)
	some number, source in fields.list_at(container, "envFrom")
	reference := source.secretRef
	not is_null(reference)
	finding := {
		"rule": "secret-in-environment",
		"path": sprintf("%s/envFrom/%d/secretRef", [containers.path(list, index), number]),
		"found": reference,
		"expected": expected,
	}
}

expected := "left out, with the Secret mounted as a file"
