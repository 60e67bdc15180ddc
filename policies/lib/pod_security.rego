# METADATA
# scope: package
# title: Pod Security Standards
# description: |-
#   What all Pod Security policies share: by which standard a Pod is judged, and what a finding looks like.
#
#   A policy describes itself as a `check`:
#     id      upstream's name of the check, which is also the rule of its findings
#     level   `baseline` or `restricted`: the level that brought the check in
#     since   minor version of the standards in which the check begins
#     reason  the first words of upstream's message
#     overridden_since             optional; from here on another check takes its place in `restricted`
#     windows_passes_since         optional; from here on Pods whose operating system is Windows pass
#     user_namespace_passes_since  optional; from here on Pods with `hostUsers: false` pass
#   and lists what is wrong with the Pod as problems {"at": field(…), "detail": "words in parentheses"}. It
#   asks for the standard first: when that is undefined, nothing else is evaluated.
#
#   There are two ways to choose the standard. With `namespaceLabels: true` it is the built-in plugin's: the
#   namespace's labels choose, Pods are refused, workloads only warned. Without, the parameters `level` and
#   `version` choose, and Pods and workloads are refused alike.
package lib.pod_security

import data.lib.pod_security_labels as labels
import data.lib.pod_security_scope as scope
import data.lib.pointer

# The standard by which the Pod must be refused if it breaks the check. Undefined if there is none.
enforced(check) := standard if {
	by_labels
	standard := enforce_standard
	includes(standard, check)
	scope.judged_by_labels
}

enforced(check) := standard if {
	not by_labels
	standard := fixed(check)
	includes(standard, check)
	scope.judged
}

# The standard by which the requester is warned. Undefined if there is none.
warned(check) := standard if {
	standard := warn_standard
	includes(standard, check)
	scope.judged_by_labels
}

# The standard by which a violation is recorded. Undefined if there is none.
audited(check) := standard if {
	standard := audit_standard
	includes(standard, check)
	scope.judged_by_labels
}

default parameters := {}

parameters := input.parameters if is_object(input.parameters)

by_labels if parameters.namespaceLabels == true

# A check that is named in no bundle, with no parameters, is judged by the level that it belongs to.
fixed(check) := labels.standard(level, version) if {
	level := object.get(parameters, "level", check.level)
	version := labels.known_version(object.get(parameters, "version", "latest"))
}

# Never for workloads: they may be stored, their Pods are refused when they come.
enforce_standard := standard if {
	not scope.controller
	namespace_known
	standard := labels.enforce(namespace_labels, fallbacks)
}

# A live request whose namespace the host could not give is held to the strictest standard. Without a user
# (a file in CI) nothing is known of the namespace and nothing is said: the host lists the policy as skipped.
enforce_standard := labels.standard("restricted", "latest") if {
	not scope.controller
	not namespace_known

	# wayguard:ignore need-undeclared without it nothing is said of a namespace that is not known
	input.review.userInfo.username
}

warn_standard := labels.warn(namespace_labels, fallbacks) if {
	by_labels
	namespace_known
}

audit_standard := labels.audit(namespace_labels, fallbacks) if {
	by_labels
	namespace_known
}

namespace_known if input.namespace.metadata # wayguard:ignore need-undeclared this asks whether it is known

default namespace_labels := {}

# wayguard:ignore need-undeclared whoever asks for them asks before whether the namespace is known
namespace_labels := input.namespace.metadata.labels if is_object(input.namespace.metadata.labels)

# What holds where the namespace has no label.
default fallbacks := {}

fallbacks := parameters.defaults if is_object(parameters.defaults)

# Whether the check is part of the standard, and may fail for this Pod.
includes(standard, check) if {
	standard.level == check.level
	standard.minor >= check.since
	not relaxed(standard, check)
}

includes(standard, check) if {
	standard.level == "restricted"
	check.level == "baseline"
	standard.minor >= check.since
	not overridden(standard, check)
	not relaxed(standard, check)
}

overridden(standard, check) if standard.minor >= check.overridden_since

relaxed(standard, check) if {
	standard.minor >= check.windows_passes_since
	input.review.object.spec.os.name == "windows"
}

relaxed(standard, check) if {
	standard.minor >= check.user_namespace_passes_since
	input.review.object.spec.hostUsers == false
}

# denial is the finding for a request that is refused, in upstream's words.
denial(standard, check, problem) := finding("violates", standard, check, problem)

# notice is the finding for a request that is admitted all the same.
notice(standard, check, problem) := finding("would violate", standard, check, problem)

finding(verb, standard, check, problem) := object.union(problem.at, {
	"rule": check.id,
	"msg": sprintf("%s PodSecurity \"%s:%s\": %s (%s)", [
		verb,
		standard.level,
		standard.version,
		check.reason,
		problem.detail,
	]),
})

# field is the place of a problem. null stands for an absent field, which has no `found`.
field(path, value, expected) := {"path": path, "found": value, "expected": expected} if value != null

field(path, value, expected) := {"path": path, "expected": expected} if value == null

# container_field is a field of the container at `index` of `list`, e.g. "securityContext/privileged".
container_field(list, index, suffix, value, expected) := field(path, value, expected) if {
	path := sprintf("/spec/%s/%d/%s", [list, index, suffix])
}

# annotation_path is the JSON Pointer of an annotation of the Pod.
annotation_path(key) := sprintf("/metadata/annotations/%s", [pointer.segment(key)])
