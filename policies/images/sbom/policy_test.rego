package images.sbom_test

import data.images.sbom

image := "registry.example/team/app:1"

digest := "sha256:0000000000000000000000000000000000000000000000000000000000000000"

running := {"object": {"spec": {"containers": [{"name": "app", "image": image}]}}}

about(fact) := {"review": running, "facts": {"images": {image: object.union({"digest": digest}, fact)}}}

finding(formats, msg) := {
	"rule": "no-sbom",
	"path": "/spec/containers/0/image",
	"found": image,
	"expected": sprintf("a signed list of its packages (%s)", [formats]),
	"msg": msg,
}

both := "cyclonedx or spdx"

test_a_list_of_either_format_will_do if {
	every format in ["cyclonedx", "spdx"] {
		sbom.deny == set() with input as about({"sboms": [{"format": format, "components": 1}]})
	}
}

test_formats_are_a_parameter if {
	fact := {"sboms": [{"format": "spdx", "components": 1}]}
	expected := {finding("cyclonedx", "its list is empty or of another format")}
	sbom.deny == expected with input as about(fact) with input.parameters as {"formats": ["cyclonedx"]}
}

test_an_empty_list_is_none if {
	expected := {finding(both, "its list is empty or of another format")}
	sbom.deny == expected with input as about({"sboms": [{"format": "spdx", "components": 0}]})
	sbom.deny == expected with input as about({"sboms": [{"format": "spdx"}]})
}

test_an_image_without_a_list_is_denied if {
	sbom.deny == {finding(both, "it has none")} with input as about({})
	sbom.deny == {finding(both, "nothing is known of it")} with input as {"review": running}
}
