# METADATA
# scope: package
# title: Literal credentials
# description: |-
#   A password in an environment variable, on a command line or in a ConfigMap is read by everyone who may
#   look at the object, and stays in Git and in backups. Two things give it away: a name that is given to
#   credentials (`DB_PASSWORD`, `--api-key`) with a literal value, and the shape of well-known tokens, private
#   keys and URLs with a password, whatever they are called. Values that refer to something else pass:
#   `$(VAR)`, `${database.connection_string}`, paths, addresses of a vault. Also looked into: commands of
#   probes and lifecycle hooks, headers of HTTP probes, and settings within files that a ConfigMap holds.
#   Findings never repeat the value.
# custom:
#   severity: critical
#   category: secrets
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, pods/ephemeralcontainers, configmaps], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [CIS-5.4.1, NSA-secrets]
#   peers: [polaris/sensitiveConfigmapContent, polaris/sensitiveContainerEnvVar]
#   remedy: >-
#     Put the value into a Secret, refer to it by `valueFrom.secretKeyRef`, and replace it where it was used,
#     for it has been seen.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       allowedNames:
#         description: >-
#           Names of variables, options (without dashes), headers and ConfigMap keys that may have any value,
#           written as they appear.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       names:
#         description: >-
#           Regular expressions of further names that mean a credential, matched against the name in lower
#           case with `_` between its words, for example `(^|_)pin$`.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#       references:
#         description: Regular expressions of values that refer to a credential and are none.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default:
#           - '^(>>)?vault:'
#           - '^ref\+[a-z0-9]+://'
#           - '^op://'
#           - '^arn:aws[a-z-]*:(secretsmanager|ssm):'
#   facts: []
#   needs: []
#   sensitive: true
package secrets.literal_credentials

import data.lib.containers
import data.lib.credentials
import data.lib.fields
import data.lib.pointer

deny contains finding if {
	some place in places
	kinds := credentials.shapes(place.scanned)
	count(kinds) > 0
	finding := {
		"rule": "credential-value",
		"path": place.path,
		"found": place.text,
		"expected": place.expected,
		"msg": sprintf("it looks like %s", [concat(" and ", sort(kinds))]),
	}
}

deny contains finding if {
	some place in places
	count(credentials.shapes(place.scanned)) == 0
	named_literal(place)
	finding := {
		"rule": "credential-name",
		"path": place.path,
		"found": place.text,
		"expected": place.expected,
		"msg": "a literal value is named like a credential",
	}
}

# A place is {"path", "text", "expected"}: `scanned` is what is searched for shapes, `name` what the value as
# a whole is called, `settings` what is assigned within it.
named_literal(place) if {
	credentials.sensitive_name(place.name, further_names)
	credentials.literal(place.text, references)
	not place_is_variable(place)
}

named_literal(place) if {
	some setting in place.settings
	name := setting.name
	not name in allowed_names
	value := setting.value
	credentials.literal(value, references)
	not credentials.shell_variable(value)
}

# An environment variable's value is not expanded by a shell: there `$ecret` is just a password.
place_is_variable(place) if {
	place.shell == true
	credentials.shell_variable(place.text)
}

# Environment variables.
places contains place if {
	some entry in containers.all
	some index, variable in fields.list_at(entry.container, "env")
	is_string(variable.value)
	name := text_of(variable, "name")
	not name in allowed_names
	place := {
		"path": sprintf("%s/env/%d/value", [entry.path, index]),
		"text": variable.value,
		"scanned": variable.value,
		"name": name,
		"settings": set(),
		"shell": false,
		"expected": "read from a Secret (valueFrom.secretKeyRef)",
	}
}

# Command lines.
places contains place if {
	some line in command_lines
	some index, word in line.words
	is_string(word)
	place := {
		"path": pointer.item(line.path, index),
		"text": word,
		"scanned": word,
		"name": option_before(line.words, index),
		"settings": sensitive_assignments(word),
		"shell": true,
		"expected": "free of credentials: read one from a Secret as a variable and write $(NAME)",
	}
}

# Headers of HTTP probes and hooks.
places contains place if {
	some entry in containers.all
	some hook in hooks
	some index, header in listed(entry.container, array.concat(hook, ["httpGet", "httpHeaders"]))
	is_string(header.value)
	name := text_of(header, "name")
	not name in allowed_names
	place := {
		"path": sprintf("%s/%s/httpGet/httpHeaders/%d/value", [entry.path, concat("/", hook), index]),
		"text": header.value,
		"scanned": sprintf("%s: %s", [name, header.value]),
		"name": name,
		"settings": set(),
		"shell": false,
		"expected": "free of credentials: let the check answer without them",
	}
}

# ConfigMaps.
places contains place if {
	input.review.kind.kind == "ConfigMap"
	some key, text in fields.object_at(input.review.object, "data")
	is_string(text)
	not key in allowed_names
	place := {
		"path": concat("", ["/data/", pointer.segment(key)]),
		"text": text,
		"scanned": text,
		"name": name_of_line(key, text),
		"settings": sensitive_settings(key, text),
		"shell": true,
		"expected": "kept in a Secret",
	}
}

command_lines contains line if {
	some entry in containers.all
	some field in ["command", "args"]
	line := {
		"path": sprintf("%s/%s", [entry.path, field]),
		"words": fields.list_at(entry.container, field),
	}
}

command_lines contains line if {
	some entry in containers.all
	some hook in hooks
	line := {
		"path": sprintf("%s/%s/exec/command", [entry.path, concat("/", hook)]),
		"words": listed(entry.container, array.concat(hook, ["exec", "command"])),
	}
}

hooks := [
	["livenessProbe"],
	["readinessProbe"],
	["startupProbe"],
	["lifecycle", "postStart"],
	["lifecycle", "preStop"],
]

# The option whose value this word is, as in `--password`, `hunter2`; "" where it is none's.
option_before(words, index) := option if {
	word := words[index]
	not is_option(word)
	is_option(words[index - 1])
	option := trim_left(words[index - 1], "-")
	not option in allowed_names
} else := ""

is_option(word) if {
	is_string(word)
	regex.match(`^--?[A-Za-z][A-Za-z0-9_.-]*$`, word)
}

sensitive_assignments(word) := {setting |
	some setting in credentials.assignments(word)
	credentials.sensitive_name(setting.name, further_names)
}

# Of a ConfigMap's key the name counts only where it names a value, and not a file of many lines.
name_of_line(key, text) := key if {
	line := trim_space(text)
	not contains(line, "\n")
} else := ""

sensitive_settings(key, text) := {setting |
	credentials.settings_file(key)
	some setting in credentials.settings(text)
	sensitive_setting(setting.name)
}

sensitive_setting(name) if credentials.unmistakable_name(name)

sensitive_setting(name) if {
	some pattern in further_names
	regex.match(pattern, credentials.words_of(name))
}

text_of(holder, key) := holder[key] if {
	is_string(holder[key])
} else := ""

# The list at a path within a container, which a file may have filled with anything.
listed(container, path) := list if {
	is_object(container)
	list := object.get(container, path, [])
	is_array(list)
} else := []

allowed_names := object.get(input, ["parameters", "allowedNames"], [])

further_names := object.get(input, ["parameters", "names"], [])

references := object.get(input, ["parameters", "references"], [
	"^(>>)?vault:",
	`^ref\+[a-z0-9]+://`,
	"^op://",
	"^arn:aws[a-z-]*:(secretsmanager|ssm):",
])
