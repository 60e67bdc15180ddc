# METADATA
# scope: package
# title: Reading fields that may be absent
# description: |-
#   Kubernetes objects leave out what is not set, and a file on a laptop may say `securityContext:` with
#   nothing behind it (null). These functions read both as "not there", so that a rule never becomes
#   undefined half-way through a list of containers.
package lib.fields

# The object under `key`, or an empty object where it is absent, null or of another type.
object_at(parent, key) := value if {
	value := parent[key]
	is_object(value)
} else := {}

# The list under `key`, or an empty list where it is absent, null or of another type.
list_at(parent, key) := value if {
	value := parent[key]
	is_array(value)
} else := []

# True when `key` is there and is not null.
present(parent, key) if {
	value := parent[key]
	not is_null(value)
}

# What a finding says it found: {"found": value}, or {} where the field is absent, so that the finding reads
# "is absent". To be merged into the finding with object.union.
seen(parent, key) := {"found": value} if {
	value := parent[key]
	not is_null(value)
} else := {}
