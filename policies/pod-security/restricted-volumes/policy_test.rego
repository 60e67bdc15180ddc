package pod_security.restricted_volumes_test

import data.pod_security.restricted_volumes

# A Pod that breaks the rule.
bad := {"volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "share", "nfs": {"server": "s", "path": "/"}}]}

test_a_restricted_type_is_refused_in_upstreams_words if {
	denied(bad, {"level": "restricted", "version": "v1.0"}) == {{
		"rule": "restrictedVolumes",
		"path": "/spec/volumes/1/nfs",
		"found": {"server": "s", "path": "/"},
		"expected": concat("", [
			"unset; one of configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, ",
			"projected, secret is allowed",
		]),
		"msg": concat("", [
			"violates PodSecurity \"restricted:v1.0\": restricted volume types ",
			"(volume \"share\" uses restricted volume type \"nfs\")",
		]),
	}}
}

test_every_restricted_type_is_refused_by_its_name if {
	types := [
		"awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "fc", "flexVolume", "flocker",
		"gcePersistentDisk", "gitRepo", "glusterfs", "hostPath", "iscsi", "nfs", "photonPersistentDisk",
		"portworxVolume", "quobyte", "rbd", "scaleIO", "storageos", "vsphereVolume",
	]
	every type in types {
		found := denied({"volumes": [{"name": "v", type: {}}]}, {"level": "restricted"})
		places(found) == {[sprintf("/spec/volumes/0/%s", [type]), {}]}
		words := sprintf("uses restricted volume type \"%s\")", [type])
		{endswith(finding.msg, words) | some finding in found} == {true}
	}
}

test_a_type_that_came_later_is_refused_as_unknown if {
	found := denied({"volumes": [{"name": "v", "holographic": {}}]}, {"level": "restricted"})
	places(found) == {["/spec/volumes/0", {"name": "v", "holographic": {}}]}
	words := "(volume \"v\" uses restricted volume type \"unknown\")"
	{endswith(finding.msg, words) | some finding in found} == {true}
}

test_allowed_types_pass if {
	types := [
		"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim",
		"projected", "secret",
	]
	every type in types {
		denied({"volumes": [{"name": "v", type: {}}]}, {"level": "restricted"}) == set()
	}
}

test_absent_sources_are_the_api_servers_empty_dir if {
	denied({"volumes": [{"name": "v"}, {"name": "w", "hostPath": null}]}, {"level": "restricted"}) == set()
	denied({"volumes": null}, {"level": "restricted"}) == set()
	denied({}, {"level": "restricted"}) == set()
}

test_baseline_does_not_have_the_check if denied(bad, {"level": "baseline"}) == set()

test_with_namespace_labels_pods_are_refused_and_workloads_warned if {
	request := {
		"review": {"operation": "CREATE", "object": {"spec": bad}},
		"namespace": {"metadata": {"name": "shop", "labels": {
			"pod-security.kubernetes.io/enforce": "restricted",
			"pod-security.kubernetes.io/audit": "restricted",
		}}},
		"parameters": {"namespaceLabels": true},
	}
	count(restricted_volumes.deny) == 1 with input as request
	count(restricted_volumes.warn) == 1 with input as request
	count(restricted_volumes.audit) == 1 with input as request
	workload := object.union(request, {"owner": {"kind": "Deployment"}})
	restricted_volumes.deny == set() with input as workload
	restricted_volumes.warn == {finding |
		some denial in restricted_volumes.deny with input as request
		msg := replace(denial.msg, "violates", "would violate")
		finding := object.union(denial, {"msg": msg})
	} with input as workload
	restricted_volumes.audit == restricted_volumes.warn with input as workload
}

test_null_lists_hold_nothing_to_refuse if {
	spec := {
		"initContainers": null,
		"containers": null,
		"ephemeralContainers": null,
		"volumes": null,
		"securityContext": null,
	}
	denied(spec, {"level": "restricted"}) == set()
}

test_in_a_privileged_namespace_nothing_is_said if {
	request := {
		"review": {"operation": "CREATE", "object": {"spec": bad}},
		"namespace": {"metadata": {
			"name": "shop",
			"labels": {"pod-security.kubernetes.io/enforce": "privileged"},
		}},
		"parameters": {"namespaceLabels": true},
	}
	restricted_volumes.deny == set() with input as request
	restricted_volumes.warn == set() with input as request
	restricted_volumes.audit == set() with input as request
}

# Denials of a new Pod with this spec.
denied(spec, parameters) := findings if {
	findings := restricted_volumes.deny with input as {
		"review": {"operation": "CREATE", "object": {"metadata": {"name": "p"}, "spec": spec}},
		"parameters": parameters,
	}
}

# What was found where; "absent" stands for a field that is not there.
places(findings) := {[finding.path, object.get(finding, "found", "absent")] | some finding in findings}

test_a_source_of_null_is_none if {
	found := denied({"volumes": [{"name": "a", "configMap": null, "nfs": {}}]}, {"level": "restricted"})
	count(found) == 1
}

test_a_volume_without_a_name_has_none if {
	found := denied({"volumes": [{"nfs": {}}]}, {"level": "restricted"})
	{contains(finding.msg, "volume \"\" uses") | some finding in found} == {true}
}

# equivalent:
#   line: '"since": 0,'
#   becomes: '"since": -1,'
#   because: minor versions begin at 0, so nothing is before either
#   shownBy: test_a_restricted_type_is_refused_in_upstreams_words
