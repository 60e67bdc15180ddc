package provision.namespace_test

import data.provision.namespace

settings := {
	"environments": {
		"development": {"quota": {"pods": "50"}, "role": "edit"},
		"production": {"quota": {"pods": "300"}, "role": "view"},
	},
	"defaults": {"cpu": "250m", "memory": "256Mi", "memoryLimit": "512Mi"},
	"groupPrefix": "team-",
	"pullSecret": "",
	"monitoringNamespace": "monitoring",
}

asked(name, labels, more) := object.union(
	{
		"namespace": {"name": name, "labels": labels},
		"class": {"settings": settings},
		"observed": {},
		"capabilities": "*",
	},
	more,
)

seed := {"team": "alpha", "environment": "development", "managed-by": "idp"}

test_the_usual_namespace_gets_all if {
	given := asked("developer-team-alpha", seed, {})
	count(namespace.deny) == 0 with input as given
	made := namespace.objects with input as given
	object.keys(made) == {
		"limits", "quota", "network-deny", "network-dns", "network-neighbours", "network-metrics", "team", "account",
	}
	made.quota.spec.hard == {"pods": "50"}
	made.team.roleRef.name == "edit"
	made.team.subjects[0].name == "team-alpha"
	made.account.automountServiceAccountToken == false
	not made.account.imagePullSecrets
	made["network-deny"].spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
	not namespace.ready with input as given
}

test_production_is_looked_at_only if {
	made := namespace.objects with input as asked("alpha-prod", {"team": "alpha", "environment": "production"}, {})
	made.team.roleRef.name == "view"
	made.quota.spec.hard == {"pods": "300"}
}

test_an_unknown_environment_is_refused if {
	some denial in namespace.deny with input as asked("alpha", {"team": "alpha", "environment": "moon"}, {})
	denial.expected == "one of `development`, `production`"
	some absent in namespace.deny with input as asked("alpha", {"team": "alpha"}, {})
	absent.path == "/metadata/labels/environment"
	absent.found == null
}

test_a_namespace_has_a_team_and_its_name if {
	some denial in namespace.deny with input as asked("alpha", {"environment": "development"}, {})
	denial.path == "/metadata/labels/team"
	every name in ["beta-dev", "alphabet", "dev-alphas"] {
		some other in namespace.deny with input as asked(name, seed, {})
		other.found == "alpha"
	}
	every name in ["alpha", "alpha-dev", "dev-alpha", "dev-alpha-1"] {
		count(namespace.deny) == 0 with input as asked(name, seed, {})
	}
}

test_registries_logins_are_given_to_pods if {
	with_secret := object.union(settings, {"pullSecret": "harbor"})
	made := namespace.objects with input as asked("alpha", seed, {"class": {"settings": with_secret}})
	made.account.imagePullSecrets == [{"name": "harbor"}]
}

test_ready_when_all_is_there if {
	there := {id: {} |
		some id in [
			"limits", "quota", "network-deny", "network-dns", "network-neighbours", "network-metrics", "team",
			"account",
		]
	}
	namespace.ready with input as asked("alpha", seed, {"observed": there})
}

test_all_that_is_made_is_as_it_is_written_here if {
	made := namespace.objects with input as asked("developer-team-alpha", seed, {})
	made == {
		"account": {
			"apiVersion": "v1",
			"automountServiceAccountToken": false,
			"kind": "ServiceAccount",
			"metadata": {"name": "default"},
		},
		"limits": {
			"apiVersion": "v1",
			"kind": "LimitRange",
			"metadata": {"name": "defaults"},
			"spec": {
				"limits": [
					{
						"default": {"memory": "512Mi"},
						"defaultRequest": {"cpu": "250m", "memory": "256Mi"},
						"type": "Container",
					},
				],
			},
		},
		"network-deny": {
			"apiVersion": "networking.k8s.io/v1",
			"kind": "NetworkPolicy",
			"metadata": {"name": "default-deny"},
			"spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
		},
		"network-dns": {
			"apiVersion": "networking.k8s.io/v1",
			"kind": "NetworkPolicy",
			"metadata": {"name": "allow-dns"},
			"spec": {
				"egress": [
					{
						"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
						"to": [
							{
								"namespaceSelector": {
									"matchLabels": {"kubernetes.io/metadata.name": "kube-system"},
								},
							},
						],
					},
				],
				"podSelector": {},
				"policyTypes": ["Egress"],
			},
		},
		"network-metrics": {
			"apiVersion": "networking.k8s.io/v1",
			"kind": "NetworkPolicy",
			"metadata": {"name": "allow-metrics"},
			"spec": {
				"ingress": [
					{
						"from": [
							{
								"namespaceSelector": {
									"matchLabels": {"kubernetes.io/metadata.name": "monitoring"},
								},
							},
						],
					},
				],
				"podSelector": {},
				"policyTypes": ["Ingress"],
			},
		},
		"network-neighbours": {
			"apiVersion": "networking.k8s.io/v1",
			"kind": "NetworkPolicy",
			"metadata": {"name": "allow-neighbours"},
			"spec": {
				"egress": [{"to": [{"podSelector": {}}]}],
				"ingress": [{"from": [{"podSelector": {}}]}],
				"podSelector": {},
				"policyTypes": ["Ingress", "Egress"],
			},
		},
		"quota": {
			"apiVersion": "v1",
			"kind": "ResourceQuota",
			"metadata": {"name": "environment"},
			"spec": {"hard": {"pods": "50"}},
		},
		"team": {
			"apiVersion": "rbac.authorization.k8s.io/v1",
			"kind": "RoleBinding",
			"metadata": {"name": "team"},
			"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
			"subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "team-alpha"}],
		},
	}
}

test_a_refusal_says_where_and_what_is_offered if {
	made := namespace.deny with input as asked("alpha", {"team": "alpha", "environment": "moon"}, {})
	made == {
		{
			"expected": "one of `development`, `production`",
			"found": "moon",
			"path": "/metadata/labels/environment",
		},
	}
}
