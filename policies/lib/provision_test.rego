package lib.provision_test

import data.lib.provision

test_a_dry_run_without_a_cluster_has_every_kind if {
	provision.has_kind("a/v1/B") with input as {"capabilities": "*"}
	provision.has_kind("a/v1/B") with input as {"capabilities": ["a/v1/B"]}
	not provision.has_kind("a/v1/B") with input as {"capabilities": ["a/v2/B"]}
}

test_only_a_provisioned_namespace_denies_by_default if {
	provision.denies_by_default with input as {"namespace": {"labels": {"managed-by": "idp"}}}
	not provision.denies_by_default with input as {"namespace": {"labels": {"managed-by": "us"}}}
	not provision.denies_by_default with input as {"namespace": {}}
}

test_production_is_a_label if {
	provision.is_production with input as {"environment": "production"}
	not provision.is_production with input as {"environment": "staging"}
}

test_backup_is_what_is_meant_where_nothing_is_said if {
	provision.wants_backup with input as {"claim": {"spec": {}}}
	provision.wants_backup with input as {"claim": {"spec": {"backup": "enabled"}}}
	not provision.wants_backup with input as {"claim": {"spec": {"backup": "disabled"}}}
}

test_words_of_a_denial if {
	provision.found("size") == "huge" with input as {"claim": {"spec": {"size": "huge"}}}
	provision.found("size") == null with input as {"claim": {"spec": {}}}
	provision.one_of(["15", "16"]) == "one of `15`, `16`"
}

test_pieces_of_network_policies if {
	provision.network_policy("a", {}, ["Egress"], {"egress": [provision.dns, provision.api_server]}) == {
		"apiVersion": "networking.k8s.io/v1",
		"kind": "NetworkPolicy",
		"metadata": {"name": "a"},
		"spec": {
			"podSelector": {},
			"policyTypes": ["Egress"],
			"egress": [
				{
					"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
					"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
				},
				{"ports": [{"port": 443, "protocol": "TCP"}, {"port": 6443, "protocol": "TCP"}]},
			],
		},
	}
	provision.pods({"a": "b"}) == {"podSelector": {"matchLabels": {"a": "b"}}}
	provision.name == "db" with input as {"claim": {"metadata": {"name": "db"}}}
}
