# METADATA
# scope: package
# title: Image references
# description: |-
#   Takes an image reference apart as the kubelet and containerd do. The grammar is that of
#   github.com/distribution/reference (regexp.go), the rule of what is a registry and what is Docker Hub
#   (`nginx` is `docker.io/library/nginx`) that of its normalize.go. What does not parse has no meaning to a
#   node either, and is undefined here.
package lib.image_reference

# {"registry", "repository", "tag", "digest", "name"}: tag and digest are "" where none is given; `name` is
# the text as written without tag and digest, e.g. `my-registry/my-app`.
#
#   my-registry/my-app:latest    docker.io       my-registry/my-app    latest
#   localhost:5000/app           localhost:5000  app
#   ghcr.io/team/app@sha256:...  ghcr.io         team/app              "" and sha256:...
parse(text) := {
	"registry": place.registry,
	"repository": parts[1],
	"tag": parts[2],
	"digest": parts[3],
	"name": trim_suffix(text, trim_prefix(parts[0], parts[1])),
} if {
	is_string(text)
	not is_identifier(text)
	place := located(text)
	regex.match(registry_grammar, place.registry)
	parts := regex.find_all_string_submatch_n(remainder_grammar, place.remainder, 1)[0]
	count(parts[1]) <= 255
	acceptable_digest(parts[3])
}

# Splits off the registry: the first component if it looks like a host, else Docker Hub.
located(text) := {"registry": "docker.io", "remainder": official(remainder(text))} if {
	hub(first_component(text))
} else := {"registry": first_component(text), "remainder": remainder(text)} if {
	host(first_component(text))
} else := {"registry": "docker.io", "remainder": official(text)}

# Undefined where the text has no slash: then it is a name on Docker Hub, even with a dot or a colon in it.
first_component(text) := split(text, "/")[0] if contains(text, "/")

remainder(text) := substring(text, indexof(text, "/") + 1, -1)

hub(component) if component in {"docker.io", "index.docker.io"}

host(component) if component == "localhost"

host(component) if contains(component, ".")

host(component) if contains(component, ":")

# Repositories are lower case, so a capital letter makes it a host.
host(component) if lower(component) != component

official(path) := path if {
	contains(path, "/")
} else := concat("", ["library/", path])

# 64 hexadecimal digits are an image's identifier, which no registry can be asked for.
is_identifier(text) if regex.match(`^[a-f0-9]{64}$`, text)

acceptable_digest(digest) if digest == ""

acceptable_digest(digest) if {
	regex.match(`^(sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$`, digest)
}

registry_grammar := concat("", ["^(", domain, `|\[[a-fA-F0-9:]+\])(:[0-9]+)?$`])

domain := concat("", [label, `(\.`, label, ")*"])

label := "([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"

remainder_grammar := concat("", [
	"^(",
	component_grammar,
	"(?:/",
	component_grammar,
	")*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@([A-Za-z0-9_+.-]+:[a-fA-F0-9]+))?$",
])

component_grammar := "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
