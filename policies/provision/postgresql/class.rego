# METADATA
# scope: package
# title: PostgreSQL by CloudNativePG
# description: |-
#   A claim of type `postgresql` becomes a CloudNativePG Cluster, a daily backup, a PodMonitor where Prometheus'
#   operator is, and NetworkPolicies with which all of it works in a namespace that denies by default. The
#   operator makes the Secret `<claim>-app` with the credentials; nobody else reads it.
# custom:
#   severity: medium
#   category: provisioning
#   remedy: "`kubectl get claimclass postgresql-default -o yaml` shows what is offered."
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       versions:
#         description: The major versions that are offered.
#         type: array
#         minItems: 1
#         items: {type: string}
#         default: ["15", "16", "17"]
#       image:
#         description: The image, without its tag, which is the version.
#         type: string
#         default: ghcr.io/cloudnative-pg/postgresql
#       sizes:
#         description: What each size is, and what it costs.
#         type: object
#         additionalProperties:
#           type: object
#           additionalProperties: false
#           required: [instances, storage, cpu, memory, monthlyEUR]
#           properties:
#             instances: {description: How many servers; the first one writes., type: integer, minimum: 1}
#             storage: {description: Of each server., type: string}
#             cpu: {description: Of each server., type: string}
#             memory: {description: Of each server; also the limit., type: string}
#             monthlyEUR: {description: Euro a month., type: number, minimum: 0}
#         default:
#           small: {instances: 1, storage: 10Gi, cpu: 250m, memory: 512Mi, monthlyEUR: 12}
#           medium: {instances: 2, storage: 50Gi, cpu: "1", memory: 2Gi, monthlyEUR: 90}
#           large: {instances: 3, storage: 200Gi, cpu: "4", memory: 8Gi, monthlyEUR: 420}
#       approval:
#         description: The sizes that somebody has to agree to, and whose word counts.
#         type: object
#         additionalProperties: {type: string}
#         default: {large: platform-dba}
#       storageClass:
#         description: The StorageClass of the data; empty for the cluster's default.
#         type: string
#         default: ""
#       objectStore:
#         description: The ObjectStore of the Barman Cloud plugin that backups go to, in the claim's namespace.
#         type: string
#         default: platform-backups
#       schedule:
#         description: When backups are made; CloudNativePG's cron has six fields, seconds first.
#         type: string
#         default: "0 0 2 * * *"
#       operatorNamespace:
#         description: Where CloudNativePG runs.
#         type: string
#         default: cnpg-system
#       monitoringNamespace:
#         description: Where Prometheus runs.
#         type: string
#         default: monitoring
package provision.postgresql

import data.lib.provision

settings := input.class.settings

claim := input.claim.spec

name := provision.name

size := settings.sizes[claim.size]

deny contains {
	"path": "/spec/version",
	"found": provision.found("version"),
	"expected": provision.one_of(settings.versions),
} if {
	not is_offered
}

is_offered if claim.version in settings.versions

deny contains {
	"path": "/spec/size",
	"found": provision.found("size"),
	"expected": provision.one_of(object.keys(settings.sizes)),
} if {
	not size
}

deny contains {
	"path": "/spec/backup",
	"found": "disabled",
	"expected": "`enabled` in production",
	"remedy": "Leave `backup` out, or say `enabled`.",
} if {
	provision.is_production
	not provision.wants_backup
}

# A server does not start on the data of a newer one.
deny contains {
	"path": "/spec/version",
	"found": claim.version,
	"expected": sprintf("`%d` or newer: that is what the data was written by", [running]),
	"remedy": "Make a new claim of that version and move the data.",
} if {
	regex.match(`^[0-9]{1,4}$`, claim.version)
	to_number(claim.version) < running
}

running := to_number(found) if {
	some found in regex.find_n(`[0-9]{1,4}$`, input.observed.cluster.spec.imageName, 1)
}

approval contains {"group": group, "reason": reason} if {
	group := settings.approval[claim.size]
	reason := sprintf("a %s database costs %v EUR a month", [claim.size, size.monthlyEUR])
}

cost := size.monthlyEUR

objects["cluster"] := {
	"apiVersion": "postgresql.cnpg.io/v1",
	"kind": "Cluster",
	"metadata": {"name": name},
	"spec": object.union(archive, {
		"instances": size.instances,
		"imageName": sprintf("%s:%s", [settings.image, claim.version]),
		"storage": storage,
		"resources": {
			"requests": {"cpu": size.cpu, "memory": size.memory},
			"limits": {"memory": size.memory},
		},
		"bootstrap": {"initdb": {"database": "app", "owner": "app"}},
	}),
}

objects["backup"] := {
	"apiVersion": "postgresql.cnpg.io/v1",
	"kind": "ScheduledBackup",
	"metadata": {"name": sprintf("%s-daily", [name])},
	"spec": {
		"schedule": settings.schedule,
		"method": "plugin",
		"pluginConfiguration": {"name": "barman-cloud.cloudnative-pg.io"},
		"backupOwnerReference": "none",
		"cluster": {"name": name},
	},
} if {
	provision.wants_backup
}

objects["monitor"] := {
	"apiVersion": "monitoring.coreos.com/v1",
	"kind": "PodMonitor",
	"metadata": {"name": name},
	"spec": {
		"selector": {"matchLabels": server},
		"podMetricsEndpoints": [{"port": "metrics"}],
	},
} if {
	provision.has_kind("monitoring.coreos.com/v1/PodMonitor")
}

# What reaches the servers, and what they reach: each other, the API server (which the instance manager needs), backups.
objects["network-servers"] := provision.network_policy(
	sprintf("%s-postgresql", [name]), {"matchLabels": server}, ["Ingress", "Egress"],
	{
		"ingress": [
			{"from": [{"podSelector": {}}], "ports": provision.tcp([5432])},
			{"from": [provision.namespace(settings.operatorNamespace)], "ports": provision.tcp([8000, 5432])},
			{"from": [provision.namespace(settings.monitoringNamespace)], "ports": provision.tcp([9187])},
		],
		"egress": [
			{"to": [provision.pods(server)], "ports": provision.tcp([5432, 8000])},
			provision.dns,
			provision.api_server,
		],
	},
)

# The way out for the applications of the namespace.
objects["network-clients"] := provision.network_policy(
	sprintf("%s-postgresql-clients", [name]), {}, ["Egress"],
	{"egress": [{"to": [provision.pods(server)], "ports": provision.tcp([5432])}]},
) if {
	provision.denies_by_default
}

outputs := {output: {"secret": sprintf("%s-app", [name]), "key": key} |
	some output, key in {
		"connection_string": "uri",
		"jdbc_url": "jdbc-uri",
		"host": "host",
		"port": "port",
		"database": "dbname",
		"username": "username",
		"password": "password",
	}
}

ready if {
	some condition in input.observed.cluster.status.conditions
	condition.type == "Ready"
	condition.status == "True"
}

progress := input.observed.cluster.status.phase

server := {"cnpg.io/cluster": name}

storage := {"size": size.storage, "resizeInUseVolumes": true, "storageClass": settings.storageClass} if {
	settings.storageClass != ""
} else := {"size": size.storage, "resizeInUseVolumes": true}

archive := {"plugins": [{
	"name": "barman-cloud.cloudnative-pg.io",
	"isWALArchiver": true,
	"parameters": {"barmanObjectName": settings.objectStore},
}]} if {
	provision.wants_backup
} else := {}
