package provision.rabbitmq_test

import data.provision.rabbitmq

settings := {
	"images": {"4.1": "registry.example/rabbitmq:4.1"},
	"sizes": {
		"small": {"replicas": 1, "storage": "5Gi", "cpu": "250m", "memory": "1Gi", "monthlyEUR": 10},
		"medium": {"replicas": 3, "storage": "20Gi", "cpu": "500m", "memory": "2Gi", "monthlyEUR": 70},
	},
	"operatorNamespace": "rabbitmq-system",
	"monitoringNamespace": "monitoring",
}

asked(spec, more) := object.union(
	{
		"claim": {"metadata": {"name": "orders"}, "spec": spec},
		"namespace": {"name": "team-alpha-dev", "labels": {"managed-by": "idp"}},
		"class": {"name": "rabbitmq-default", "settings": settings},
		"observed": {},
		"capabilities": "*",
	},
	more,
)

usual := {"version": "4.1", "size": "small"}

test_the_usual_claim_is_served if {
	given := asked(usual, {})
	count(rabbitmq.deny) == 0 with input as given
	rabbitmq.cost == 10 with input as given
	made := rabbitmq.objects with input as given
	object.keys(made) == {"cluster", "network-servers", "network-clients"}
	made.cluster.spec.image == "registry.example/rabbitmq:4.1"
	outputs := rabbitmq.outputs with input as given
	outputs.connection_string == {"secret": "orders-default-user", "key": "connection_string"}
}

test_what_is_not_offered_is_refused if {
	denied := rabbitmq.deny with input as asked({"version": "3", "size": "huge"}, {})
	{denial.expected | some denial in denied} == {"one of `4.1`", "one of `medium`, `small`"}
	count(rabbitmq.deny) == 2 with input as asked({}, {})
}

test_servers_are_not_taken_away if {
	observed := {"observed": {"cluster": {"spec": {"replicas": 3}}}}
	some denial in rabbitmq.deny with input as asked(usual, observed)
	startswith(denial.expected, "a size with 3 servers or more")
	count(rabbitmq.deny) == 0 with input as asked(object.union(usual, {"size": "medium"}), observed)
}

test_a_namespace_that_allows_everything_is_not_closed if {
	given := object.remove(asked(usual, {}), ["namespace"])
	made := rabbitmq.objects with input as object.union(given, {"namespace": {"name": "a", "labels": {}}})
	object.keys(made) == {"cluster", "network-servers"}
}

test_ready_is_what_the_operator_says if {
	conditions := [{"type": "AllReplicasReady", "status": "True"}, {"type": "ClusterAvailable", "status": "True"}]
	rabbitmq.ready with input as asked(usual, {"observed": {"cluster": {"status": {"conditions": conditions}}}})
	one := array.slice(conditions, 0, 1)
	not rabbitmq.ready with input as asked(usual, {"observed": {"cluster": {"status": {"conditions": one}}}})
	not rabbitmq.ready with input as asked(usual, {})
}

test_all_that_is_made_is_as_it_is_written_here if {
	made := rabbitmq.objects with input as asked(usual, {})
	made == {
		"cluster": {
			"apiVersion": "rabbitmq.com/v1beta1",
			"kind": "RabbitmqCluster",
			"metadata": {"name": "orders"},
			"spec": {
				"image": "registry.example/rabbitmq:4.1",
				"persistence": {"storage": "5Gi"},
				"replicas": 1,
				"resources": {
					"limits": {"cpu": "250m", "memory": "1Gi"},
					"requests": {"cpu": "250m", "memory": "1Gi"},
				},
			},
		},
		"network-clients": {
			"apiVersion": "networking.k8s.io/v1",
			"kind": "NetworkPolicy",
			"metadata": {"name": "orders-rabbitmq-clients"},
			"spec": {
				"egress": [
					{
						"ports": [{"port": 5672, "protocol": "TCP"}, {"port": 5671, "protocol": "TCP"}],
						"to": [
							{
								"podSelector": {
									"matchLabels": {
										"app.kubernetes.io/component": "rabbitmq",
										"app.kubernetes.io/name": "orders",
									},
								},
							},
						],
					},
				],
				"podSelector": {},
				"policyTypes": ["Egress"],
			},
		},
		"network-servers": {
			"apiVersion": "networking.k8s.io/v1",
			"kind": "NetworkPolicy",
			"metadata": {"name": "orders-rabbitmq"},
			"spec": {
				"egress": [
					{
						"ports": [{"port": 4369, "protocol": "TCP"}, {"port": 25672, "protocol": "TCP"}],
						"to": [
							{
								"podSelector": {
									"matchLabels": {
										"app.kubernetes.io/component": "rabbitmq",
										"app.kubernetes.io/name": "orders",
									},
								},
							},
						],
					},
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
					{"ports": [{"port": 443, "protocol": "TCP"}, {"port": 6443, "protocol": "TCP"}]},
				],
				"ingress": [
					{
						"from": [{"podSelector": {}}],
						"ports": [{"port": 5672, "protocol": "TCP"}, {"port": 5671, "protocol": "TCP"}],
					},
					{
						"from": [
							{
								"podSelector": {
									"matchLabels": {
										"app.kubernetes.io/component": "rabbitmq",
										"app.kubernetes.io/name": "orders",
									},
								},
							},
						],
						"ports": [{"port": 4369, "protocol": "TCP"}, {"port": 25672, "protocol": "TCP"}],
					},
					{
						"from": [
							{
								"namespaceSelector": {
									"matchLabels": {"kubernetes.io/metadata.name": "rabbitmq-system"},
								},
							},
						],
						"ports": [{"port": 15672, "protocol": "TCP"}, {"port": 15671, "protocol": "TCP"}],
					},
					{
						"from": [
							{
								"namespaceSelector": {
									"matchLabels": {"kubernetes.io/metadata.name": "monitoring"},
								},
							},
						],
						"ports": [{"port": 15692, "protocol": "TCP"}],
					},
				],
				"podSelector": {
					"matchLabels": {
						"app.kubernetes.io/component": "rabbitmq",
						"app.kubernetes.io/name": "orders",
					},
				},
				"policyTypes": ["Ingress", "Egress"],
			},
		},
	}
}

test_a_refusal_says_where_and_what_is_offered if {
	made := rabbitmq.deny with input as asked({"version": "3", "size": "huge"}, {})
	made == {
		{"expected": "one of `4.1`", "found": "3", "path": "/spec/version"},
		{"expected": "one of `medium`, `small`", "found": "huge", "path": "/spec/size"},
	}
}

test_a_refusal_of_fewer_servers_says_what_to_do if {
	made := rabbitmq.deny with input as asked(usual, {"observed": {"cluster": {"spec": {"replicas": 3}}}})
	made == {
		{
			"expected": "a size with 3 servers or more: the operator removes none",
			"found": "small",
			"path": "/spec/size",
			"remedy": "Make a new claim of that size and move the queues.",
		},
	}
}
