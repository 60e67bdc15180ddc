package provision.cluster_test

import data.provision.cluster

asked(spec, observed) := {
	"claim": {"metadata": {"name": "edge"}, "spec": spec},
	"class": {"settings": {
		"clusterClass": {"name": "standard", "namespace": "capi-classes"},
		"worker": "default-worker",
		"versions": ["1.36.2"],
		"sizes": {"small": {"controlPlane": 1, "workers": 2, "monthlyEUR": 180}},
		"approver": "platform-clusters",
	}},
	"observed": observed,
	"capabilities": "*",
}

usual := {"version": "1.36.2", "size": "small"}

test_a_cluster_needs_a_word if {
	given := asked(usual, {})
	count(cluster.deny) == 0 with input as given
	cluster.cost == 180 with input as given
	wanted := cluster.approval with input as given
	wanted == {{"group": "platform-clusters", "reason": "a small cluster costs 180 EUR a month"}}
	made := cluster.objects with input as given
	made.cluster.spec.topology.version == "v1.36.2"
	made.cluster.spec.topology.workers.machineDeployments[0].replicas == 2
	outputs := cluster.outputs with input as given
	outputs.kubeconfig == {"secret": "edge-kubeconfig", "key": "value"}
}

test_what_is_not_offered_is_refused if {
	denied := cluster.deny with input as asked({"version": "1.20.0", "size": "huge"}, {})
	{denial.expected | some denial in denied} == {"one of `1.36.2`", "one of `small`"}
	count(cluster.deny) == 2 with input as asked({}, {})
}

test_ready_is_what_cluster_api_says if {
	status := {"phase": "Provisioned", "conditions": [{"type": "Available", "status": "True"}]}
	cluster.ready with input as asked(usual, {"cluster": {"status": status}})
	cluster.progress == "the cluster is provisioned" with input as asked(usual, {"cluster": {"status": status}})
	not cluster.ready with input as asked(usual, {"cluster": {"status": {"phase": "Pending"}}})
}
