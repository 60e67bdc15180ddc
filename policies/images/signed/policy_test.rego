package images.signed_test

import data.images.signed

image := "registry.example/team/app:1"

digest := "sha256:0000000000000000000000000000000000000000000000000000000000000000"

running := {"object": {"spec": {"containers": [{"name": "app", "image": image}]}}}

about(fact) := {"review": running, "facts": {"images": {image: object.union({"digest": digest, "rejected": []}, fact)}}}

wants(name, satisfied) := {"name": name, "signers": 1, "logs": 0, "required": 2, "satisfied": satisfied}

finding(rule, expected, msg) := {
	"rule": rule,
	"path": "/spec/containers/0/image",
	"found": image,
	"expected": expected,
	"msg": msg,
}

without_authority := finding(
	"no-authority",
	"an image of a repository for which an ImageAuthority says who signs",
	"no ImageAuthority speaks of its repository",
)

test_enough_have_signed if {
	signed.deny == set() with input as about({"authorities": [wants("release", true)]})
}

test_too_few_have_signed if {
	rejected := [{"message": sprintf("reason %d", [number])} | some number in numbers.range(1, 4)]
	msg := "1 of 2 that `release` wants have signed; reason 1; reason 2; reason 3"
	expected := {finding("not-signed", "signed for `release`", msg)}
	signed.deny == expected with input as about({"authorities": [wants("release", false)], "rejected": rejected})
}

test_each_that_speaks_of_it_must_be_satisfied if {
	all := [wants("release", true), wants("security", false), wants("legal", false)]
	msg := "1 of 2 that `security` wants have signed; 1 of 2 that `legal` wants have signed"
	expected := {finding("not-signed", "signed for `legal` and `security`", msg)}
	signed.deny == expected with input as about({"authorities": all})
}

test_what_does_not_say_that_it_is_satisfied_is_not if {
	count(signed.deny) == 1 with input as about({"authorities": [{"name": "release"}]})
}

test_an_image_without_an_authority_is_denied if {
	signed.deny == {without_authority} with input as about({"authorities": []})
	signed.warn == set() with input as about({"authorities": []})
}

test_an_image_of_a_registry_that_is_not_asked_is_one_without_an_authority if {
	case := {"review": running, "facts": {"images": {image: {"ref": image, "unasked": true, "authorities": []}}}}
	signed.deny == {without_authority} with input as case
	signed.deny == set() with input as case with input.parameters as {"unmatched": "allow"}
}

test_what_does_not_say_that_nobody_speaks_of_it_is_denied if {
	case := {"review": running, "facts": {"images": {image: {"unasked": true}}}}
	msg := "its registry is not asked, as no ImageAuthority names it"
	expected := {finding("not-signed", "signed for its ImageAuthority", msg)}
	signed.deny == expected with input as case with input.parameters as {"unmatched": "allow"}
	asked := {"review": running, "facts": {"images": {image: {"unasked": false, "authorities": []}}}}
	{one.rule | some one in signed.deny} == {"not-signed"} with input as asked
}

test_an_image_without_an_authority_may_be_warned_of if {
	parameters := {"unmatched": "warn"}
	signed.deny == set() with input as about({"authorities": []}) with input.parameters as parameters
	signed.warn == {without_authority} with input as about({"authorities": []}) with input.parameters as parameters
}

test_an_image_without_an_authority_may_pass if {
	parameters := {"unmatched": "allow"}
	signed.deny == set() with input as about({"authorities": []}) with input.parameters as parameters
	signed.warn == set() with input as about({"authorities": []}) with input.parameters as parameters
}

test_an_image_of_which_nothing_is_known_is_denied if {
	expected := {finding("not-signed", "signed for its ImageAuthority", "nothing is known of it")}
	signed.deny == expected with input as {"review": running}
}

test_no_parameter_helps_an_image_of_which_nothing_is_known if {
	every unmatched in ["deny", "warn", "allow"] {
		every facts in [{}, {"images": {image: {}}}, {"images": {image: {"authorities": []}}}] {
			{one.rule | some one in signed.deny} == {"not-signed"} with input as {
				"review": running,
				"parameters": {"unmatched": unmatched},
				"facts": facts,
			}
		}
	}
}

test_an_image_that_is_absent_or_out_of_reach_is_denied if {
	satisfied := [wants("release", true)]
	absent := finding("not-signed", "signed for its ImageAuthority", "its registry has no such image")
	signed.deny == {absent} with input as about({"absent": true, "authorities": satisfied})
	away := finding("not-signed", "signed for its ImageAuthority", "its registry could not be asked: it is away")
	signed.deny == {away} with input as about({"unavailable": "it is away", "authorities": satisfied})
}

test_a_fact_without_a_list_of_authorities_is_denied if {
	expected := {finding("not-signed", "signed for its ImageAuthority", "")}
	signed.deny == expected with input as about({})
	signed.deny == expected with input as about({"authorities": {}})
}

pinning(fact, more) := object.union_n([about(fact), {"parameters": {"pin": true}}, more])

signed_image := {"authorities": [wants("release", true)]}

pinned := sprintf("%s@%s", [image, digest])

test_what_was_verified_is_pinned_if_asked_for if {
	expected := {{"path": "/spec/containers/0/image", "value": pinned}}
	signed.overrides == expected with input as pinning(signed_image, {})
	signed.overrides == set() with input as about(signed_image)
	signed.overrides == set() with input as pinning(signed_image, {"parameters": {"pin": false}})
	signed.warn == set() with input as pinning(signed_image, {})
}

test_what_was_not_verified_is_not_pinned if {
	every fact in [{"authorities": []}, {"authorities": [wants("release", false)]}, {}] {
		signed.overrides == set() with input as pinning(fact, {"parameters": {"pin": true, "unmatched": "allow"}})
	}
}

test_a_digest_is_left_as_it_is if {
	review := {"object": {"spec": {"containers": [{"name": "app", "image": pinned}]}}}
	facts := {"images": {pinned: object.union(signed_image, {"digest": digest})}}
	case := {"review": review, "facts": facts, "parameters": {"pin": true}}
	signed.overrides == set() with input as case
	signed.warn == set() with input as object.union(case, {"owner": {"kind": "Deployment"}})
}

test_what_runs_stays_as_it_is if {
	every before in [
		{"containers": [{"name": "app", "image": image}]},
		{"initContainers": [{"name": "app", "image": image}]},
		{"ephemeralContainers": [{"name": "app", "image": image}]},
		{"volumes": [{"name": "data"}, {"name": "app", "image": {"reference": image}}]},
	] {
		signed.overrides == set() with input as pinning(signed_image, {"review": {"oldObject": {"spec": before}}})
	}
	other := {"review": {"oldObject": {"spec": {"containers": [{"name": "app", "image": "other:1"}]}}}}
	count(signed.overrides) == 1 with input as pinning(signed_image, other)
	count(signed.overrides) == 1 with input as pinning(signed_image, {"review": {"oldObject": null}})
}

test_a_workload_is_warned_of_a_tag if {
	expected := {finding(
		"not-pinned",
		sprintf("`%s`", [pinned]),
		"its tag may be another image by the time that a Pod is made of it",
	)}
	signed.warn == expected with input as pinning(signed_image, {"owner": {"kind": "Deployment"}})
	signed.overrides == set() with input as pinning(signed_image, {"owner": {"kind": "Deployment"}})
	signed.warn == set() with input as object.union(about(signed_image), {"owner": {"kind": "Deployment"}})
}
