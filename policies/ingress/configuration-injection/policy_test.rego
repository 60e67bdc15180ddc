package ingress.configuration_injection_test

import data.ingress.configuration_injection

annotated(annotations) := {"review": {
	"kind": {"kind": "Ingress"},
	"object": {"metadata": {"annotations": annotations}, "spec": {}},
}}

with_path(path, type) := {"review": {
	"kind": {"kind": "Ingress"},
	"object": {"spec": {"rules": [{}, {"http": {"paths": [{"path": path, "pathType": type}]}}]}},
}}

at_annotation(rule, path, value, expected) := {
	"rule": rule,
	"path": concat("", ["/metadata/annotations/", path]),
	"found": value,
	"expected": expected,
}

at_path(path, expected) := {
	"rule": "path",
	"path": "/spec/rules/1/http/paths/0/path",
	"found": path,
	"expected": expected,
}

unset := "unset; snippets are written into the controller's configuration as they are"

breaks := "without `;`, braces and line breaks"

test_snippets_of_every_controller_are_denied if {
	names := {
		"nginx.ingress.kubernetes.io/configuration-snippet": "nginx.ingress.kubernetes.io~1configuration-snippet",
		"nginx.org/server-snippets": "nginx.org~1server-snippets",
		"example.com/my-snippet": "example.com~1my-snippet",
	}
	every name, path in names {
		expected := {at_annotation("snippet", path, "x;", unset)}
		configuration_injection.deny == expected with input as annotated({name: "x;"})
	}
}

test_names_that_only_hold_the_word_are_no_snippets if {
	harmless := {"nginx.ingress.kubernetes.io/snippet-docs": "yes", "example.com/snippet": "yes"}
	configuration_injection.deny == set() with input as annotated(harmless)
}

test_values_that_end_a_directive_are_denied if {
	every value in ["alias; ", "  root ;", "a {", "}", "a\nb", "a\rb"] {
		configuration_injection.deny == {at_annotation(
			"annotation-value",
			"nginx.org~1bad", value, breaks,
		)} with input as annotated({"nginx.org/bad": value})
	}
}

test_annotations_of_every_controller_are_judged if {
	every prefix in ["nginx.ingress.kubernetes.io", "nginx.org", "nginx.com"] {
		configuration_injection.deny == {at_annotation(
			"annotation-value",
			concat("~1", [prefix, "bad"]),
			"a;", breaks,
		)} with input as annotated({concat("/", [prefix, "bad"]): "a;"})
	}
}

test_words_in_values_are_denied_in_any_case if {
	every value, word in {
		"/etc/passwd": "/etc",
		"/var/run/secrets": "/var/run",
		"*! _BY_LUA 8010": "_by_lua",
		"/root": "/root",
		"/proc/self": "/proc",
		"serviceAccount": "serviceaccount",
		"load_module x": "load_module",
		"lua_package_path": "lua_package",
		"proxy_pass x": "proxy_pass",
	} {
		configuration_injection.deny == {at_annotation(
			"annotation-value",
			"nginx.com~1bad", value, sprintf("without `%s`", [word]),
		)} with input as annotated({"nginx.com/bad": value})
	}
}

test_usual_values_are_allowed if {
	usual := {
		"nginx.ingress.kubernetes.io/rewrite-target": "/$2",
		"nginx.ingress.kubernetes.io/proxy-body-size": "8m",
		"nginx.ingress.kubernetes.io/whitelist-source-range": "10.0.0.0/8,192.0.2.0/24",
		"nginx.ingress.kubernetes.io/auth-url": "https://auth.example.com/check?rd=$escaped_request_uri",
	}
	configuration_injection.deny == set() with input as annotated(usual)
}

test_annotations_that_controllers_do_not_read_are_not_judged if {
	configuration_injection.deny == set() with input as annotated({"kubectl.kubernetes.io/last-applied": "{;}"})
	configuration_injection.deny == set() with input as annotated(null)
	configuration_injection.deny == set() with input.review.object as {}
}

test_prefixes_and_words_are_parameters if {
	result := configuration_injection.deny with input as annotated({
		"haproxy.org/x": "/etc/passwd mirror",
		"nginx.org/x": ";",
	})
		with input.parameters.prefixes as ["haproxy.org/"]
		with input.parameters.words as ["Mirror"]
	result == {at_annotation("annotation-value", "haproxy.org~1x", "/etc/passwd mirror", "without `Mirror`")}
}

test_words_are_looked_for_in_the_value_alone if {
	every type in ["string", "extra"] {
		result := configuration_injection.deny with input as annotated({"nginx.org/x": "mirror"})
			with input.parameters.words as [type]
		result == set()
	}
}

plain := "without characters other than letters, digits and `/._~%!&=@:+,-`"

test_paths_hold_plain_characters_only if {
	every path in ["/a;b", "/a{2}", "/a b", "/a\"", "/a\n", "/(.*)", "/$1", "/a#b"] {
		every type in ["Prefix", "Exact", null] {
			configuration_injection.deny == {at_path(path, plain)} with input as with_path(path, type)
		}
	}
	every path in ["/", "/shop/v1.2/~me/a_b-c", "/a%20b,c+d:e!f&g=h@i"] {
		configuration_injection.deny == set() with input as with_path(path, "Prefix")
	}
}

test_regular_expressions_are_paths_of_their_own_type if {
	type := "ImplementationSpecific"
	every path in ["/api(/|$)(.*)", "/v[0-9]+/.*"] {
		configuration_injection.deny == set() with input as with_path(path, type)
		configuration_injection.deny == {at_path(path, plain)} with input as with_path(path, type)
			with input.parameters.regularExpressions as false
	}
	every path in ["/a;", "/a{2}", "/a}", "/a\"", "/a'", "/a#", "/a b", "/a\nb"] {
		configuration_injection.deny == {at_path(
			path,
			"without `;`, braces, quotes, `#` and white space",
		)} with input as with_path(path, type)
	}
}

test_places_worth_reading_are_no_paths if {
	every path, word in {
		"/root": "/root",
		"/var/run/secrets": "/var/run",
		"/ETC/config": "/etc",
	} {
		configuration_injection.deny == {at_path(
			path,
			sprintf("without `%s`", [word]),
		)} with input as with_path(path, "Prefix")
	}
}

test_places_are_told_by_their_whole_name if {
	every path in ["/etcetera", "/process", "/roots", "/var/running", "/etc-2", "/etc_2", "/proc1", "etc"] {
		type := "ImplementationSpecific"
		configuration_injection.deny == set() with input as with_path(path, type)
	}
	every path in ["/etc", "/x/etc/y", "/etcetera/etc", "/etc.d"] {
		configuration_injection.deny == {at_path(path, "without `/etc`")} with input as with_path(path, "Exact")
	}
}

test_other_words_count_wherever_they_stand if {
	path := "/myserviceaccounts"
	configuration_injection.deny == {at_path(
		path,
		"without `serviceaccount`",
	)} with input as with_path(path, "Exact")
}

test_an_absent_path_is_allowed if {
	configuration_injection.deny == set() with input as with_path(null, "Prefix")
	configuration_injection.deny == set() with input.review.object.spec as {"rules": [{"http": {"paths": [{}]}}]}
}

test_a_configmap_does_not_turn_snippets_on if {
	every value in ["true", "yes", true] {
		configuration_injection.deny == {{
			"rule": "snippets-allowed",
			"path": "/data/allow-snippet-annotations",
			"found": value,
			"expected": "\"false\"",
		}} with input.review as {
			"kind": {"kind": "ConfigMap"},
			"object": {"data": {"allow-snippet-annotations": value}},
		}
	}
}

test_other_configmaps_and_kinds_are_allowed if {
	every data_ in [{"allow-snippet-annotations": "false"}, {"a": "b"}, null] {
		configuration_injection.deny == set() with input.review as {
			"kind": {"kind": "ConfigMap"},
			"object": {"data": data_},
		}
	}
	configuration_injection.deny == set() with input.review as {
		"kind": {"kind": "Other"},
		"object": {"data": {"allow-snippet-annotations": "true"}},
	}
}
