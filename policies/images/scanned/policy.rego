# METADATA
# scope: package
# title: Images are scanned, lately, and clean enough
# description: |-
#   Each image has a scan that somebody who is trusted signed and that is not too old, and the newest such scan stays
#   under the limits for each severity. What has no fix may be left out, so may single vulnerabilities until a date, and
#   what a trusted OpenVEX statement says does not matter here. A scan whose counts cannot be read is none.
# custom:
#   severity: high
#   category: images
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [NSA-image-scanning, CIS-5.5.1]
#   peers: [kyverno/require-vulnerability-scan, kyverno/verify-image-cve-2022-42889]
#   remedy: >-
#     Rebuild on a base image without these vulnerabilities, or have the image scanned and the result attested
#     (`cosign attest --type vuln`).
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       maxAgeDays:
#         description: How many days ago the scan may have ended.
#         type: number
#         minimum: 0
#         default: 7
#       maximum:
#         description: How many vulnerabilities of each severity there may be; of those not named any number.
#         type: object
#         additionalProperties: false
#         properties:
#           critical: {description: Critical ones., type: integer, minimum: 0}
#           high: {description: High ones., type: integer, minimum: 0}
#           medium: {description: Medium ones., type: integer, minimum: 0}
#           low: {description: Low ones., type: integer, minimum: 0}
#           unknown: {description: Those of which nobody says how bad they are., type: integer, minimum: 0}
#         default: {critical: 0}
#       fixableOnly:
#         description: Count only what a newer version mends.
#         type: boolean
#         default: false
#       ignore:
#         description: Vulnerabilities that do not count, each until a date.
#         type: array
#         default: []
#         items:
#           type: object
#           additionalProperties: false
#           required: [id, until, reason]
#           properties:
#             id: {description: Such as `CVE-2026-0001`., type: string, minLength: 1}
#             until:
#               description: When it counts again, such as `2027-01-31T00:00:00Z`.
#               type: string
#               pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})$'
#             reason: {description: Why it does not matter until then., type: string, minLength: 1}
#       unsigned:
#         description: Whether scans that nobody signed count, such as reports of an operator in the cluster.
#         type: boolean
#         default: false
#   facts: [images]
#   needs: []
#   sensitive: false
package images.scanned

import data.lib.image_facts

deny contains object.union(finding, entry.seen) if {
	some entry in image_facts.all
	not newest(entry.fact)
	finding := {
		"rule": "not-scanned",
		"path": entry.path,
		"expected": sprintf("a scan of the last %v days", [max_age]),
		"msg": why(entry.fact),
	}
}

deny contains object.union(finding, entry.seen) if {
	some entry in image_facts.all
	scan := newest(entry.fact)
	some severity, limit in maximum
	counted := scan.counts[severity] - count(excused(entry.fact, scan, severity))
	counted > limit
	finding := {
		"rule": "vulnerable",
		"path": entry.path,
		"expected": sprintf("at most %v vulnerabilities that are %s", [limit, severity]),
		"msg": sprintf("%v are%s", [counted, named(entry.fact, scan, severity)]),
	}
}

# The scan that ended last, of those that count. Of two that ended together the worse one, by critical ones.
newest(fact) := scan if {
	ends := [time.parse_rfc3339_ns(one.finishedAt) | some one in fresh(fact)]
	last := [one | some one in fresh(fact); time.parse_rfc3339_ns(one.finishedAt) == max(ends)]
	worst := max([one.counts.critical | some one in last])
	scan := [one | some one in last; one.counts.critical == worst][0]
}

fresh(fact) := [scan | some scan in readable(fact); image_facts.within_days(scan.finishedAt, max_age)]

readable(fact) := [scan | some scan in believed(fact); is_object(scan.counts)]

believed(fact) := [scan | some scan in image_facts.list(fact, "scans"); trusted(scan)]

trusted(scan) if scan.signed == true

trusted(_) if input.parameters.unsigned == true

# Members of the scan's list that do not count. What is only in its sums always does.
excused(fact, scan, severity) := [index |
	some index, found in scan.findings
	found.severity == severity
	does_not_count(fact, found)
]

does_not_count(_, found) if {
	input.parameters.fixableOnly == true
	not fixable(found)
}

does_not_count(_, found) if {
	some ignored in object.get(input, ["parameters", "ignore"], [])
	ignored.id == found.id
	time.now_ns() < time.parse_rfc3339_ns(ignored.until) # wayguard:ignore not-repeatable an exception ends at a date
}

does_not_count(fact, found) if {
	some statement in image_facts.list(fact, "vex")
	statement.status in {"not_affected", "fixed"}
	found.id in ({statement.vulnerability} | {alias | some alias in image_facts.list(statement, "aliases")})
}

fixable(found) if is_string(found.fixed)

# The first few by name; a sum alone has none.
named(fact, scan, severity) := sprintf(", such as %s", [concat(", ", few)]) if {
	names := {found.id |
		some found in scan.findings
		found.severity == severity
		not does_not_count(fact, found)
	}
	count(names) > 0
	few := [name | some index, name in sort(names); index < 3]
} else := ""

why(fact) := reason if {
	reason := image_facts.nothing_known(fact)
} else := sprintf("its newest scan ended at %s", [last]) if {
	last := max([scan.finishedAt | some scan in readable(fact); is_string(scan.finishedAt)])
} else := "none of its scans says when it ended" if {
	count(readable(fact)) > 0
} else := "its scan is of a layout that is not known" if {
	count(believed(fact)) > 0
} else := "nobody who is trusted signed its scan" if {
	count(image_facts.list(fact, "scans")) > 0
} else := "nobody has scanned it"

max_age := object.get(input, ["parameters", "maxAgeDays"], 7)

maximum := object.get(input, ["parameters", "maximum"], {"critical": 0})
