package self_service.namespace_deletion_test

import data.self_service.namespace_deletion

deleted(annotations) := {"review": {
	"operation": "DELETE",
	"namespace": "shop",
	"oldObject": {"metadata": {"name": "shop", "annotations": annotations}},
}}

claim(policy, class, made) := {
	"spec": object.union({"type": "postgresql"}, policy),
	"status": {"class": class, "inventory": made},
}

world(claims) := {
	"namespace": {"shop": {"wayguard.io/v1alpha1": {"PlatformClaim": claims}}},
	"cluster": {"wayguard.io/v1alpha1": {"ClaimClass": {
		"keeps": {"spec": {"deletionPolicy": "Retain"}},
		"goes": {"spec": {"deletionPolicy": "Delete"}},
		"silent": {"spec": {}},
	}}},
}

cluster := [{"id": "cluster"}]

test_data_that_outlives_its_claim_holds_the_namespace if {
	claims := {"b": claim({}, "keeps", cluster), "a": claim({"deletionPolicy": "Retain"}, "goes", cluster)}
	namespace_deletion.deny == {{
		"rule": "holds-data",
		"path": "/metadata/annotations/wayguard.io~1allow-deletion",
		"expected": "`true`",
		"msg": "the namespace holds data that outlives its claims: postgresql `a`, postgresql `b`",
	}} with input as deleted({}) with data.inventory as world(claims)
}

test_what_goes_with_its_claim_holds_nothing if {
	claims := {
		"a": claim({"deletionPolicy": "Delete"}, "keeps", cluster),
		"b": claim({}, "goes", cluster),
		"c": claim({}, "silent", cluster),
		"d": claim({}, "unknown", cluster),
	}
	namespace_deletion.deny == set() with input as deleted({}) with data.inventory as world(claims)
}

test_a_policy_that_is_none_is_the_classs if {
	claims := {"a": claim({"deletionPolicy": null}, "keeps", cluster)}
	count(namespace_deletion.deny) == 1 with input as deleted({}) with data.inventory as world(claims)
}

test_a_claim_that_has_nothing_holds_nothing if {
	claims := {"a": claim({}, "keeps", []), "b": {"spec": {"deletionPolicy": "Retain"}}}
	namespace_deletion.deny == set() with input as deleted({}) with data.inventory as world(claims)
}

test_a_claim_without_a_type_is_named_too if {
	claims := {"a": {"spec": {"deletionPolicy": "Retain"}, "status": {"inventory": cluster}}}
	some finding in namespace_deletion.deny with input as deleted({}) with data.inventory as world(claims)
	endswith(finding.msg, "claim `a`")
}

test_whoever_means_it_may if {
	claims := {"a": claim({}, "keeps", cluster)}
	meant := {"wayguard.io/allow-deletion": "true"}
	namespace_deletion.deny == set() with input as deleted(meant) with data.inventory as world(claims)
	other := {"wayguard.io/allow-deletion": "perhaps"}
	count(namespace_deletion.deny) == 1 with input as deleted(other) with data.inventory as world(claims)
}

test_only_deletions_are_judged if {
	claims := {"a": claim({}, "keeps", cluster)}
	updated := object.union(deleted({}), {"review": {"operation": "UPDATE"}})
	namespace_deletion.deny == set() with input as updated with data.inventory as world(claims)
}

test_absent_metadata_allows_nothing if {
	claims := {"a": claim({}, "keeps", cluster)}
	bare := {"review": {"operation": "DELETE", "namespace": "shop", "oldObject": {}}}
	count(namespace_deletion.deny) == 1 with input as bare with data.inventory as world(claims)
	namespace_deletion.deny == set() with input as bare
}
