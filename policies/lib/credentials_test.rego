package lib.credentials_test

import data.lib.credentials

x(n) := concat("", [letter | some _ in numbers.range(1, n); letter := "x"])

sensitive(names) := {name | some name in names; credentials.sensitive_name(name, [])}

test_names_of_credentials_are_known_in_every_style if {
	names := {
		"PASSWORD", "DB_PASSWORD", "PGPASSWORD", "MYSQL_ROOT_PASSWORD", "password", "dbPassword", "db-password",
		"spring.datasource.password", "PASSPHRASE", "DB_PASS", "DB_PWD", "dbpass", "TOKEN", "API_TOKEN",
		"authToken", "GITHUB_TOKEN", "SECRET", "CLIENT_SECRET", "clientsecret", "SECRET_KEY_BASE", "API_KEY",
		"apiKey", "APIKEY", "STRIPE_API_KEY", "AWS_SECRET_ACCESS_KEY", "PRIVATE_KEY", "CREDENTIALS",
		"AZURE_STORAGE_ACCOUNT_KEY", "PASSWORD2", "TOKEN_1", "JWT_SECRET_V2",
	}
	sensitive(names) == names
}

test_names_that_only_speak_of_credentials_are_not_taken_for_them if {
	names := {
		"PASSWORD_FILE", "TOKEN_TTL", "TOKEN_TTL_SECONDS", "TOKEN_EXPIRES_IN_SECONDS", "SECRET_NAME",
		"secretName", "TOKEN_URL", "PASSWORD_MIN_LENGTH", "API_KEY_HEADER", "AWS_ACCESS_KEY_ID", "MAX_TOKENS",
		"TOKENS", "TOKENIZER", "PWD", "OLDPWD", "COMPASS_HOST", "KEY", "KEYCLOAK", "PUBLIC_KEY", "SECRETARY",
		"ALLOW_EMPTY_PASSWORD", "MAX_TOKEN", "DATABASE_URL", "USER", "BYPASS_CACHE",
		"BYPASS", "COMPASS",
	}
	sensitive(names) == set()
}

test_further_names_are_a_matter_of_the_platform if {
	credentials.sensitive_name("DB_PIN", ["(^|_)pin$"])
	not credentials.sensitive_name("SPIN", ["(^|_)pin$"])
}

literals(texts) := {text | some text in texts; credentials.literal(text, ["^vault:"])}

test_plain_texts_are_literals if {
	texts := {"hunter2", " hunter2 ", "p@ss w0rd", "$ecret", "changeme", "123456", "a/b"}
	literals(texts) == texts
}

test_placeholders_switches_and_references_are_no_literals if {
	texts := {
		"", "  ", "$(DB_PASSWORD)", "Bearer $(TOKEN)", "${database.connection_string}", "$${database.password}",
		"{{ .Values.password }}", "true", "No", "none", "<your password>", "/run/secrets/db", "vault:secret/db",
		"$(cat /run/secrets/db)",
	}
	literals(texts) == set()
}

test_every_shape_is_known if {
	examples := {
		"an AWS access key": concat("", ["key=AKIA", upper(x(16)), ";"]),
		"a private key": concat("", ["-----BEGIN RSA ", "PRIVATE KEY-----\nMII"]),
		"a JSON Web Token": concat(".", [concat("", ["eyJ", x(10)]), concat("", ["eyJ", x(10)]), x(10)]),
		"a GitHub token": concat("", ["ghp_", x(36)]),
		"a GitLab token": concat("", ["glpat-", x(20)]),
		"a Slack token": concat("", ["xoxb-", x(20)]),
		"a Slack webhook": concat("", ["https://hooks.slack.com/services/T0/B0/", x(24)]),
		"a Stripe key": concat("", ["sk_live_", x(24)]),
		"a Google API key": concat("", ["AIza", x(35)]),
		"an npm token": concat("", ["npm_", x(36)]),
		"a SendGrid key": concat("", ["SG.", x(22), ".", x(43)]),
		"a URL with a password": "postgres://app:hunter2@db:5432/app",
		"an Authorization header": "-H \"Authorization: Bearer abcdefgh12\"",
	}
	every kind, text in examples {
		credentials.shapes(text) == {kind}
	}
	object.keys(examples) == object.keys(credentials.patterns)
}

test_urls_without_a_password_are_harmless if {
	texts := [
		"postgres://db:5432/app", "postgres://app@db/app", "https://example.com:8443/a@b", "redis://cache:6379",
		"postgres://$(DB_USER):$(DB_PASSWORD)@db/app", "postgres://app:${database.password}@db/app",
		"https://user:***@example.com", "http://a:80,http://b:80", "mailto:ops@example.com",
		"image@sha256:0000", "",
	]
	every text in texts {
		credentials.shapes(text) == set()
	}
}

test_certificates_and_public_keys_are_harmless if {
	credentials.shapes("-----BEGIN CERTIFICATE-----\nMII") == set()
	credentials.shapes("-----BEGIN PUBLIC KEY-----\nMII") == set()
}

test_a_command_lines_assignments_are_found if {
	text := "export PGPASSWORD='a b' && psql --user app --password hunter2 -Ddb.pass=x --flag --other"
	credentials.assignments(text) == {
		{"name": "PGPASSWORD", "value": "a b"},
		{"name": "user", "value": "app"},
		{"name": "password", "value": "hunter2"},
		{"name": "Ddb.pass", "value": "x"},
	}
}

test_what_another_command_prints_is_one_value if {
	credentials.assignments("A=$(cat /a b) run --password `cat /b c` --token $(cat /c d)") == {
		{"name": "A", "value": "$(cat /a b)"},
		{"name": "password", "value": "`cat /b c`"},
		{"name": "token", "value": "$(cat /c d)"},
	}
}

test_a_configuration_files_settings_are_found if {
	text := concat("\n", [
		"# password: no",
		"spring.datasource.password=hunter2",
		"  apiKey: \"abc\"   # why",
		"export TOKEN='t'",
		"password: |",
		"  - clientSecret: s",
		"password:",
		"{\"a\": \"b\", \"password\": \"p\"}",
	])
	credentials.settings(text) == {
		{"name": "spring.datasource.password", "value": "hunter2"},
		{"name": "apiKey", "value": "abc"},
		{"name": "TOKEN", "value": "t"},
		{"name": "clientSecret", "value": "s"},
		{"name": "a", "value": "b"},
		{"name": "password", "value": "p"},
	}
}

test_only_unmistakable_names_count_in_files if {
	clear := {"password", "db.password", "apiKey", "client_secret", "access-token"}
	unclear := {"secret", "token", "tokenUrl", "secretName"}
	{name | some name in (clear | unclear); credentials.unmistakable_name(name)} == clear
}

test_settings_files_are_known_by_their_ending if {
	files := {"application.properties", "app.YAML", ".env", "env", "config.json"}
	others := {"run.py", "start.sh", "nginx", "README.md"}
	{key | some key in (files | others); credentials.settings_file(key)} == files
}

test_a_shells_variable_is_one_as_a_whole if {
	credentials.shell_variable("$DB_PASSWORD")
	not credentials.shell_variable("$DB_PASSWORD!")
	not credentials.shell_variable("hunter2")
}

test_every_switch_is_no_literal if {
	switches := ["true", "false", "yes", "no", "on", "off", "null", "nil", "none", "~", "TRUE", "Off"]
	{text | some text in switches; credentials.literal(text, [])} == set()
}

test_what_is_said_about_a_credential_ends_its_name if {
	credentials.sensitive_name("MY_ID_TOKEN", [])
	not credentials.sensitive_name("TOKEN_VERSION", [])
	not credentials.sensitive_name("TOKEN_SCOPES", [])
	not credentials.sensitive_name("TOKEN_TIMEOUT_IN_SECONDS", [])
}

test_a_header_needs_its_name_and_its_scheme if {
	credentials.shapes("use Bearer abcdefghij") == set()
	credentials.shapes("Authorization: whatever-it-takes") == set()
	credentials.shapes("Authorization: Bearer abcdefghij") == {"an Authorization header"}
}

test_an_assignment_begins_a_word if {
	credentials.assignments("9abc=1") == set()
	credentials.assignments("x--name value") == set()
	credentials.assignments("--name value") == {{"name": "name", "value": "value"}}
}

test_a_switch_about_passwords_is_none if {
	not credentials.unmistakable_name("ALLOW_EMPTY_PASSWORD")
	credentials.unmistakable_name("EMPTY_PASSWORD")
}
