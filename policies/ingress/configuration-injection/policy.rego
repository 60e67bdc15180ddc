# METADATA
# scope: package
# title: No configuration smuggled into the controller
# description: |-
#   Controllers built on nginx write parts of an Ingress into their configuration: snippet annotations as
#   they are (CVE-2021-25742), values of other annotations (CVE-2021-25746) and paths (CVE-2021-25745) where
#   a `;`, a brace or a line break ends one directive and begins the next. Whoever may write an Ingress then
#   reads the controller's files, and with its token every Secret of the cluster. Snippets are refused, as
#   are annotation values and paths with such characters or with the places that are worth reading; and
#   the controller's own ConfigMap does not turn snippets on.
# custom:
#   severity: critical
#   category: ingress
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [configmaps], operations: [CREATE, UPDATE]}
#       - {apiGroups: [networking.k8s.io], resources: [ingresses], operations: [CREATE, UPDATE]}
#   controls: [T1552]
#   peers:
#     - kyverno/disallow-ingress-nginx-custom-snippets
#     - kyverno/restrict-annotations
#     - kyverno/restrict-ingress-paths
#   remedy: Say it by a setting of the controller that is no snippet, and write paths in plain characters.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       prefixes:
#         description: Beginnings of the names of annotations that the controllers read.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: [nginx.ingress.kubernetes.io/, nginx.org/, nginx.com/]
#       words:
#         description: >-
#           Texts that may stand neither in the value of such an annotation nor in a path. One that begins
#           with `/` is a place, and stands there where its whole name does.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default:
#           - _by_lua
#           - load_module
#           - lua_package
#           - proxy_pass
#           - serviceaccount
#           - /etc
#           - /proc
#           - /root
#           - /var/run
#       regularExpressions:
#         description: Let paths of type ImplementationSpecific hold the characters of regular expressions.
#         type: boolean
#         default: true
#   facts: []
#   needs: []
#   sensitive: false
package ingress.configuration_injection

import data.lib.fields
import data.lib.pointer

deny contains finding if {
	some name, value in annotations
	snippet(name)
	finding := {
		"rule": "snippet",
		"path": concat("", ["/metadata/annotations/", pointer.segment(name)]),
		"found": value,
		"expected": "unset; snippets are written into the controller's configuration as they are",
	}
}

deny contains finding if {
	some name, value in annotations
	read_by_controllers(name)
	not snippet(name)
	some problem in problems_of_value(value)
	finding := {
		"rule": "annotation-value",
		"path": concat("", ["/metadata/annotations/", pointer.segment(name)]),
		"found": value,
		"expected": sprintf("without %s", [problem]),
	}
}

deny contains object.union(finding, fields.seen(entry, "path")) if {
	some index, rule in fields.list_at(spec, "rules")
	some number, entry in fields.list_at(fields.object_at(rule, "http"), "paths")
	some problem in problems_of_path(entry)
	finding := {
		"rule": "path",
		"path": sprintf("/spec/rules/%d/http/paths/%d/path", [index, number]),
		"expected": sprintf("without %s", [problem]),
	}
}

deny contains finding if {
	input.review.kind.kind == "ConfigMap"
	value := input.review.object.data["allow-snippet-annotations"]
	value != "false"
	finding := {
		"rule": "snippets-allowed",
		"path": "/data/allow-snippet-annotations",
		"found": value,
		"expected": "\"false\"",
	}
}

snippet(name) if regex.match(`-snippets?$`, name)

read_by_controllers(name) if {
	some prefix in prefixes
	startswith(name, prefix)
}

# A value goes on in the next directive where one of these stands.
problems_of_value(value) := characters(value, `[;{}\r\n]`, "`;`, braces and line breaks") | words_in(value)

problems_of_path(entry) := characters(path, refused.pattern, refused.words) | words_in(path) if {
	path := entry.path
	refused := refused_in_path(entry)
}

# nginx quotes a path that is a regular expression: a quote would end it.
refused_in_path(entry) := {
	"pattern": `[;{}"'# \t\r\n\f\v]`,
	"words": "`;`, braces, quotes, `#` and white space",
} if {
	entry.pathType == "ImplementationSpecific"
	regular_expressions == true
} else := {
	"pattern": `[^A-Za-z0-9/._~%!&=@:+,-]`,
	"words": "characters other than letters, digits and `/._~%!&=@:+,-`",
}

characters(text, pattern, shown) := {shown} if {
	regex.match(pattern, sprintf("%v", [text]))
} else := set()

words_in(text) := {sprintf("`%s`", [word]) |
	some word in words
	holds(lower(sprintf("%v", [text])), lower(word))
}

holds(text, word) if {
	not startswith(word, "/")
	contains(text, word)
}

# A place ends where its name does: `/etc` is in `/etc/passwd`, not in `/etcetera`.
holds(text, word) if {
	some index, rest in split(text, word)
	index > 0
	not regex.match(`^[a-z0-9_-]`, rest)
}

spec := fields.object_at(input.review.object, "spec")

annotations := fields.object_at(fields.object_at(input.review.object, "metadata"), "annotations")

prefixes := object.get(
	input,
	["parameters", "prefixes"],
	["nginx.ingress.kubernetes.io/", "nginx.org/", "nginx.com/"],
)

words := object.get(
	input,
	["parameters", "words"],
	[
		"_by_lua", "load_module", "lua_package", "proxy_pass", "serviceaccount",
		"/etc", "/proc", "/root", "/var/run",
	],
)

regular_expressions := object.get(input, ["parameters", "regularExpressions"], true)
