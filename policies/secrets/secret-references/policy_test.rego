package secrets.secret_references_test

import data.secrets.secret_references

mounting(name) := pod({"volumes": [{"name": "v", "secret": {"secretName": name}}]})

pod(spec) := {"review": {"object": {"spec": spec}}}

not_allowed(patterns) := {
	"rule": "secret-not-allowed",
	"path": "/spec/volumes/0/secret/secretName",
	"expected": sprintf("a name that matches %s", [patterns]),
}

valid := "[a-z0-9]([a-z0-9.-]*[a-z0-9])?"

test_any_valid_name_is_allowed_at_first if {
	every name in ["db", "api-secrets", "team.alpha.db", "a"] {
		secret_references.deny == set() with input as mounting(name)
	}
}

test_a_pod_without_secrets_passes if {
	secret_references.deny == set() with input.review.object as {"spec": {"containers": [{"name": "app"}]}}
}

test_an_absent_name_is_denied_and_nothing_is_found if {
	secret_references.deny == {not_allowed(valid)} with input as pod({"volumes": [{"secret": {}}]})
}

test_an_invalid_name_is_denied_and_shown if {
	every name in ["", "DB", "../db", "db-", "db\n"] {
		expected := {object.union(not_allowed(valid), {"found": name})}
		secret_references.deny == expected with input as mounting(name)
	}
}

test_helms_releases_and_bootstrap_tokens_are_forbidden if {
	every name, pattern in {
		"sh.helm.release.v1.shop.v3": `sh\.helm\.release\..*`,
		"bootstrap-token-abcdef": "bootstrap-token-.*",
	} {
		secret_references.deny == {{
			"rule": "secret-forbidden",
			"path": "/spec/volumes/0/secret/secretName",
			"found": name,
			"expected": sprintf("a name that does not match %s", [pattern]),
		}} with input as mounting(name)
	}
}

test_only_allowed_names_pass if {
	every name in ["alpha-db", "shared-ca"] {
		result := secret_references.deny with input as mounting(name)
			with input.parameters.allowed as ["alpha-.*", "shared-ca"]
		result == set()
	}
	result := secret_references.deny with input as mounting("beta-db")
		with input.parameters.allowed as ["alpha-.*", "shared-ca"]
	result == {object.union(not_allowed("alpha-.* or shared-ca"), {"found": "beta-db"})}
}

test_a_pattern_covers_the_whole_name if {
	every name in ["my-alpha-db", "shared-ca-2", "xshared-ca"] {
		result := secret_references.deny with input as mounting(name)
			with input.parameters.allowed as ["alpha-.*|shared-ca"]
		count(result) == 1
	}
}

test_a_name_that_is_allowed_and_forbidden_is_denied if {
	result := secret_references.deny with input as mounting("alpha-root")
		with input.parameters as {"allowed": ["alpha-.*"], "forbidden": [".*-root"]}
	{entry.rule | some entry in result} == {"secret-forbidden"}
}

test_every_place_is_judged if {
	review := pod({
		"imagePullSecrets": [{"name": "X"}],
		"volumes": [{"projected": {"sources": [{"secret": {"name": "X"}}]}}],
		"initContainers": [{"envFrom": [{"secretRef": {"name": "X"}}]}],
		"containers": [{"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "X", "key": "k"}}}]}],
		"ephemeralContainers": [{"envFrom": [{"secretRef": {"name": "X"}}]}],
	})
	result := secret_references.deny with input as review
	{entry.path | some entry in result} == {
		"/spec/imagePullSecrets/0/name",
		"/spec/volumes/0/projected/sources/0/secret/name",
		"/spec/initContainers/0/envFrom/0/secretRef/name",
		"/spec/containers/0/env/0/valueFrom/secretKeyRef/name",
		"/spec/ephemeralContainers/0/envFrom/0/secretRef/name",
	}
}

test_what_is_not_allowed_is_not_forbidden_too if {
	result := secret_references.deny with input as mounting("theirs")
		with input.parameters as {"allowed": ["ours"], "forbidden": ["theirs"]}
	{entry.rule | some entry in result} == {"secret-not-allowed"}
}
