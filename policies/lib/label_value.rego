# METADATA
# scope: package
# title: Valid label values
# description: |-
#   What Kubernetes accepts as the value of a label: at most 63 characters of letters, digits, `-`, `_` and
#   `.`, beginning and ending with a letter or digit. The empty value, which Kubernetes accepts as well, says
#   nothing and is not a value here.
package lib.label_value

valid(value) if {
	is_string(value)
	regex.match(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$`, value)
}
