# METADATA
# scope: package
# title: What looks like a credential
# description: |-
#   Tells by its name that a field is meant for a credential, and by its shape that a text holds one. Both
#   err on the side of the reader: names that speak of a credential's file, lifetime or address are not
#   credentials, and a text that refers to something else (`$(VAR)`, `${database.connection_string}`, a path,
#   a vault's address) holds none.
package lib.credentials

# True when the name is one that people give to credentials: DB_PASSWORD, apiKey, spring.datasource.password.
# `further` are patterns of additional names, matched against the name in lower case with `_` between words.
sensitive_name(name, _) if {
	words := words_of(name)
	regex.match(credential_words, words)
	not regex.match(about_a_credential, words)
	not regex.match(not_a_value, words)
}

sensitive_name(name, further) if {
	some pattern in further
	regex.match(pattern, words_of(name))
}

# `dbPassword`, `db-password` and `DB_PASSWORD` are all `db_password`.
words_of(name) := words if {
	parted := lower(regex.replace(name, "([a-z0-9])([A-Z])", "${1}_${2}"))
	words := regex.replace(parted, "[^a-z0-9]+", "_")
}

# `pass` and `pwd` only at the end, and `pwd` behind another word: PWD is a shell's working directory.
credential_words := concat("|", [
	"password|passwd|passphrase",
	"(^|_)[a-z0-9]*(secret|token)(_|[0-9]|$)",
	"(^|_)[a-z0-9]*(api|access|secret|private|encryption|signing|auth|account|license)_?key(_|[0-9]|$)",
	"(^|_)(credential|credentials|creds)(_|$)",
	"(^|_)pass[0-9]*$|_pwd[0-9]*$",
	"^(db|pg|mysql|root|admin|user|smtp|redis)pass$",
])

# TOKEN_TTL and SECRET_NAME say something about a credential, and do not hold it.
about_a_credential := concat("", [
	"_(file|filename|path|dir|directory|name|names|ref|url|uri|endpoint|host|port|server|ttl|expiry|expires|",
	"expiration|expire|timeout|duration|lifetime|age|interval|period|length|len|size|count|limit|max|min|",
	"issuer|iss|audience|type|kind|enabled|disabled|required|header|id|ids|arn|prefix|suffix|policy|mode|",
	"algorithm|alg|format|version|rotation|cache|provider|store|manager|backend|engine|namespace|scope|",
	"scopes|claim|location|mount|env|rounds|strategy|field|label|placeholder|regex|pattern|attempts|retries)",
	"(_(in_)?(seconds|secs|sec|s|minutes|mins|min|hours|days|ms|millis))?$",
])

not_a_value := "^(allow|enable|disable|use|require|validate|skip|max|min|no|has|is|show|hide|public)_"

# True when the text says something by itself: it is not empty, not a switch, not a placeholder and does not
# refer to a place that holds the value. `references` are patterns of further references.
literal(text, references) if {
	trimmed := trim_space(text)
	trimmed != ""
	word_only := lower(trimmed)
	not word_only in no_values
	not regex.match("^<[^<>]*>$", trimmed)
	not regex.match("^/[A-Za-z0-9_./-]*$", trimmed)
	without_placeholders(trimmed) == trimmed
	not refers(trimmed, references)
}

no_values := {"true", "false", "yes", "no", "on", "off", "null", "nil", "none", "~"}

refers(text, references) if {
	some pattern in references
	regex.match(pattern, text)
}

# Kubernetes' `$(VAR)`, the platform's and the shell's `${…}`, a shell's command substitution and variable,
# and templates' `{{ … }}`.
without_placeholders(text) := regex.replace(text, placeholder, "")

placeholder := `\$\([^()]*\)|\$\{[^{}]*\}|\{\{[^{}]*\}\}|\x60[^\x60]*\x60`

# What in the text looks like a credential, in words that name the kind and never the value.
shapes(text) := {kind |
	stripped := without_placeholders(text)
	some kind, pattern in patterns
	regex.match(pattern, stripped)
}

# Prefixes that the issuers publish so that such scans find their tokens. (Written without `\b`, `\s` and
# `(?i)`, whose meaning depends on how much of Unicode an engine's regular expressions know.)
patterns := {
	"an AWS access key": `(^|[^A-Za-z0-9])(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}($|[^A-Za-z0-9])`,
	"a private key": `-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----`,
	"a JSON Web Token": `(^|[^A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`,
	"a GitHub token": `(^|[^A-Za-z0-9])(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22})`,
	"a GitLab token": `(^|[^A-Za-z0-9])glpat-[A-Za-z0-9_-]{20}`,
	"a Slack token": `(^|[^A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10}`,
	"a Slack webhook": `hooks\.slack\.com/services/[A-Z0-9]+/[A-Z0-9]+/[A-Za-z0-9]{16}`,
	"a Stripe key": `(^|[^A-Za-z0-9])[sr]k_(live|test)_[A-Za-z0-9]{16}`,
	"a Google API key": `(^|[^A-Za-z0-9])AIza[A-Za-z0-9_-]{35}`,
	"an npm token": `(^|[^A-Za-z0-9])npm_[A-Za-z0-9]{36}`,
	"a SendGrid key": `(^|[^A-Za-z0-9])SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}`,
	"a URL with a password": concat("", [
		`[A-Za-z][A-Za-z0-9+.-]*://[^/ \t\r\n:@"']*:`,
		`[^/ \t\r\n@"']*[^/ \t\r\n@"'*][^/ \t\r\n@"']*@`,
	]),
	"an Authorization header": concat("", [
		`([Aa]uthorization|AUTHORIZATION)["']?[ \t]*[:=][ \t]*["']?`,
		`([Bb]earer|[Bb]asic|[Tt]oken|BEARER|BASIC|TOKEN)[ \t]+[A-Za-z0-9+/=._~-]{8}`,
	]),
}

# The `name=value` and `--name value` that a command line holds, as {"name", "value"}.
assignments(text) := {{"name": parts[1], "value": unquoted(parts[2])} |
	some pattern in [assignment, option]
	some parts in regex.find_all_string_submatch_n(pattern, text, -1)
}

assignment := concat("", [before_name, `-{0,2}([A-Za-z_][A-Za-z0-9_.-]*)=(`, word, `|[^ \t\r\n"';&|]+)`])

option := concat("", [
	before_name,
	`--([A-Za-z][A-Za-z0-9_.-]*)[ \t]+(`,
	word,
	`|[^ \t\r\n"';&|-][^ \t\r\n"';&|]*)`,
])

before_name := `(?:^|[ \t\r\n;&|"'(])`

# A word of a command line that may hold spaces: quoted, or what another command prints.
word := `"[^"]*"|'[^']*'|\$\([^)]*\)|\x60[^\x60]*\x60`

# The settings that a configuration file holds, as {"name", "value"}: `name = value` and `name: value`
# lines, and JSON members.
settings(text) := {{"name": parts[1], "value": unquoted(parts[2])} |
	some pattern in [setting, member]
	some parts in regex.find_all_string_submatch_n(pattern, text, -1)
}

setting := concat("", [
	`(?m)^[ \t]*(?:-[ \t]+)?(?:export[ \t]+)?["']?([A-Za-z_][A-Za-z0-9_.-]*)["']?[ \t]*[:=][ \t]*`,
	`("[^"\n]*"|'[^'\n]*'|[^ \t\r\n"'#|>&*!\[{][^ \t\r\n#,]*)[ \t]*,?[ \t]*(?:#.*)?\r?$`,
])

member := `"([A-Za-z_][A-Za-z0-9_.-]*)"[ \t\r\n]*:[ \t\r\n]*("[^"\\\n]*")`

# In a configuration file `secret: web-tls` mostly names something, and a line of prose may speak of tokens:
# there only names that leave no doubt count.
unmistakable_name(name) if {
	words := words_of(name)
	regex.match(
		concat("", [
			"(password|passwd|passphrase|(api|access|secret|private|encryption|signing)_?key|",
			"(client|app|shared)_?secret|(auth|access|api|bearer|refresh)_?token)[0-9]*$",
		]),
		words,
	)
	not regex.match(not_a_value, words)
}

# The key of a ConfigMap that holds a file of settings, rather than a program or prose.
settings_file(key) if {
	regex.match(`(^|\.)(env|properties|ini|conf|cnf|cfg|toml|ya?ml|json)$`, lower(key))
}

# True when the whole text is a shell's variable, as in `--password $DB_PASSWORD`, or a file's reference in
# the manner of `$oidc.clientSecret`.
shell_variable(text) if regex.match(`^\$[A-Za-z_][A-Za-z0-9_.:]*$`, text)

unquoted(text) := trim(text, `"'`)
