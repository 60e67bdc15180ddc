package storage.host_path_volumes_test

import data.storage.host_path_volumes

volume(spec) := {"review": {"kind": {"kind": "PersistentVolume"}, "object": {"spec": spec}}}

finding(type, path, expected) := {
	"rule": type,
	"path": sprintf("/spec/%s/path", [type]),
	"found": path,
	"expected": expected,
}

none := "unset; no directory of a node may be used"

test_directories_of_nodes_are_denied if {
	every type in ["hostPath", "local"] {
		denied := {finding(type, "/data", none)}
		host_path_volumes.deny == denied with input as volume({type: {"path": "/data"}})
	}
}

test_other_volumes_are_allowed if {
	every spec in [{"csi": {"driver": "d"}}, {"hostPath": null, "local": null}, {}, null] {
		host_path_volumes.deny == set() with input as volume(spec)
	}
}

test_an_absent_path_is_denied if {
	result := host_path_volumes.deny with input as volume({"hostPath": {}})
		with input.parameters.hostPaths as ["/"]
	result == {object.remove(finding("hostPath", "", "at or below /"), ["found"])}
}

under_data(path) := result if {
	result := host_path_volumes.deny with input as volume({"hostPath": {"path": path}})
		with input.parameters.hostPaths as ["/data", "/srv/"]
}

test_directories_that_were_set_aside_are_allowed if {
	every path in ["/data", "/data/", "/data/x/y", "/srv", "/srv/x"] {
		under_data(path) == set()
	}
}

test_what_only_resembles_them_is_denied if {
	every path in ["/database", "/", "/etc/data", "/data/../etc", "/data/..", "data"] {
		under_data(path) == {finding("hostPath", path, "at or below /data, /srv/")}
	}
}

test_each_type_has_its_own_directories if {
	local := host_path_volumes.deny with input as volume({"local": {"path": "/data"}})
		with input.parameters.hostPaths as ["/data"]
	local == {finding("local", "/data", none)}
	allowed := host_path_volumes.deny with input as volume({"local": {"path": "/data"}})
		with input.parameters.localPaths as ["/data"]
	allowed == set()
}
