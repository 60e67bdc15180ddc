package provision.postgresql_test

import data.provision.postgresql

settings := {
	"versions": ["15", "16"],
	"image": "registry.example/postgresql",
	"sizes": {
		"small": {"instances": 1, "storage": "10Gi", "cpu": "250m", "memory": "512Mi", "monthlyEUR": 12},
		"large": {"instances": 3, "storage": "200Gi", "cpu": "4", "memory": "8Gi", "monthlyEUR": 420},
	},
	"approval": {"large": "platform-dba"},
	"storageClass": "",
	"objectStore": "backups",
	"schedule": "0 0 2 * * *",
	"operatorNamespace": "cnpg-system",
	"monitoringNamespace": "monitoring",
}

asked(spec, more) := object.union(
	{
		"claim": {"metadata": {"name": "database"}, "spec": spec},
		"namespace": {"name": "team-alpha-dev", "labels": {"managed-by": "idp"}},
		"environment": "development",
		"class": {"name": "postgresql-default", "settings": settings},
		"observed": {},
		"capabilities": "*",
	},
	more,
)

seed := {"type": "postgresql", "version": "15", "size": "small", "backup": "enabled"}

test_the_usual_claim_is_served if {
	given := asked(seed, {})
	count(postgresql.deny) == 0 with input as given
	postgresql.cost == 12 with input as given
	count(postgresql.approval) == 0 with input as given
	made := postgresql.objects with input as given
	object.keys(made) == {"cluster", "backup", "monitor", "network-servers", "network-clients"}
	made.cluster.spec.imageName == "registry.example/postgresql:15"
	made.cluster.spec.plugins[0].parameters.barmanObjectName == "backups"
	made.backup.spec.schedule == "0 0 2 * * *"
	outputs := postgresql.outputs with input as given
	outputs.connection_string == {"secret": "database-app", "key": "uri"}
	not postgresql.ready with input as given
}

test_what_is_not_offered_is_refused if {
	denied := postgresql.deny with input as asked({"version": "9", "size": "huge"}, {})
	{denial.path | some denial in denied} == {"/spec/version", "/spec/size"}
	{denial.expected | some denial in denied} == {"one of `15`, `16`", "one of `large`, `small`"}
}

test_what_is_not_said_is_refused if {
	denied := postgresql.deny with input as asked({}, {})
	{denial.found | some denial in denied} == {null}
	count(denied) == 2
}

test_production_has_backups if {
	off := object.union(seed, {"backup": "disabled"})
	some denial in postgresql.deny with input as asked(off, {"environment": "production"})
	denial.path == "/spec/backup"
	count(postgresql.deny) == 0 with input as asked(off, {})
	count(postgresql.deny) == 0 with input as asked(object.remove(seed, ["backup"]), {"environment": "production"})
}

test_without_backup_nothing_is_archived if {
	made := postgresql.objects with input as asked(object.union(seed, {"backup": "disabled"}), {})
	not made.backup
	not made.cluster.spec.plugins
}

test_large_ones_need_a_word if {
	wanted := postgresql.approval with input as asked(object.union(seed, {"size": "large"}), {})
	wanted == {{"group": "platform-dba", "reason": "a large database costs 420 EUR a month"}}
}

test_data_is_not_given_to_an_older_server if {
	observed := {"observed": {"cluster": {"spec": {"imageName": "registry.example/postgresql:16"}}}}
	some denial in postgresql.deny with input as asked(seed, observed)
	startswith(denial.expected, "`16` or newer")
	count(postgresql.deny) == 0 with input as asked(object.union(seed, {"version": "16"}), observed)
}

test_without_prometheus_there_is_no_monitor if {
	made := postgresql.objects with input as asked(seed, {"capabilities": ["postgresql.cnpg.io/v1/Cluster"]})
	not made.monitor
}

test_a_namespace_that_allows_everything_is_not_closed if {
	given := object.remove(asked(seed, {}), ["namespace"])
	made := postgresql.objects with input as object.union(given, {"namespace": {"name": "a", "labels": {}}})
	not made["network-clients"]
	made["network-servers"]
}

test_a_storage_class_of_the_platform_is_used if {
	chosen := object.union(settings, {"storageClass": "fast"})
	made := postgresql.objects with input as asked(seed, {"class": {"name": "c", "settings": chosen}})
	made.cluster.spec.storage.storageClass == "fast"
}

test_ready_is_what_the_operator_says if {
	status := {"phase": "Cluster in healthy state", "conditions": [{"type": "Ready", "status": "True"}]}
	given := asked(seed, {"observed": {"cluster": {"status": status}}})
	postgresql.ready with input as given
	postgresql.progress == "Cluster in healthy state" with input as given
	other := {"conditions": [{"type": "Ready", "status": "False"}]}
	not postgresql.ready with input as asked(seed, {"observed": {"cluster": {"status": other}}})
}

test_all_that_is_made_is_as_it_is_written_here if {
	made := postgresql.objects with input as asked(seed, {})
	made == {
		"backup": {
			"apiVersion": "postgresql.cnpg.io/v1",
			"kind": "ScheduledBackup",
			"metadata": {"name": "database-daily"},
			"spec": {
				"backupOwnerReference": "none",
				"cluster": {"name": "database"},
				"method": "plugin",
				"pluginConfiguration": {"name": "barman-cloud.cloudnative-pg.io"},
				"schedule": "0 0 2 * * *",
			},
		},
		"cluster": {
			"apiVersion": "postgresql.cnpg.io/v1",
			"kind": "Cluster",
			"metadata": {"name": "database"},
			"spec": {
				"bootstrap": {"initdb": {"database": "app", "owner": "app"}},
				"imageName": "registry.example/postgresql:15",
				"instances": 1,
				"plugins": [
					{
						"isWALArchiver": true,
						"name": "barman-cloud.cloudnative-pg.io",
						"parameters": {"barmanObjectName": "backups"},
					},
				],
				"resources": {
					"limits": {"memory": "512Mi"},
					"requests": {"cpu": "250m", "memory": "512Mi"},
				},
				"storage": {"resizeInUseVolumes": true, "size": "10Gi"},
			},
		},
		"monitor": {
			"apiVersion": "monitoring.coreos.com/v1",
			"kind": "PodMonitor",
			"metadata": {"name": "database"},
			"spec": {
				"podMetricsEndpoints": [{"port": "metrics"}],
				"selector": {"matchLabels": {"cnpg.io/cluster": "database"}},
			},
		},
		"network-clients": {
			"apiVersion": "networking.k8s.io/v1",
			"kind": "NetworkPolicy",
			"metadata": {"name": "database-postgresql-clients"},
			"spec": {
				"egress": [
					{
						"ports": [{"port": 5432, "protocol": "TCP"}],
						"to": [{"podSelector": {"matchLabels": {"cnpg.io/cluster": "database"}}}],
					},
				],
				"podSelector": {},
				"policyTypes": ["Egress"],
			},
		},
		"network-servers": {
			"apiVersion": "networking.k8s.io/v1",
			"kind": "NetworkPolicy",
			"metadata": {"name": "database-postgresql"},
			"spec": {
				"egress": [
					{
						"ports": [{"port": 5432, "protocol": "TCP"}, {"port": 8000, "protocol": "TCP"}],
						"to": [{"podSelector": {"matchLabels": {"cnpg.io/cluster": "database"}}}],
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
					{"from": [{"podSelector": {}}], "ports": [{"port": 5432, "protocol": "TCP"}]},
					{
						"from": [
							{
								"namespaceSelector": {
									"matchLabels": {"kubernetes.io/metadata.name": "cnpg-system"},
								},
							},
						],
						"ports": [{"port": 8000, "protocol": "TCP"}, {"port": 5432, "protocol": "TCP"}],
					},
					{
						"from": [
							{
								"namespaceSelector": {
									"matchLabels": {"kubernetes.io/metadata.name": "monitoring"},
								},
							},
						],
						"ports": [{"port": 9187, "protocol": "TCP"}],
					},
				],
				"podSelector": {"matchLabels": {"cnpg.io/cluster": "database"}},
				"policyTypes": ["Ingress", "Egress"],
			},
		},
	}
}

test_all_that_is_handed_back_is_as_it_is_written_here if {
	made := postgresql.outputs with input as asked(seed, {})
	made == {
		"connection_string": {"key": "uri", "secret": "database-app"},
		"database": {"key": "dbname", "secret": "database-app"},
		"host": {"key": "host", "secret": "database-app"},
		"jdbc_url": {"key": "jdbc-uri", "secret": "database-app"},
		"password": {"key": "password", "secret": "database-app"},
		"port": {"key": "port", "secret": "database-app"},
		"username": {"key": "username", "secret": "database-app"},
	}
}

test_a_refusal_says_where_and_what_is_offered if {
	made := postgresql.deny with input as asked({"version": "9", "size": "huge"}, {})
	made == {
		{"expected": "one of `15`, `16`", "found": "9", "path": "/spec/version"},
		{"expected": "one of `large`, `small`", "found": "huge", "path": "/spec/size"},
	}
}
