package images.provenance_test

import data.images.provenance

image := "registry.example/team/app:1"

digest := "sha256:0000000000000000000000000000000000000000000000000000000000000000"

running := {"object": {"spec": {"containers": [{"name": "app", "image": image}]}}}

parameters := {
	"builders": ["https://ci.example/builder", "https://github.com/team/builds/release.yml@"],
	"sources": ["https://git.example/team/", "https://git.example/other/app"],
}

about(statements) := {
	"review": running,
	"parameters": parameters,
	"facts": {"images": {image: {"digest": digest, "provenance": statements}}},
}

built(builder, source) := {"builder": builder, "source": {"uri": source}}

finding(msg) := {
	"rule": "built-elsewhere",
	"path": "/spec/containers/0/image",
	"found": image,
	"expected": concat(" from ", [
		"built by https://ci.example/builder or https://github.com/team/builds/release.yml@",
		"https://git.example/team/ or https://git.example/other/app",
	]),
	"msg": msg,
}

test_allowed_builders_and_sources if {
	every builder in ["https://ci.example/builder", "https://github.com/team/builds/release.yml@refs/tags/v1"] {
		every source in ["https://git.example/team/app", "https://git.example/other/app"] {
			provenance.deny == set() with input as about([built(builder, source)])
		}
	}
}

test_lookalikes_are_denied if {
	every pair in [
		["https://ci.example/builder2", "https://git.example/team/app"],
		["https://ci.example/builder", "https://git.example/team-evil/app"],
		["https://ci.example/builder", "https://git.example/other/app2"],
		["https://github.com/team/builds/release.yml.evil@refs/tags/v1", "https://git.example/team/app"],
		["https://evil.example/?https://ci.example/builder", "https://git.example/team/app"],
	] {
		msg := sprintf("it was built by %s from %s", pair)
		provenance.deny == {finding(msg)} with input as about([built(pair[0], pair[1])])
	}
}

test_one_statement_must_name_both if {
	expected := {finding(concat("; ", [
		"it was built by https://ci.example/builder from https://evil.example/app",
		"it was built by https://evil.example from https://git.example/team/app",
	]))}
	provenance.deny == expected with input as about([
		built("https://evil.example", "https://git.example/team/app"),
		built("https://ci.example/builder", "https://evil.example/app"),
	])
}

test_what_is_not_named_is_not_allowed if {
	msg := "it was built by an unnamed builder from an unnamed source"
	provenance.deny == {finding(msg)} with input as about([{}])
}

test_an_image_without_provenance_is_denied if {
	provenance.deny == {finding("nobody who is trusted says how it was built")} with input as about([])
	unknown := {finding("nothing is known of it")}
	provenance.deny == unknown with input as {"review": running, "parameters": parameters}
}

test_without_parameters_nothing_is_allowed if {
	count(provenance.deny) == 1 with input as object.remove(
		about([built("https://ci.example/builder", "https://git.example/team/app")]),
		["parameters"],
	)
}
