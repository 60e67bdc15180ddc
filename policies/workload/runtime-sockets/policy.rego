# METADATA
# scope: package
# title: No sockets of the container runtime
# description: |-
#   Whoever can speak to the socket of Docker, containerd or CRI-O starts any container on the node, with any
#   right: it is root there, past every other policy. No hostPath volume names such a socket, nor a folder
#   that holds one. Paths are compared as the node reads them: `/var/run//docker.sock` is
#   `/run/docker.sock`.
# custom:
#   severity: critical
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [CIS-5.2.12, NSA-pod-security, T1610, T1611]
#   peers: [kyverno/disallow-cri-sock-mount]
#   remedy: >-
#     Remove the volume; build images with a tool that needs no runtime's socket, such as BuildKit or Kaniko.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       further:
#         description: Paths of further sockets on the nodes.
#         type: array
#         uniqueItems: true
#         items: {type: string, pattern: '^/.'}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package workload.runtime_sockets

import data.lib.fields

deny contains finding if {
	some index, volume in fields.list_at(input.review.object.spec, "volumes")
	path := volume.hostPath.path
	holds_socket(segments(path))
	finding := {
		"rule": "runtime-socket",
		"path": sprintf("/spec/volumes/%d/hostPath/path", [index]),
		"found": path,
		"expected": "a path without a socket of the container runtime",
		"msg": "who reaches that socket is root on the node",
	}
}

# The socket itself, or a folder above it.
holds_socket(folder) if {
	some socket in sockets
	target := segments(socket)
	array.slice(target, 0, count(folder)) == folder
}

# The parts of a path; /var/run is a link to /run on every node of today.
segments(path) := array.slice(parts, 1, count(parts)) if {
	parts := parts_of(path)
	array.slice(parts, 0, 2) == ["var", "run"]
} else := parts_of(path)

parts_of(path) := [part |
	some part in split(path, "/")
	not part in {"", "."}
]

sockets := array.concat(known, object.get(input, ["parameters", "further"], []))

known := [
	"/run/buildkit/buildkitd.sock",
	"/run/containerd/containerd.sock",
	"/run/cri-dockerd.sock",
	"/run/crio/crio.sock",
	"/run/docker.sock",
	"/run/docker/containerd/containerd.sock",
	"/run/dockershim.sock",
	"/run/k3s/containerd/containerd.sock",
	"/run/podman/podman.sock",
	"/run/rktlet.sock",
]
