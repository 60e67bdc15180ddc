package workload.runtime_sockets_test

import data.workload.runtime_sockets

mounting(path) := {"review": {"object": {"spec": {"volumes": [
	{"name": "cache", "emptyDir": {}},
	{"name": "host", "hostPath": {"path": path}},
]}}}}

finding(path) := {
	"rule": "runtime-socket",
	"path": "/spec/volumes/1/hostPath/path",
	"found": path,
	"expected": "a path without a socket of the container runtime",
	"msg": "who reaches that socket is root on the node",
}

denied(paths) := {path |
	some path in paths
	result := runtime_sockets.deny with input as mounting(path)
	result == {finding(path)}
}

test_sockets_of_every_runtime_are_denied if {
	paths := {
		"/run/buildkit/buildkitd.sock", "/var/run/docker.sock", "/run/docker.sock",
		"/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock", "/var/run/crio/crio.sock",
		"/var/run/cri-dockerd.sock", "/run/k3s/containerd/containerd.sock", "/run/podman/podman.sock",
		"/var/run/dockershim.sock", "/var/run/rktlet.sock", "/var/run/docker/containerd/containerd.sock",
	}
	denied(paths) == paths
}

test_folders_that_hold_a_socket_are_denied if {
	paths := {"/", "/run", "/run/", "/var/run", "/var/run/crio", "/run/k3s"}
	denied(paths) == paths
}

test_other_ways_to_write_a_path_are_seen_through if {
	paths := {"/var/run//docker.sock", "//var/./run/docker.sock/", "/run/./docker.sock"}
	denied(paths) == paths
}

test_other_paths_pass if {
	every path in [
		"/var/log", "/var", "/run/my-app", "/runner", "/opt/docker.sock", "/var/lib/run/docker.sock",
		"/run/docker.sock.d",
	] {
		runtime_sockets.deny == set() with input as mounting(path)
	}
}

test_further_sockets_are_a_parameter if {
	runtime_sockets.deny == set() with input as mounting("/opt/runtime/api.sock")
	result := runtime_sockets.deny with input as mounting("/opt/runtime")
		with input.parameters.further as ["/opt/runtime/api.sock"]
	result == {finding("/opt/runtime")}
}

test_pods_without_host_paths_pass if {
	runtime_sockets.deny == set() with input as {"review": {"object": {}}}
	runtime_sockets.deny == set() with input as {"review": {"object": {"spec": {"volumes": null}}}}
	volumes := [{"name": "data", "hostPath": null}, {"name": "other", "hostPath": {}}]
	runtime_sockets.deny == set() with input as {"review": {"object": {"spec": {"volumes": volumes}}}}
}

# equivalent:
#   line: 'array.slice(target, 0, count(folder)) == folder'
#   becomes: 'array.slice(target, -1, count(folder)) == folder'
#   because: a slice that begins before the array begins with it
#   shownBy: test_sockets_of_every_runtime_are_denied
# equivalent:
#   line: 'array.slice(parts, 0, 2) == ["var", "run"]'
#   becomes: 'array.slice(parts, -1, 2) == ["var", "run"]'
#   because: a slice that begins before the array begins with it
#   shownBy: test_sockets_of_every_runtime_are_denied
