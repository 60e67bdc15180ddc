package workload.probes_test

import data.workload.probes

http := {"httpGet": {"path": "/healthz", "port": 8080}}

pod(spec) := {"review": {"object": {"spec": spec}}}

app(container) := pod({"containers": [object.union({"name": "app"}, container)]})

missing(probe) := {
	"rule": sprintf("missing-%s-probe", [probe]),
	"path": sprintf("/spec/containers/0/%sProbe", [probe]),
	"expected": "set to a check (httpGet, tcpSocket, grpc or exec)",
}

both := {missing("readiness"), missing("liveness")}

test_both_probes_pass if {
	checks := [http, {"tcpSocket": {"port": 80}}, {"grpc": {"port": 80}}, {"exec": {"command": ["true"]}}]
	every check in checks {
		probes.deny == set() with input as app({"readinessProbe": check, "livenessProbe": check})
	}
}

test_absent_probes_are_denied if probes.deny == both with input as app({})

test_null_probes_are_absent_probes if {
	probes.deny == both with input as app({"readinessProbe": null, "livenessProbe": null})
}

test_a_probe_that_checks_nothing_is_denied_and_shown if {
	review := app({"readinessProbe": {"periodSeconds": 5}, "livenessProbe": http})
	probes.deny == {object.union(missing("readiness"), {"found": {"periodSeconds": 5}})} with input as review
}

test_each_container_is_judged if {
	review := pod({"containers": [{"name": "a", "readinessProbe": http, "livenessProbe": http}, {"name": "b"}]})
	result := probes.deny with input as review
	{entry.path | some entry in result} == {
		"/spec/containers/1/readinessProbe",
		"/spec/containers/1/livenessProbe",
	}
}

test_init_and_debug_containers_are_not_judged if {
	review := pod({"initContainers": [{"name": "init"}], "ephemeralContainers": [{"name": "debug"}]})
	probes.deny == set() with input as review
}

test_sidecars_are_judged_on_demand if {
	review := pod({"initContainers": [{"name": "init"}, {"name": "proxy", "restartPolicy": "Always"}]})
	probes.deny == set() with input as review
	result := probes.deny with input as review
		with input.parameters.sidecars as true
	{entry.path | some entry in result} == {
		"/spec/initContainers/1/readinessProbe",
		"/spec/initContainers/1/livenessProbe",
	}
}

test_a_debug_container_is_no_sidecar if {
	review := pod({"ephemeralContainers": [{"name": "debug", "restartPolicy": "Always"}]})
	result := probes.deny with input as review
		with input.parameters.sidecars as true
	result == set()
}

test_pods_of_jobs_and_cron_jobs_need_none if {
	every kind in ["Job", "CronJob"] {
		probes.deny == set() with input as app({})
			with input.owner as {"apiVersion": "batch/v1", "kind": kind}
	}
}

test_a_pod_made_by_the_job_controller_needs_none if {
	owner := {"apiVersion": "batch/v1", "kind": "Job", "name": "report", "uid": "1"}
	probes.deny == set() with input as app({})
		with input.review.object.metadata as {"ownerReferences": [owner]}
}

test_null_owners_own_nothing if {
	probes.deny == both with input as app({})
		with input.review.object.metadata as {"ownerReferences": null}
}

test_a_foreign_job_is_no_job if {
	owner := {"apiVersion": "example.com/v1", "kind": "Job", "name": "report", "uid": "1"}
	probes.deny == both with input as app({})
		with input.review.object.metadata as {"ownerReferences": [owner]}
}

test_pods_that_end_need_none if {
	every policy in ["Never", "OnFailure"] {
		probes.deny == set() with input as app({})
			with input.review.object.spec.restartPolicy as policy
	}
}

test_pods_of_deployments_need_both if {
	probes.deny == both with input as app({})
		with input.owner as {"apiVersion": "apps/v1", "kind": "Deployment"}
		with input.review.object.spec.restartPolicy as "Always"
}

test_the_probes_are_a_parameter if {
	result := probes.deny with input as app({})
		with input.parameters.probes as ["startup"]
	result == {missing("startup")}
}

test_only_jobs_of_kubernetes_run_to_completion if {
	probes.deny == set() with input as owned_by({"apiVersion": "batch/v1", "kind": "Job", "name": "a"})
	probes.deny == both with input as owned_by({"apiVersion": "batch/v1", "kind": "Other", "name": "a"})
	probes.deny == both with input as owned_by({"apiVersion": 7, "kind": "Job", "name": "a"})
}

owned_by(owner) := object.union(app({}), {"review": {"object": {"metadata": {"ownerReferences": [owner]}}}})
