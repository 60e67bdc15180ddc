# METADATA
# scope: package
# title: Resource quantities
# description: |-
#   Reads Kubernetes quantities (`250m`, `1.5Gi`, `128974848000m`, `1e3`) so that two of them can be compared
#   exactly, whatever way each is written. The grammar is that of
#   k8s.io/apimachinery/pkg/api/resource.Quantity; negative quantities, which no resource may have, are not
#   read. OPA's units.parse is not used: it lacks `n`, `u` and the exponent form.
package lib.quantity

# The quantity in thousandths of its base unit (millicores of a cpu, thousandths of a byte), rounded up, as
# Kubernetes rounds. Undefined for what is not a quantity.
#
# It computes with whole numbers and divides once, so that no decimal fraction is ever added up.
milli(quantity) := ceil(((digits * scale.times) * 1000) / (powers[count(parts[2])] * scale.over)) if {
	text := as_text(quantity)
	parts := regex.find_all_string_submatch_n(grammar, text, 1)[0]
	written := concat("", [parts[1], parts[2]])
	written != ""
	digits := whole_number(written)
	scale := scale_of(parts[3])
}

# True when the quantity can be read and is more than nothing.
positive(quantity) if milli(quantity) > 0

# True when both can be read and the first is larger.
exceeds(quantity, bound) if milli(quantity) > milli(bound)

# True when the quantity can be read.
readable(quantity) if milli(quantity) >= 0

grammar := `^\+?([0-9]*)(?:\.([0-9]*))?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]{1,2})?$`

# YAML lets people write `cpu: 0.5`; the API server reads the number as the same text.
as_text(quantity) := quantity if is_string(quantity)

as_text(quantity) := sprintf("%v", [quantity]) if is_number(quantity)

# Leading zeros are not a number in JSON, hence not for every evaluator.
whole_number(text) := to_number(trimmed) if {
	trimmed := trim_left(text, "0")
	trimmed != ""
} else := 0

scale_of(suffix) := suffixes[suffix]

scale_of(suffix) := {"times": powers[exponent], "over": 1} if {
	regex.match(`^[eE]\+?[0-9]+$`, suffix)
	exponent := whole_number(trim_left(suffix, "eE+"))
}

scale_of(suffix) := {"times": 1, "over": powers[exponent]} if {
	regex.match(`^[eE]-[0-9]+$`, suffix)
	exponent := whole_number(trim_left(suffix, "eE-"))
}

# Indexed by the exponent; more decimals than the last are not read.
powers := [
	1,
	10,
	100,
	1000,
	10000,
	100000,
	1000000,
	10000000,
	100000000,
	1000000000,
	10000000000,
	100000000000,
	1000000000000,
	10000000000000,
	100000000000000,
	1000000000000000,
	10000000000000000,
	100000000000000000,
	1000000000000000000,
]

suffixes := {
	"n": {"times": 1, "over": 1000000000},
	"u": {"times": 1, "over": 1000000},
	"m": {"times": 1, "over": 1000},
	"": {"times": 1, "over": 1},
	"k": {"times": 1000, "over": 1},
	"M": {"times": 1000000, "over": 1},
	"G": {"times": 1000000000, "over": 1},
	"T": {"times": 1000000000000, "over": 1},
	"P": {"times": 1000000000000000, "over": 1},
	"E": {"times": 1000000000000000000, "over": 1},
	"Ki": {"times": 1024, "over": 1},
	"Mi": {"times": 1048576, "over": 1},
	"Gi": {"times": 1073741824, "over": 1},
	"Ti": {"times": 1099511627776, "over": 1},
	"Pi": {"times": 1125899906842624, "over": 1},
	"Ei": {"times": 1152921504606846976, "over": 1},
}
