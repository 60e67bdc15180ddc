package images.scanned_test

import data.images.scanned

image := "registry.example/team/app:1"

digest := "sha256:0000000000000000000000000000000000000000000000000000000000000000"

now := time.parse_rfc3339_ns("2026-11-22T12:00:00Z")

running := {"object": {"spec": {"containers": [{"name": "app", "image": image}]}}}

about(fact) := {"review": running, "facts": {"images": {image: object.union({"digest": digest}, fact)}}}

clean := {"critical": 0, "high": 0, "medium": 0, "low": 0, "unknown": 0}

found(id, severity) := {"id": id, "severity": severity}

fixable(id, severity) := {"id": id, "severity": severity, "fixed": "2"}

scan(ended, findings) := {
	"signed": true,
	"finishedAt": ended,
	"findings": findings,
	"counts": {severity: count([1 | some one in findings; one.severity == severity]) | some severity, _ in clean},
}

fresh(findings) := scan("2026-11-22T06:00:00Z", findings)

not_scanned(days, msg) := {
	"rule": "not-scanned",
	"path": "/spec/containers/0/image",
	"found": image,
	"expected": sprintf("a scan of the last %v days", [days]),
	"msg": msg,
}

vulnerable(limit, severity, msg) := {
	"rule": "vulnerable",
	"path": "/spec/containers/0/image",
	"found": image,
	"expected": sprintf("at most %d vulnerabilities that are %s", [limit, severity]),
	"msg": msg,
}

findings_of(fact, parameters) := result if {
	result := scanned.deny with input as about(fact)
		with input.parameters as parameters
		with time.now_ns as now
}

test_a_clean_scan_of_today if findings_of({"scans": [fresh([])]}, {}) == set()

test_only_critical_ones_are_limited_unless_something_is_said if {
	findings_of({"scans": [fresh([found("CVE-1", "high")])]}, {}) == set()
	expected := {vulnerable(0, "critical", "1 are, such as CVE-1")}
	findings_of({"scans": [fresh([found("CVE-1", "critical")])]}, {}) == expected
}

test_each_severity_has_its_limit if {
	findings := [found(sprintf("CVE-%d", [number]), "high") | some number in numbers.range(1, 4)]
	expected := {vulnerable(3, "high", "4 are, such as CVE-1, CVE-2, CVE-3")}
	findings_of({"scans": [fresh(findings)]}, {"maximum": {"high": 3}}) == expected
	findings_of({"scans": [fresh(findings)]}, {"maximum": {"high": 4, "low": 0}}) == set()
}

test_sums_count_where_the_list_is_shorter if {
	summary := object.union(fresh([]), {"counts": object.union(clean, {"critical": 2})})
	findings_of({"scans": [summary]}, {"fixableOnly": true}) == {vulnerable(0, "critical", "2 are")}
}

test_the_newest_scan_decides if {
	older := scan("2026-11-21T06:00:00Z", [found("CVE-1", "critical")])
	findings_of({"scans": [older, fresh([])]}, {}) == set()
	newer := scan("2026-11-22T07:00:00Z", [found("CVE-1", "critical")])
	count(findings_of({"scans": [newer, fresh([])]}, {})) == 1
}

test_of_two_that_ended_together_the_worse_decides if {
	worse := fresh([found("CVE-1", "critical")])
	expected := {vulnerable(0, "critical", "1 are, such as CVE-1")}
	findings_of({"scans": [worse, fresh([])]}, {}) == expected
	findings_of({"scans": [fresh([]), worse]}, {}) == expected
}

test_an_old_scan_is_none if {
	old := scan("2026-11-14T12:00:00Z", [])
	findings_of({"scans": [old]}, {}) == {not_scanned(7, "its newest scan ended at 2026-11-14T12:00:00Z")}
	findings_of({"scans": [old]}, {"maxAgeDays": 8}) == set()
}

test_a_scan_of_next_year_is_none if {
	later := scan("2027-11-14T12:00:00Z", [])
	findings_of({"scans": [later]}, {}) == {not_scanned(7, "its newest scan ended at 2027-11-14T12:00:00Z")}
}

test_the_end_of_the_newest_is_said if {
	scans := [scan("2026-11-14T12:00:00Z", []), scan("2026-11-13T12:00:00Z", [])]
	findings_of({"scans": scans}, {}) == {not_scanned(7, "its newest scan ended at 2026-11-14T12:00:00Z")}
}

test_a_scan_without_an_end_is_none if {
	empty := object.union(fresh([]), {"finishedAt": null})
	findings_of({"scans": [empty]}, {}) == {not_scanned(7, "none of its scans says when it ended")}
	endless := object.remove(fresh([]), ["finishedAt"])
	findings_of({"scans": [endless]}, {}) == {not_scanned(7, "none of its scans says when it ended")}
}

test_a_scan_without_counts_is_none if {
	unreadable := object.remove(fresh([]), ["counts"])
	findings_of({"scans": [unreadable]}, {}) == {not_scanned(7, "its scan is of a layout that is not known")}
}

test_a_scan_that_nobody_signed_counts_where_it_is_said_to if {
	unsigned := object.union(fresh([]), {"signed": false})
	findings_of({"scans": [unsigned]}, {}) == {not_scanned(7, "nobody who is trusted signed its scan")}
	findings_of({"scans": [unsigned]}, {"unsigned": true}) == set()
}

test_an_image_without_a_scan_is_denied if {
	findings_of({}, {}) == {not_scanned(7, "nobody has scanned it")}
	scanned.deny == {not_scanned(7, "nothing is known of it")} with input as {"review": running}
}

test_what_has_no_fix_may_be_left_out if {
	fact := {"scans": [fresh([found("CVE-1", "critical"), fixable("CVE-2", "critical")])]}
	findings_of(fact, {"fixableOnly": true}) == {vulnerable(0, "critical", "1 are, such as CVE-2")}
	findings_of(fact, {}) == {vulnerable(0, "critical", "2 are, such as CVE-1, CVE-2")}
}

test_what_is_left_out_of_one_severity_is_of_that_one if {
	fact := {"scans": [fresh([fixable("CVE-1", "critical"), found("CVE-2", "high")])]}
	findings_of(fact, {"fixableOnly": true}) == {vulnerable(0, "critical", "1 are, such as CVE-1")}
}

ignored(id, until) := {"ignore": [{"id": id, "until": until, "reason": "a"}]}

test_what_is_ignored_counts_again_after_its_date if {
	fact := {"scans": [fresh([found("CVE-1", "critical")])]}
	findings_of(fact, ignored("CVE-1", "2026-11-22T12:00:01Z")) == set()
	count(findings_of(fact, ignored("CVE-1", "2026-11-22T12:00:00Z"))) == 1
	count(findings_of(fact, ignored("CVE-2", "2026-11-23T00:00:00Z"))) == 1
}

said(statement) := {"scans": [fresh([found("CVE-1", "critical")])], "vex": [statement]}

test_vex_is_believed_by_name_and_alias if {
	findings_of(said({"vulnerability": "CVE-1", "status": "not_affected"}), {}) == set()
	findings_of(said({"vulnerability": "GHSA-1", "aliases": ["CVE-1"], "status": "fixed"}), {}) == set()
	count(findings_of(said({"vulnerability": "CVE-1", "status": "under_investigation"}), {})) == 1
	count(findings_of(said({"vulnerability": "CVE-2", "status": "not_affected"}), {})) == 1
}
