package lib.image_reference_test

import data.lib.image_reference

digest := concat("", ["sha256:", zeros(64)])

zeros(n) := concat("", [digit | some _ in numbers.range(1, n); digit := "0"])

# What `text` is taken for, as [registry, repository, tag].
taken(text) := [reference.registry, reference.repository, reference.tag] if {
	reference := image_reference.parse(text)
	reference.digest == ""
}

test_registry_repository_and_tag_are_told_apart if {
	expected := {
		"nginx": ["docker.io", "library/nginx", ""],
		"nginx:1.27": ["docker.io", "library/nginx", "1.27"],
		"my-registry/my-app:latest": ["docker.io", "my-registry/my-app", "latest"],
		"docker.io/nginx": ["docker.io", "library/nginx", ""],
		"index.docker.io/nginx:1": ["docker.io", "library/nginx", "1"],
		"docker.io/library/nginx:1": ["docker.io", "library/nginx", "1"],
		"localhost/app": ["localhost", "app", ""],
		"localhost:5000/app": ["localhost:5000", "app", ""],
		"localhost:5000/app:v1": ["localhost:5000", "app", "v1"],
		"registry:5000/team/app": ["registry:5000", "team/app", ""],
		"ghcr.io/Team/app": null,
		"GHCR/app:1": ["GHCR", "app", "1"],
		"[2001:db8::1]:5000/app:1": ["[2001:db8::1]:5000", "app", "1"],
		"registry.example.com/a/b/c_d/e__f/g--h:V1_2.3-x": [
			"registry.example.com",
			"a/b/c_d/e__f/g--h",
			"V1_2.3-x",
		],
		"gcr.io:1": ["docker.io", "library/gcr.io", "1"],
	}
	parsed := {text: wanted | some text, wanted in expected; wanted == taken(text)}
	parsed == object.remove(expected, ["ghcr.io/Team/app"])
}

test_a_digest_is_told_from_a_tag if {
	reference := image_reference.parse(concat("@", ["ghcr.io/team/app:1.0", digest]))
	reference == {
		"registry": "ghcr.io",
		"repository": "team/app",
		"tag": "1.0",
		"digest": digest,
		"name": "ghcr.io/team/app",
	}
}

test_the_name_is_the_text_without_tag_and_digest if {
	texts := ["nginx", "nginx:1", concat("@", ["nginx", digest]), concat("@", ["nginx:1", digest])]
	{name | some text in texts; name := image_reference.parse(text).name} == {"nginx"}
	image_reference.parse("localhost:5000/app:app").name == "localhost:5000/app"
}

test_what_is_no_reference_is_undefined if {
	texts := [
		"", " ", "nginx ", " nginx", "my app:1", "Nginx:1.0", "nginx:", "nginx@", "nginx:1:2", "/nginx", "nginx/",
		"a//b", "-nginx", "nginx_", "nginx@sha256:abc", "nginx:-1", "http://nginx", "nginx\n",
		concat("", ["nginx@sha256:", zeros(63)]),
		concat("", ["nginx@md5:", zeros(32)]),
		concat("", ["nginx:", zeros(129)]),
		zeros(64), "ex_ample.com/app", "-bad.example.com/app", "host:port/app", null, 7, {}, [],
	]
	{text | some text in texts; image_reference.parse(text)} == set()
}

test_a_tag_of_128_characters_is_the_longest if image_reference.parse(concat("", ["nginx:", zeros(128)]))

test_longer_digests_are_read if {
	long := concat("", ["sha512:", zeros(128)])
	image_reference.parse(concat("@", ["nginx", long])).digest == long
}

test_a_repository_has_at_most_255_characters if {
	image_reference.parse(concat("", ["ghcr.io/", zeros(255)]))
	not image_reference.parse(concat("", ["ghcr.io/", zeros(256)]))
}

# equivalent:
#   line: 'parts := regex.find_all_string_submatch_n(remainder_grammar, place.remainder, 1)[0]'
#   becomes: 'parts := regex.find_all_string_submatch_n(remainder_grammar, place.remainder, 2)[0]'
#   because: the grammar is anchored at both ends, so there is never a second match
#   shownBy: test_registry_repository_and_tag_are_told_apart
