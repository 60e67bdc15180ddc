package rbac.token_secrets_test

import data.rbac.token_secrets

secret(annotations) := {
	"namespace": "shop",
	"object": {
		"type": "kubernetes.io/service-account-token",
		"metadata": {"name": "token", "annotations": annotations},
	},
}

finding := {
	"rule": "token-secret",
	"path": "/type",
	"found": "kubernetes.io/service-account-token",
	"expected": "another type; the token in it would never expire",
}

test_a_token_is_denied if {
	token_secrets.deny == {finding} with input.review as secret({"kubernetes.io/service-account.name": "robot"})
}

test_an_absent_annotation_is_denied if {
	every annotations in [{}, null] {
		token_secrets.deny == {finding} with input.review as secret(annotations)
			with input.parameters.serviceAccounts as ["shop/robot"]
	}
}

test_other_secrets_are_allowed if {
	token_secrets.deny == set() with input.review.object as {"type": "Opaque"}
	token_secrets.deny == set() with input.review.object as {"metadata": {"name": "plain"}}
}

test_listed_service_accounts_are_allowed if {
	robot := {"kubernetes.io/service-account.name": "robot"}
	token_secrets.deny == set() with input.review as secret(robot)
		with input.parameters.serviceAccounts as ["shop/robot"]
	every listed in ["robot", "other/robot", "shop/other"] {
		token_secrets.deny == {finding} with input.review as secret(robot)
			with input.parameters.serviceAccounts as [listed]
	}
}
