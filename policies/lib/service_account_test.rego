package lib.service_account_test

import data.lib.service_account

of(spec) := result if {
	result := service_account.name with input.review.object as {"spec": spec}
}

test_a_pod_is_whom_it_names if of({"serviceAccountName": "deployer"}) == "deployer"

test_the_alias_counts_where_it_stands_alone if {
	of({"serviceAccount": "old"}) == "old"
	of({"serviceAccountName": "", "serviceAccount": "old"}) == "old"
	of({"serviceAccountName": "deployer", "serviceAccount": "old"}) == "deployer"
}

test_a_pod_that_names_nobody_is_the_default if {
	of({}) == "default"
	of(null) == "default"
	of({"serviceAccountName": null, "serviceAccount": ""}) == "default"
	of({"serviceAccountName": 7}) == "default"
}
