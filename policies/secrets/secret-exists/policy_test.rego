package secrets.secret_exists_test

import data.secrets.secret_exists

mounting(secret, names) := {
	"review": {"object": {"spec": {"volumes": [{"name": "v", "secret": secret}]}}},
	"facts": {"secretNames": names},
}

missing := {
	"rule": "secret-not-found",
	"path": "/spec/volumes/0/secret/secretName",
	"expected": "the name of a Secret in the workload's namespace",
}

test_a_secret_that_exists_passes if {
	secret_exists.warn == set() with input as mounting({"secretName": "db"}, ["api", "db"])
}

test_a_secret_that_does_not_exist_is_warned_about if {
	expected := {object.union(missing, {"found": "db"})}
	secret_exists.warn == expected with input as mounting({"secretName": "db"}, ["api"])
	secret_exists.warn == expected with input as mounting({"secretName": "db"}, [])
}

test_an_absent_name_is_warned_about_and_nothing_is_found if {
	secret_exists.warn == {missing} with input as mounting({}, ["api"])
}

test_an_optional_secret_need_not_exist if {
	secret_exists.warn == set() with input as mounting({"secretName": "db", "optional": true}, [])
}

test_nothing_is_warned_about_where_the_names_are_unknown if {
	pod := {"spec": {"volumes": [{"secret": {"secretName": "db"}}]}}
	secret_exists.warn == set() with input.review.object as pod
}
