# METADATA
# scope: package
# title: JSON Pointers
# description: |-
#   Builds the JSON Pointers (RFC 6901) of findings and defaults. Keys such as `app.kubernetes.io/name` hold
#   a slash, which a pointer writes as `~1`.
package lib.pointer

# One key, escaped as a pointer's segment. `~` goes first, or the `~` of `~1` would be escaped again.
segment(key) := replace(replace(key, "~", "~0"), "/", "~1")

# The pointer of a label of the object's own metadata.
label(name) := concat("", ["/metadata/labels/", segment(name)])

# The pointer of an annotation of the object's own metadata.
annotation(name) := concat("", ["/metadata/annotations/", segment(name)])

# The pointer of item `index` of the list at `path`.
item(path, index) := sprintf("%s/%d", [path, index])
