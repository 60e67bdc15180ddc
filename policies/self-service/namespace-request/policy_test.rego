package self_service.namespace_request_test

import data.self_service.namespace_request

granted := {"access": [{
	"verb": "use", "group": "wayguard.io", "resource": "environments", "name": "production", "allowed": true,
}]}

refused := {"access": [{
	"verb": "use", "group": "wayguard.io", "resource": "environments", "name": "production", "allowed": false,
}]}

labels(environment) := {"team": "alpha", "environment": environment, "managed-by": "idp"}

made(name, given) := {
	"review": {
		"kind": {"group": "", "kind": "Namespace"},
		"object": {"metadata": {"name": name, "labels": given}},
		"userInfo": {"username": "kim"},
	},
	"facts": {"access": []},
}

changed(before, after) := object.union(
	made("alpha-shop", after),
	{"review": {"oldObject": {"metadata": {"name": "alpha-shop", "labels": before}}}},
)

rules(seen) := {finding.rule | some finding in found} if {
	found := namespace_request.deny with input as seen
}

test_a_namespace_is_named_after_its_team if {
	every name in ["developer-team-alpha", "alpha", "alpha-shop", "x-alpha-y"] {
		rules(made(name, labels("development"))) == set()
	}
	every name in ["shop", "alphabet", "x-alph", "team-alphas"] {
		rules(made(name, labels("development"))) == {"name-and-team"}
	}
	some finding in namespace_request.deny with input as made("shop", labels("development"))
	finding.found == "alpha"
	finding.path == "/metadata/labels/team"
	contains(finding.expected, "`shop`")
}

test_an_absent_or_empty_team_is_none if {
	rules(made("shop", object.remove(labels("development"), ["team"]))) == {"name-and-team"}
	rules(made("a--b", object.union(labels("development"), {"team": ""}))) == {"name-and-team"}
}

test_environments_are_those_that_there_are if {
	every name in ["development", "staging"] {
		rules(made("alpha", labels(name))) == set()
	}
	rules(made("alpha", labels("prod"))) == {"environment-unknown"}
	rules(made("alpha", object.remove(labels("x"), ["environment"]))) == {"environment-unknown"}
	namespace_request.deny == {{
		"rule": "environment-unknown",
		"path": "/metadata/labels/environment",
		"found": "prod",
		"expected": "one of `development`, `staging`, `production`",
	}} with input as made("alpha", labels("prod"))
	wide := object.union(made("alpha", labels("lab")), {"parameters": {"environments": ["lab"]}})
	rules(wide) == set()
}

test_production_needs_the_right if {
	seen := made("alpha", labels("production"))
	question := {"verb": "use", "group": "wayguard.io", "resource": "environments", "name": "production"}
	namespace_request.access == {question} with input as seen
	rules(seen) == {"environment-restricted"}
	rules(object.union(seen, {"facts": refused})) == {"environment-restricted"}
	rules(object.union(seen, {"facts": granted})) == set()
	some finding in namespace_request.deny with input as seen
	finding.found == "production"
	finding.expected == "an environment that kim may use"
	contains(finding.remedy, "name `production`")
}

test_the_right_is_for_this_and_nothing_else if {
	seen := made("alpha", labels("production"))
	every key in ["verb", "group", "resource", "name"] {
		other := [object.union(granted.access[0], {key: "other"})]
		rules(object.union(seen, {"facts": {"access": other}})) == {"environment-restricted"}
	}
}

test_nothing_is_asked_where_no_right_is_needed if {
	count(namespace_request.access) == 0 with input as made("alpha", labels("development"))
	count(namespace_request.access) == 0 with input as made("alpha", {"environment": "production"})
	lax := object.union(made("alpha", labels("production")), {"parameters": {"restricted": []}})
	count(namespace_request.access) == 0 with input as lax
	rules(lax) == set()
}

test_what_was_had_before_is_kept_without_the_right if {
	rules(changed(labels("production"), labels("production"))) == set()
	rules(changed(labels("development"), labels("production"))) == {"environment-restricted"}
	rules(changed({"environment": "production", "team": "alpha"}, labels("production"))) == {"environment-restricted"}
}

test_a_managed_namespace_stays_managed if {
	before := labels("development")
	rules(changed(before, object.remove(before, ["managed-by"]))) == {"still-managed"}
	rules(changed(before, object.union(before, {"managed-by": "helm"}))) == {"still-managed"}
	rules(changed({"managed-by": "helm"}, {})) == set()
	namespace_request.deny == {{
		"rule": "still-managed",
		"path": "/metadata/labels/managed-by",
		"found": "helm",
		"expected": "`idp`, as it was",
		"remedy": "Leave the label; a namespace that the platform shall not furnish any more is made anew.",
	}} with input as changed(before, object.union(before, {"managed-by": "helm"}))
}

test_others_namespaces_are_theirs if {
	rules(made("shop", {"environment": "nowhere"})) == set()
	rules(made("shop", {})) == set()
}
