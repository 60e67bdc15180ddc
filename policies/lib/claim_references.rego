# METADATA
# scope: package
# title: References to what claims hand back
# description: |-
#   Finds `${claim.output}` in texts, also as `$${claim.output}`, which is how it is written where Flux replaces
#   variables before it applies (https://fluxcd.io, post-build substitution); and reads the short form of an annotation.
#   Other texts with `${…}` are none: a claim has a DNS name, an output a name of small letters, digits and underscores.
package lib.claim_references

# Every reference in a text, as {"text", "claim", "output"}.
in_text(text) := {reference |
	form := `\$?\$\{([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\.([a-z][a-z0-9_]*)\}`
	some found in regex.find_all_string_submatch_n(form, text, -1)
	reference := {"text": found[0], "claim": found[1], "output": found[2]}
}

# The one reference that a text is as a whole; undefined if there is anything beside it.
whole(text) := reference if {
	some reference in in_text(text)
	reference.text == text
}

# The members of a list such as `URL=database.url, QUEUE=queue.uri`, each as {"text"}, and as {"text", "name", "claim",
# "output"} where it is written as it must be.
listed(text) := {entry |
	some item in regex.find_n(`[^\s,]+`, text, -1)
	entry := object.union({"text": item}, parts(item))
}

parts(item) := {"name": found[1], "claim": found[2], "output": found[3]} if {
	form := `^([A-Za-z_][A-Za-z0-9_]*)=([a-z0-9](?:[-a-z0-9]*[a-z0-9])?)\.([a-z][a-z0-9_]*)$`
	some found in regex.find_all_string_submatch_n(form, item, 1)
} else := {}
