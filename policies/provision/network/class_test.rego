package provision.network_test

import data.provision.network

asked(host, labels, observed) := {
	"claim": {"metadata": {"name": "shop"}, "spec": {"parameters": {
		"host": host,
		"service": "web",
		"port": 80,
		"targetPort": 8080,
		"path": "/",
		"pods": {"app": "web"},
	}}},
	"namespace": {"name": "a", "labels": labels},
	"class": {"settings": {
		"domain": "apps.example.com",
		"gateway": {"name": "public", "namespace": "gateway-system"},
		"monthlyEUR": 2,
	}},
	"observed": observed,
	"capabilities": "*",
}

alpha := {"team": "alpha"}

test_a_host_of_the_teams_own if {
	given := asked("shop.alpha.apps.example.com", alpha, {})
	count(network.deny) == 0 with input as given
	network.cost == 2 with input as given
	made := network.objects with input as given
	made.route.spec.hostnames == ["shop.alpha.apps.example.com"]
	made.route.spec.rules[0].backendRefs == [{"name": "web", "port": 80}]
	made["network-gateway"].spec.podSelector == {"matchLabels": {"app": "web"}}
}

test_a_host_of_others_is_refused if {
	every host in [
		"shop.beta.apps.example.com", "example.com", "alpha.apps.example.com", "a.b.alpha.apps.example.com",
		"*.alpha.apps.example.com", "shop.alpha.apps.example.com.evil.example", "",
	] {
		some denial in network.deny with input as asked(host, alpha, {})
		denial.expected == "a name directly below `alpha.apps.example.com`"
	}
}

test_without_a_team_there_is_no_host if {
	messages := {denial.msg | some denial in network.deny} with input as asked("shop.alpha.apps.example.com", {}, {})
	messages == {"namespace `a` has no label `team`; whose host name would it be?"}
}

test_ready_when_the_gateway_took_it if {
	taken := {"route": {"status": {"parents": [{"conditions": [{"type": "Accepted", "status": "True"}]}]}}}
	network.ready with input as asked("shop.alpha.apps.example.com", alpha, taken)
	not network.ready with input as asked("shop.alpha.apps.example.com", alpha, {})
}

test_all_that_is_made_is_as_it_is_written_here if {
	made := network.objects with input as asked("shop.alpha.apps.example.com", alpha, {})
	made == {
		"network-gateway": {
			"apiVersion": "networking.k8s.io/v1",
			"kind": "NetworkPolicy",
			"metadata": {"name": "shop-gateway"},
			"spec": {
				"ingress": [
					{
						"from": [
							{
								"namespaceSelector": {
									"matchLabels": {"kubernetes.io/metadata.name": "gateway-system"},
								},
							},
						],
						"ports": [{"port": 8080, "protocol": "TCP"}],
					},
				],
				"podSelector": {"matchLabels": {"app": "web"}},
				"policyTypes": ["Ingress"],
			},
		},
		"route": {
			"apiVersion": "gateway.networking.k8s.io/v1",
			"kind": "HTTPRoute",
			"metadata": {"name": "shop"},
			"spec": {
				"hostnames": ["shop.alpha.apps.example.com"],
				"parentRefs": [{"name": "public", "namespace": "gateway-system"}],
				"rules": [
					{
						"backendRefs": [{"name": "web", "port": 80}],
						"matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
					},
				],
			},
		},
	}
}
