# METADATA
# scope: package
# title: Who may have which namespace
# description: |-
#   A namespace that is furnished by the platform (`managed-by: idp`) is named after its team, and says its
#   environment. Some environments, production at first, are for those only who may `use` them: RBAC's verb on
#   `environments.wayguard.io` of that name, which no object needs to exist for. Whoever has a furnished namespace
#   keeps it so: the label `managed-by` stays, or a team would leave all that hangs on it. (`team` and
#   `environment` are kept by golden-path/ownership-labels.)
# custom:
#   severity: high
#   category: self-service
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [namespaces], operations: [CREATE, UPDATE]}
#   controls: []
#   remedy: Name the namespace after the team that it is for, and ask the platform for the environment that it shall be.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       environments:
#         description: The environments that may be had.
#         type: array
#         minItems: 1
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [development, staging, production]
#       restricted:
#         description: Those for which the right `use` is needed.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [production]
#   facts: [access]
#   needs: [user, oldObject]
#   sensitive: false
package self_service.namespace_request

import data.lib.fields
import data.lib.label_value
import data.lib.namespace
import data.lib.pointer

# What is asked of RBAC.
access contains {"verb": "use", "group": "wayguard.io", "resource": "environments", "name": environment} if restricted

deny contains object.union(finding, fields.seen(labels, "team")) if {
	managed
	not named_after_team
	finding := {
		"rule": "name-and-team",
		"path": pointer.label("team"),
		"expected": sprintf("a word of the namespace's name, `%v`", [input.review.object.metadata.name]),
	}
}

deny contains object.union(finding, fields.seen(labels, "environment")) if {
	managed
	not environment_offered
	finding := {
		"rule": "environment-unknown",
		"path": pointer.label("environment"),
		"expected": sprintf("one of %s", [concat(", ", [sprintf("`%s`", [it]) | some it in environments])]),
	}
}

deny contains finding if {
	restricted
	not may_use
	finding := {
		"rule": "environment-restricted",
		"path": pointer.label("environment"),
		"found": environment,
		"expected": sprintf("an environment that %v may use", [input.review.userInfo.username]),
		"remedy": sprintf(
			"Have the platform bind a ClusterRole with the verb `use` on `environments.wayguard.io`, name `%s`, to you.",
			[environment],
		),
	}
}

deny contains object.union(finding, fields.seen(labels, "managed-by")) if {
	labels_before["managed-by"] == "idp"
	not labels["managed-by"] == "idp"
	finding := {
		"rule": "still-managed",
		"path": pointer.label("managed-by"),
		"expected": "`idp`, as it was",
		"remedy": "Leave the label; a namespace that the platform shall not furnish any more is made anew.",
	}
}

managed if labels["managed-by"] == "idp"

environment_offered if environment in environments

named_after_team if {
	label_value.valid(labels.team)
	contains(sprintf("-%s-", [input.review.object.metadata.name]), sprintf("-%s-", [labels.team]))
}

# Only what this request brings: a namespace is not refused its annotations by who may not make another.
restricted if {
	managed
	environment in restricted_environments
	not labels_before.environment == environment
}

restricted if {
	managed
	environment in restricted_environments
	not labels_before["managed-by"] == "idp"
}

may_use if {
	some answer in input.facts.access
	answer.verb == "use"
	answer.group == "wayguard.io"
	answer.resource == "environments"
	answer.name == environment
	answer.allowed == true
}

environment := labels.environment

labels := namespace.labels_of(input.review.object)

labels_before := namespace.labels_of(object.get(input.review, "oldObject", {}))

environments := object.get(input, ["parameters", "environments"], ["development", "staging", "production"])

restricted_environments := object.get(input, ["parameters", "restricted"], ["production"])
