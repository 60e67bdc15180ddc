package lib.pod_security_labels_test

import data.lib.pod_security_labels as labels

latest(level) := {"level": level, "version": "latest", "minor": 37}

prefixed(pairs) := {concat("", ["pod-security.kubernetes.io/", key]): value | some key, value in pairs}

test_without_labels_and_defaults_everything_is_privileged if {
	labels.enforce({}, {}) == latest("privileged")
	labels.audit({}, {}) == latest("privileged")
	labels.warn({}, {}) == latest("privileged")
}

test_defaults_hold_where_labels_are_absent if {
	defaults := {
		"enforce": "baseline",
		"enforce-version": "v1.30",
		"audit": "restricted",
		"audit-version": "v1.31",
		"warn": "restricted",
		"warn-version": "v1.32",
	}
	labels.enforce({}, defaults) == {"level": "baseline", "version": "v1.30", "minor": 30}
	labels.audit({}, defaults) == {"level": "restricted", "version": "v1.31", "minor": 31}
	labels.warn({}, defaults) == {"level": "restricted", "version": "v1.32", "minor": 32}
}

test_labels_beat_defaults_level_and_version_apart if {
	defaults := {"enforce": "restricted", "enforce-version": "v1.30"}
	labels.enforce(prefixed({"enforce": "baseline"}), defaults) == {
		"level": "baseline",
		"version": "v1.30",
		"minor": 30,
	}
	labels.enforce(prefixed({"enforce-version": "v1.20"}), defaults) == {
		"level": "restricted",
		"version": "v1.20",
		"minor": 20,
	}
}

test_an_invalid_level_enforces_restricted_but_neither_audits_nor_warns if {
	wrong := prefixed({"enforce": "bogus", "audit": "bogus", "warn": "bogus"})
	labels.enforce(wrong, {}) == latest("restricted")
	labels.audit(wrong, {"audit": "restricted"}) == latest("privileged")
	labels.warn(wrong, {"warn": "restricted"}) == latest("privileged")
}

test_an_empty_level_is_invalid if {
	labels.enforce(prefixed({"enforce": ""}), {}) == latest("restricted")
}

test_an_invalid_version_is_latest if {
	every version in ["", "1.24", "v1", "v2.0", "v1.01", "v1.24.1", "newest", "v1.9223372036854775808"] {
		labels.enforce(prefixed({"enforce": "baseline", "enforce-version": version}), {}) == latest("baseline")
	}
}

test_the_largest_version_that_upstream_can_read_is_valid if {
	largest := "v1.9223372036854775807"
	labels.enforce(prefixed({"enforce-version": largest}), {}).version == largest
}

test_versions_later_than_the_newest_are_kept if {
	labels.enforce(prefixed({"enforce": "baseline", "enforce-version": "v1.99"}), {}) == {
		"level": "baseline",
		"version": "v1.99",
		"minor": 99,
	}
}

test_warnings_follow_a_stricter_enforced_level_and_its_version if {
	labels.warn(prefixed({"enforce": "baseline", "enforce-version": "v1.22"}), {}) == {
		"level": "baseline",
		"version": "v1.22",
		"minor": 22,
	}
	labels.warn(prefixed({"enforce": "baseline", "warn-version": "v1.23"}), {}) == {
		"level": "baseline",
		"version": "v1.23",
		"minor": 23,
	}
}

test_warnings_do_not_follow_a_level_that_is_not_stricter if {
	labels.warn(prefixed({"enforce": "baseline"}), {"warn": "restricted"}) == latest("restricted")
	labels.warn(prefixed({"enforce": "baseline", "warn": "privileged"}), {}) == latest("privileged")
	pinned := prefixed({"enforce": "baseline", "enforce-version": "v1.22"})
	labels.warn(pinned, {"warn": "baseline"}) == latest("baseline")
	labels.warn(prefixed({"enforce": "bogus"}), {}) == latest("privileged")
}

test_mistakes_are_listed_in_upstreams_order if {
	found := labels.mistakes(prefixed({
		"warn": "bogus",
		"enforce-version": "1.24",
		"enforce": "baseline",
		"audit-version": "v1.24",
	}))
	found == [
		{
			"label": "pod-security.kubernetes.io/enforce-version",
			"value": "1.24",
			"expected": "\"latest\" or \"v1.x\"",
		},
		{
			"label": "pod-security.kubernetes.io/warn",
			"value": "bogus",
			"expected": "one of privileged, baseline, restricted",
		},
	]
}

test_a_level_is_no_version if count(labels.mistakes(prefixed({"enforce-version": "baseline"}))) == 1

test_labels_that_are_absent_are_no_mistakes if labels.mistakes({"team": "bogus"}) == []

test_each_mode_has_a_version_of_its_own if {
	versions := prefixed({"audit": "baseline", "audit-version": "v1.22", "warn": "baseline", "warn-version": "v1.23"})
	labels.audit(versions, {}) == {"level": "baseline", "version": "v1.22", "minor": 22}
	labels.warn(versions, {}) == {"level": "baseline", "version": "v1.23", "minor": 23}
}

test_warnings_follow_each_stricter_level if {
	labels.warn(prefixed({"enforce": "restricted"}), {"warn": "baseline"}) == latest("restricted")
	labels.warn(prefixed({"enforce": "baseline"}), {"warn": "privileged"}) == latest("baseline")
}

test_every_label_can_be_mistaken if {
	names := ["enforce", "enforce-version", "audit", "audit-version", "warn", "warn-version"]
	found := labels.mistakes(prefixed({name: "x" | some name in names}))
	[mistake.label | some mistake in found] == [concat("/", ["pod-security.kubernetes.io", name]) | some name in names]
}

test_latest_is_a_version_and_no_level if {
	labels.mistakes(prefixed({"enforce-version": "latest", "audit-version": "latest"})) == []
	count(labels.mistakes(prefixed({"enforce": "latest"}))) == 1
}

test_a_version_is_a_text_that_fits_into_64_bits if {
	labels.enforce(prefixed({"enforce-version": 7}), {}).version == "latest"
	labels.enforce(prefixed({"enforce-version": "v1.123456789012345678"}), {}).version == "v1.123456789012345678"
	labels.enforce(prefixed({"enforce-version": "v1.10000000000000000000"}), {}).version == "latest"
}

# equivalent:
#   line: 'strictness := {"privileged": 0, "baseline": 1, "restricted": 2}'
#   becomes: 'strictness := {"privileged": -1, "baseline": 1, "restricted": 2}'
#   because: the levels are only compared, and their order is the same
#   shownBy: test_warnings_follow_each_stricter_level
# equivalent:
#   line: 'strictness := {"privileged": 0, "baseline": 1, "restricted": 2}'
#   becomes: 'strictness := {"privileged": 0, "baseline": 1, "restricted": 3}'
#   because: the levels are only compared, and their order is the same
#   shownBy: test_warnings_follow_each_stricter_level
# equivalent:
#   line: 'default_version(defaults, mode) := object.get(defaults, mode, "latest")'
#   becomes: 'default_version(defaults, mode) := object.get(defaults, mode, "")'
#   because: a version that is none is the latest
#   shownBy: test_an_invalid_version_is_latest
