# METADATA
# scope: package
# title: Pod Security labels
# description: |-
#   What the Pod Security labels of a namespace ask for, read as the built-in plugin reads them
#   (`PolicyToEvaluate` in k8s.io/pod-security-admission): a label beats the configured default, an invalid
#   level enforces `restricted` but neither audits nor warns, an invalid version is `latest`.
#
#   A standard is {"level": "baseline", "version": "v1.24", "minor": 24}.
package lib.pod_security_labels

# Minor version in which a check of the standards changed last. `latest` is this version, and so is each
# later one, because every check compares by "at least".
newest_minor := 37

# The levels, each including the one before it. Messages list them in this order.
levels := ["privileged", "baseline", "restricted"]

strictness := {"privileged": 0, "baseline": 1, "restricted": 2}

# The six labels in the order in which the built-in plugin reports mistakes in them.
label_names := [
	"pod-security.kubernetes.io/enforce",
	"pod-security.kubernetes.io/enforce-version",
	"pod-security.kubernetes.io/audit",
	"pod-security.kubernetes.io/audit-version",
	"pod-security.kubernetes.io/warn",
	"pod-security.kubernetes.io/warn-version",
]

# The standard that a Pod must meet to be admitted.
enforce(labels, defaults) := standard(level, version) if {
	wanted := object.get(labels, "pod-security.kubernetes.io/enforce", default_level(defaults, "enforce"))
	level := known_level(wanted, "restricted")
	version := enforce_version(labels, defaults)
}

# The standard whose violations are only recorded.
audit(labels, defaults) := standard(level, version) if {
	wanted := object.get(labels, "pod-security.kubernetes.io/audit", default_level(defaults, "audit"))
	level := known_level(wanted, "privileged")
	fallback := default_version(defaults, "audit-version")
	version := known_version(object.get(labels, "pod-security.kubernetes.io/audit-version", fallback))
}

# The standard whose violations the requester is warned of.
warn(labels, defaults) := standard(level, version) if {
	not follows_enforce(labels, defaults)
	wanted := object.get(labels, "pod-security.kubernetes.io/warn", default_level(defaults, "warn"))
	level := known_level(wanted, "privileged")
	fallback := default_version(defaults, "warn-version")
	version := known_version(object.get(labels, "pod-security.kubernetes.io/warn-version", fallback))
}

warn(labels, defaults) := standard(level, version) if {
	follows_enforce(labels, defaults)
	level := labels["pod-security.kubernetes.io/enforce"]
	fallback := enforce_version(labels, defaults)
	version := known_version(object.get(labels, "pod-security.kubernetes.io/warn-version", fallback))
}

# Without a warn label, a namespace that enforces more than the default warning level also warns of it:
# so that a Deployment whose Pods will be refused says so.
follows_enforce(labels, defaults) if {
	enforced := labels["pod-security.kubernetes.io/enforce"]
	not has_warn_level(labels)
	strictness[enforced] > strictness[default_level(defaults, "warn")]
}

has_warn_level(labels) if labels["pod-security.kubernetes.io/warn"]

enforce_version(labels, defaults) := known_version(wanted) if {
	fallback := default_version(defaults, "enforce-version")
	wanted := object.get(labels, "pod-security.kubernetes.io/enforce-version", fallback)
}

default_level(defaults, mode) := object.get(defaults, mode, "privileged")

default_version(defaults, mode) := object.get(defaults, mode, "latest")

known_level(level, _) := level if is_level(level)

known_level(level, otherwise) := otherwise if not is_level(level)

is_level(level) if level in levels

known_version(version) := version if valid_version(version)

known_version(version) := "latest" if not valid_version(version)

valid_version(version) if version == "latest"

valid_version(version) if {
	is_string(version)
	regex.match(`^v1\.(0|[1-9][0-9]*)$`, version)
	digits := substring(version, 3, -1)
	fits_int64(digits)
}

# Upstream parses the number into 64 bits. Compared as text, because a number of that size is not exact
# in every evaluator of Rego.
fits_int64(digits) if count(digits) < 19

fits_int64(digits) if {
	count(digits) == 19
	digits <= "9223372036854775807"
}

# standard is what a level and a valid version stand for.
standard(level, version) := {"level": level, "version": version, "minor": minor(version)}

minor(version) := newest_minor if version == "latest"

minor(version) := to_number(substring(version, 3, -1)) if version != "latest"

# The labels whose value means nothing, as {"label", "value", "expected"}, in the order of `label_names`.
mistakes(labels) := [mistake |
	some label in label_names
	value := labels[label]
	expected := requirement(label)
	not meets(label, value)
	mistake := {"label": label, "value": value, "expected": expected}
]

requirement(label) := "\"latest\" or \"v1.x\"" if endswith(label, "-version")

requirement(label) := sprintf("one of %s", [concat(", ", levels)]) if not endswith(label, "-version")

meets(label, value) if {
	endswith(label, "-version")
	valid_version(value)
}

meets(label, value) if {
	not endswith(label, "-version")
	is_level(value)
}
