package lib.image_facts_test

import data.lib.image_facts

pod(image) := {"object": {"spec": {"containers": [{"name": "app", "image": image}]}}}

test_each_image_has_what_is_known_of_it if {
	known := {"ref": "my-app:1", "digest": "sha256:1"}
	image_facts.all == {{
		"path": "/spec/containers/0/image",
		"seen": {"found": "my-app:1"},
		"fact": known,
	}} with input as {"review": pod("my-app:1"), "facts": {"images": {"my-app:1": known}}}
}

test_an_image_of_which_nothing_is_known_is_there_too if {
	expected := {{"path": "/spec/containers/0/image", "seen": {"found": "my-app:1"}, "fact": {}}}
	image_facts.all == expected with input as {"review": pod("my-app:1")}
	image_facts.all == expected with input as {"review": pod("my-app:1"), "facts": {"images": {"my-app:1": null}}}
}

test_a_container_without_an_image_has_no_fact if {
	review := {"object": {"spec": {"containers": [{"name": "app"}]}}}
	image_facts.all == {{"path": "/spec/containers/0/image", "seen": {}, "fact": {}}} with input as {
		"review": review,
		"facts": {"images": {"my-app:1": {"digest": "sha256:1"}}},
	}
}

test_why_nothing_is_known if {
	image_facts.nothing_known({}) == "nothing is known of it"
	image_facts.nothing_known({"absent": true, "digest": "sha256:1"}) == "its registry has no such image"
	image_facts.nothing_known({"unavailable": true}) == "nothing is known of it"
	image_facts.nothing_known({"unavailable": "it is away"}) == "its registry could not be asked: it is away"
	image_facts.nothing_known({"invalid": "it names no image", "unasked": true}) == "it names no image"
	image_facts.nothing_known({"invalid": true}) == "nothing is known of it"
	unasked := "its registry is not asked, as no ImageAuthority names it"
	image_facts.nothing_known({"unasked": true, "digest": "sha256:1"}) == unasked
	image_facts.nothing_known({"unasked": false}) == "nothing is known of it"
	not image_facts.nothing_known({"digest": "sha256:1"})
}

test_lists_that_are_none_are_empty if {
	image_facts.list({"scans": [1]}, "scans") == [1]
	image_facts.list({"scans": {"0": 1}}, "scans") == []
	image_facts.list({}, "scans") == []
}

test_days_are_counted_from_now if {
	now := time.parse_rfc3339_ns("2026-11-22T12:00:00Z")
	image_facts.within_days("2026-11-15T12:00:00Z", 7) with time.now_ns as now
	not image_facts.within_days("2026-11-15T11:59:59.9999999Z", 7) with time.now_ns as now
	image_facts.within_days("2026-11-22T12:05:00Z", 7) with time.now_ns as now
	not image_facts.within_days("2026-11-22T12:05:00.0000001Z", 7) with time.now_ns as now
	not image_facts.within_days(null, 7) with time.now_ns as now
}
