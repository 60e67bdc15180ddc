package lib.namespace_test

import data.lib.namespace

production := {"metadata": {"name": "shop", "labels": {"environment": "production"}}}

test_a_label_of_the_namespace_is_read if {
	namespace.label("environment") == "production" with input.namespace as production
}

test_an_absent_label_is_undefined if not namespace.label("team") with input.namespace as production

test_an_unknown_namespace_has_no_labels if not namespace.label("environment") with input as {}

test_a_label_is_found_among_values if {
	namespace.label_in("environment", ["staging", "production"]) with input.namespace as production
}

test_a_label_is_not_found_among_other_values if {
	not namespace.label_in("environment", ["staging"]) with input.namespace as production
}

test_an_unknown_namespace_is_not_found_among_values if {
	not namespace.label_in("environment", ["production"]) with input as {}
}

test_a_namespace_is_in_its_environment_only if {
	namespace.in_environments(["staging", "production"], "environment") with input.namespace as production
	not namespace.in_environments(["staging"], "environment") with input.namespace as production
	not namespace.in_environments(["production"], "stage") with input.namespace as production
	not namespace.in_environments(["production"], "environment") with input as {}
}

test_where_no_environment_is_listed_every_namespace_is_in if {
	namespace.in_environments([], "environment") with input.namespace as production
	namespace.in_environments([], "environment") with input as {}
}

test_a_namespace_is_its_own_subject if {
	namespace.is_subject with input.review.kind as {"group": "", "version": "v1", "kind": "Namespace"}
}

test_a_foreign_kind_called_namespace_is_not_a_namespace if {
	kind := {"group": "example.com", "version": "v1", "kind": "Namespace"}
	not namespace.is_subject with input.review.kind as kind
}

test_labels_of_an_object_without_metadata_are_empty if namespace.labels_of({}) == {}

test_labels_of_an_object_are_read if namespace.labels_of(production) == {"environment": "production"}

test_a_label_that_is_no_text_is_none if {
	not namespace.label("environment") with input.namespace as {"metadata": {"labels": {"environment": 7}}}
}

test_only_a_namespace_is_the_subject if {
	namespace.is_subject with input.review.kind as {"group": "", "kind": "Namespace"}
	not namespace.is_subject with input.review.kind as {"group": "", "kind": "Pod"}
	not namespace.is_subject with input.review.kind as {"group": "example.com", "kind": "Namespace"}
}
