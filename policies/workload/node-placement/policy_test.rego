package workload.node_placement_test

import data.workload.node_placement

pod(spec) := {"review": {"object": {"spec": spec}}}

by_node(review) := object.union(review, {"review": {"userInfo": {"groups": ["system:nodes"]}}})

named := {
	"rule": "node-name",
	"path": "/spec/nodeName",
	"found": "node-1",
	"expected": "unset",
	"msg": "a Pod that names its node goes past the scheduler",
}

test_a_pod_that_names_its_node_is_denied if {
	node_placement.deny == {named} with input as pod({"nodeName": "node-1"})
}

test_no_node_passes if {
	node_placement.deny == set() with input as pod({"nodeName": ""})
	node_placement.deny == set() with input as pod({"nodeName": null})
	node_placement.deny == set() with input as {"review": {"object": {}}}
}

test_the_node_that_the_scheduler_gave_stays if {
	review := pod({"nodeName": "node-1"})
	same := node_placement.deny with input as review
		with input.review.oldObject as {"spec": {"nodeName": "node-1"}}
	same == set()
	other := node_placement.deny with input as review
		with input.review.oldObject as {"spec": {"nodeName": "node-2"}}
	other == {named}
	created := node_placement.deny with input as review
		with input.review.oldObject as null
	created == {named}
}

everything := {"operator": "Exists"}

test_static_pods_of_a_node_pass if {
	spec := {"nodeName": "node-1", "tolerations": [everything]}
	node_placement.deny == set() with input as by_node(pod(spec))
	users := object.union(pod(spec), {"review": {"userInfo": {"groups": ["developers"]}}})
	count(node_placement.deny) == 2 with input as users
}

tolerating(toleration) := {
	"rule": "control-plane-toleration",
	"path": "/spec/tolerations/1",
	"found": toleration,
	"expected": "left out",
	"msg": "it tolerates the taint of the control plane",
}

mild := {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}

test_tolerations_of_the_control_plane_are_denied if {
	every toleration in [
		everything,
		{"key": "", "operator": "Exists"},
		{"key": "node-role.kubernetes.io/master", "effect": "NoSchedule"},
		{"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"},
	] {
		node_placement.deny == {tolerating(toleration)} with input as pod({"tolerations": [mild, toleration]})
	}
}

test_other_tolerations_pass if {
	wish := {"operator": "Exists", "effect": "PreferNoSchedule"}
	node_placement.deny == set() with input as pod({"tolerations": [mild, wish]})
}

chosen(path, label, expected) := {
	"rule": "node-label",
	"path": path,
	"found": label,
	"expected": expected,
	"msg": sprintf("nodes are not chosen by `%s`", [label]),
}

role := "node-role.kubernetes.io/control-plane"

by_role := "/spec/nodeSelector/node-role.kubernetes.io~1control-plane"

test_roles_of_nodes_are_nobodys_choice if {
	expected := {chosen(by_role, role, "a label that is not a node's role")}
	node_placement.deny == expected with input as pod({"nodeSelector": {role: "", "disk": "ssd"}})
}

with_labels(spec, labels) := result if {
	result := node_placement.deny with input as pod(spec)
		with input.parameters.labels as labels
}

selector := {"nodeSelector": {"disk": "ssd"}}

test_the_labels_are_a_parameter if {
	with_labels(selector, ["disk"]) == set()
	with_labels({"nodeSelector": {role: ""}}, [role]) == set()
	with_labels(selector, ["zone", "arch"]) == {chosen(
		"/spec/nodeSelector/disk",
		"disk",
		"one of the labels zone, arch",
	)}
	with_labels(selector, ["zone"]) == {chosen("/spec/nodeSelector/disk", "disk", "one of the labels zone")}
	with_labels(selector, []) == {chosen("/spec/nodeSelector/disk", "disk", "left to the scheduler")}
	with_labels({}, []) == set()
}

affinity := {"affinity": {"nodeAffinity": {
	"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
		{"matchFields": [{"key": "metadata.name"}]},
		{"matchExpressions": [{"key": "zone"}, {"key": "disk"}]},
	]},
	"preferredDuringSchedulingIgnoredDuringExecution": [
		{"weight": 1, "preference": {"matchExpressions": [{"key": "arch"}]}},
	],
}}}

test_node_affinity_is_a_choice_as_well if {
	node_placement.deny == set() with input as pod(affinity)
	root := "/spec/affinity/nodeAffinity"
	required := "requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms/1/matchExpressions/1/key"
	preferred := "preferredDuringSchedulingIgnoredDuringExecution/0/preference/matchExpressions/0/key"
	result := with_labels(affinity, ["zone"])
	{entry.path | some entry in result} == {concat("/", [root, required]), concat("/", [root, preferred])}
	{entry.found | some entry in result} == {"disk", "arch"}
}

test_no_node_passes_whatever_was_assigned if {
	node_placement.deny == set() with input as pod({"nodeName": null})
		with input.review.oldObject as {"spec": {"nodeName": "node-1"}}
}

# equivalent:
#   line: 'object.get(toleration, "effect", "") != "PreferNoSchedule"'
#   becomes: 'object.get(toleration, "effect", "mutant") != "PreferNoSchedule"'
#   because: it is compared with one effect only, and neither is that
#   shownBy: test_a_pod_that_names_its_node_is_denied
