package images.age_test

import data.images.age

image := "registry.example/team/app:1"

digest := "sha256:0000000000000000000000000000000000000000000000000000000000000000"

now := time.parse_rfc3339_ns("2026-11-22T12:00:00Z")

running := {"object": {"spec": {"containers": [{"name": "app", "image": image}]}}}

findings_of(fact, parameters) := result if {
	result := age.deny with input as {
		"review": running,
		"facts": {"images": {image: object.union({"digest": digest}, fact)}},
		"parameters": parameters,
	}
		with time.now_ns as now
}

old(days, msg) := {
	"rule": "old-image",
	"path": "/spec/containers/0/image",
	"found": image,
	"expected": sprintf("built in the last %v days", [days]),
	"msg": msg,
}

test_an_image_of_last_month_is_allowed if {
	findings_of({"created": "2026-10-22T12:00:00Z"}, {}) == set()
	findings_of({"created": "2026-08-24T12:00:00Z"}, {}) == set()
}

test_an_old_image_is_denied if {
	expected := {old(90, "it was built at 2026-08-24T11:59:59Z")}
	findings_of({"created": "2026-08-24T11:59:59Z"}, {}) == expected
	findings_of({"created": "2026-08-24T11:59:59Z"}, {"maxAgeDays": 91}) == set()
}

test_provenance_says_it_before_the_image_does if {
	recent := {"created": "2026-11-01T00:00:00Z", "provenance": [{"finishedAt": "2026-01-01T00:00:00Z"}]}
	findings_of(recent, {}) == {old(90, "it was built at 2026-01-01T00:00:00Z")}
	repeatable := {"created": "1970-01-01T00:00:00Z", "provenance": [
		{"finishedAt": "2026-11-01T00:00:00Z"},
		{"finishedAt": "2026-01-01T00:00:00Z"},
		{"finishedAt": null},
	]}
	findings_of(repeatable, {}) == set()
}

test_an_image_without_a_time_is_denied if {
	every fact in [{}, {"created": null}, {"created": "1970-01-01T00:00:00Z"}, {"provenance": [{"finishedAt": 1}]}] {
		findings_of(fact, {}) == {old(90, "nothing says when it was built")}
	}
	age.deny == {old(90, "nothing is known of it")} with input as {"review": running}
}
