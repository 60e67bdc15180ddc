# METADATA
# scope: package
# title: What claims hand back, in env
# description: |-
#   `${database.connection_string}` as the value of an environment variable becomes a reference to the key of the
#   Secret that holds what the PlatformClaim `database` of the same namespace hands back; inside other text it becomes
#   `$(…)` with a variable of its own before the others, which the kubelet puts together. `url` and `uri` are other
#   names of `connection_string`. Where variables are replaced before they get here (Flux) write
#   `$${database.connection_string}`, or the annotation `wayguard.io/env: URL=database.connection_string` on the Pod,
#   which adds the variable to every container that has none of the name. The value itself is seen by nobody but the
#   kubelet. Only Pods are written; workloads stay as they are in Git, and are told of a name that does not exist.
#
#   A claim that does not exist (yet) is refused at a Pod of a namespace that is managed, and elsewhere left alone: it
#   may be somebody else's template. At a workload it is warned about, since many tools bring claims after workloads.
# custom:
#   severity: medium
#   category: self-service
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   remedy: >-
#     `kubectl get platformclaims -n NAMESPACE` shows the claims, `status.outputs` of one what it hands back.
#   parameters: {type: object, additionalProperties: false, properties: {}}
#   facts: []
#   needs: [namespace]
#   inventory:
#     - {group: wayguard.io, version: v1alpha1, kind: PlatformClaim}
#   sensitive: false
package self_service.claim_outputs

import data.lib.claim_references
import data.lib.containers
import data.lib.fields
import data.lib.namespace
import data.lib.pointer

overrides contains {"path": concat("", [place.path, "/env"]), "value": wanted} if {
	judged
	some place in started
	given := fields.list_at(place.container, "env")
	wanted := array.concat(array.concat(helpers(given), [resolved(entry) | some entry in given]), added(given))
	wanted != given
}

deny contains finding if {
	judged
	some reference in references
	output_unknown(reference)
	finding := {
		"rule": "unknown-output",
		"path": reference.path,
		"found": reference.text,
		"expected": spelt_outputs(reference),
		"msg": sprintf("the claim `%s` hands back no `%s`", [reference.claim, reference.output]),
	}
}

deny contains finding if {
	judged
	not of_workload
	some reference in references
	status := fields.object_at(claims[reference.claim], "status")
	not handed_back(reference.claim)
	finding := {
		"rule": "not-yet",
		"path": reference.path,
		"found": reference.text,
		"expected": "a claim that has been provided for",
		"msg": sprintf("the claim `%s` hands nothing back yet: it is %s%s", [
			reference.claim, object.get(status, "phase", "Pending"), reason(status),
		]),
		"remedy": "Wait: a workload's controller tries again. `kubectl describe platformclaim` says what it waits for.",
	}
}

deny contains finding if {
	not of_workload
	some finding in strangers
}

warn contains finding if {
	of_workload
	some finding in strangers
}

deny contains finding if {
	judged
	some entry in listed
	not entry.name
	finding := {
		"rule": "not-a-reference",
		"path": annotation_path,
		"found": entry.text,
		"expected": "a list of VARIABLE=claim.output, such as `DATABASE_URL=database.connection_string`",
	}
}

strangers contains finding if {
	judged
	managed
	some reference in references
	not claims[reference.claim]
	finding := {
		"rule": "unknown-claim",
		"path": reference.path,
		"found": reference.text,
		"expected": spelt_claims,
		"msg": sprintf("there is no PlatformClaim `%s` in the namespace", [reference.claim]),
	}
}

# A Pod that is there already cannot be changed, and is not refused its labels for it.
judged if of_workload

judged if not input.review.operation == "UPDATE"

of_workload if input.owner

managed if namespace.label("managed-by") == "idp"

# Debug containers are added to running Pods, which nothing is filled into.
started := [place | some place in containers.all; place.list != "ephemeralContainers"]

# Every place that names a claim's output: {"path", "text", "claim", "output"}.
references contains object.union(reference, {"path": path}) if {
	some place in started
	some index, entry in fields.list_at(place.container, "env")
	some reference in claim_references.in_text(entry.value)
	path := sprintf("%s/env/%d/value", [place.path, index])
}

references contains object.union(entry, {"path": annotation_path}) if {
	some entry in listed
}

annotation_path := pointer.annotation("wayguard.io/env")

listed := claim_references.listed(annotations["wayguard.io/env"])

annotations := fields.object_at(fields.object_at(input.review.object, "metadata"), "annotations")

claims := data.inventory.namespace[input.review.namespace]["wayguard.io/v1alpha1"].PlatformClaim

# What a claim hands back; undefined until that is known.
handed_back(claim) := outputs if {
	outputs := claims[claim].status.outputs
	count(outputs) > 0
} else := {} if {
	claims[claim].status.phase == "Ready"
}

# Where the value is: {"name", "key"} of a Secret; undefined if nobody knows.
source(claim, output) := {"name": found.secret, "key": found.key} if {
	found := handed_back(claim)[output]
} else := {"name": found.secret, "key": found.key} if {
	output in {"uri", "url"}
	found := handed_back(claim).connection_string
}

output_unknown(reference) if {
	handed_back(reference.claim)
	not source(reference.claim, reference.output)
}

resolved(entry) := {"name": entry.name, "valueFrom": {"secretKeyRef": source(reference.claim, reference.output)}} if {
	reference := claim_references.whole(entry.value)
} else := object.union(entry, {"value": strings.replace_n(pairs, entry.value)}) if {
	pairs := {reference.text: sprintf("$(%s)", [helper_name(reference)]) |
		some reference in claim_references.in_text(entry.value)
		source(reference.claim, reference.output)
	}
} else := entry

# Variables for what stands inside other text. Only what comes before can be referred to, so they are put first.
helpers(env) := [helper |
	names := {name: from |
		some entry in env
		not claim_references.whole(entry.value)
		some reference in claim_references.in_text(entry.value)
		from := source(reference.claim, reference.output)
		name := helper_name(reference)
	}
	some name in sort(object.keys(names))
	helper := {"name": name, "valueFrom": {"secretKeyRef": names[name]}}
]

helper_name(reference) := sprintf("__ref_%s.%s", [reference.claim, reference.output])

added(env) := [variable |
	taken := {entry.name | some entry in env}
	wanted := {entry.name: from |
		some entry in listed
		not entry.name in taken
		from := source(entry.claim, entry.output)
	}
	some name in sort(object.keys(wanted))
	variable := {"name": name, "valueFrom": {"secretKeyRef": wanted[name]}}
]

spelt_outputs(reference) := one_of([sprintf("%s.%s", [reference.claim, output]) | some output in names]) if {
	names := sort(object.keys(handed_back(reference.claim)))
	count(names) > 0
} else := "left out: claims of this type hand nothing back"

spelt_claims := one_of([name | some name in sort(object.keys(claims))]) if {
	count(claims) > 0
} else := "the name of a claim, of which the namespace has none"

one_of(names) := sprintf("one of %s", [concat(", ", [sprintf("`%s`", [name]) | some name in names])])

reason(status) := sprintf(" (%s)", [condition.message]) if {
	some condition in status.conditions
	condition.type == "Ready"
	condition.message != ""
} else := ""
