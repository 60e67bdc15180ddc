# METADATA
# scope: package
# title: Only safe kinds of volumes
# description: >-
#   Volumes that reach past the cluster's storage (the node's disk, network shares, cloud disks named
#   inline) are left out; what they offer is had through a persistentVolumeClaim.
# custom:
#   severity: high
#   category: pod-security
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods, "pods/*"], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: [PSS-restricted, CIS-5.2.12]
#   peers: [gatekeeper/K8sPSPVolumeTypes, kyverno/restrict-volume-types]
#   remedy: >-
#     Use a configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected or
#     secret volume.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       level:
#         description: Level to judge by, in every namespace. Not read with namespaceLabels.
#         type: string
#         enum: [baseline, restricted]
#         default: restricted
#       version:
#         description: Version of the standard, `latest` or `v1.N`. Not read with namespaceLabels.
#         type: string
#         pattern: ^(latest|v1\.(0|[1-9][0-9]*))$
#         default: latest
#       namespaceLabels:
#         description: >-
#           Behave as the built-in plugin. The namespace's pod-security.kubernetes.io labels choose level and
#           version; Pods are refused, workloads warned.
#         type: boolean
#         default: false
#       defaults:
#         description: Levels and versions for what a namespace has no label for. Read with namespaceLabels.
#         type: object
#         additionalProperties: false
#         default: {}
#         properties:
#           enforce: {type: string, enum: [privileged, baseline, restricted], default: privileged}
#           enforce-version: {type: string, pattern: '^(latest|v1\.(0|[1-9][0-9]*))$', default: latest}
#           audit: {type: string, enum: [privileged, baseline, restricted], default: privileged}
#           audit-version: {type: string, pattern: '^(latest|v1\.(0|[1-9][0-9]*))$', default: latest}
#           warn: {type: string, enum: [privileged, baseline, restricted], default: privileged}
#           warn-version: {type: string, pattern: '^(latest|v1\.(0|[1-9][0-9]*))$', default: latest}
#       exemptions:
#         description: Requests that are never judged.
#         type: object
#         additionalProperties: false
#         default: {}
#         properties:
#           usernames:
#             description: Authenticated users, by their whole name.
#             type: array
#             uniqueItems: true
#             items: {type: string, minLength: 1}
#             default: []
#           namespaces:
#             description: Namespaces by name.
#             type: array
#             uniqueItems: true
#             items: {type: string, minLength: 1}
#             default: []
#           runtimeClasses:
#             description: Pods with one of these runtime classes.
#             type: array
#             uniqueItems: true
#             items: {type: string, minLength: 1}
#             default: []
#   facts: []
#   needs: []
#   needsWhen: {namespaceLabels: [namespace]}
#   sensitive: false
package pod_security.restricted_volumes

import data.lib.pod_security

check := {
	"id": "restrictedVolumes",
	"level": "restricted",
	"since": 0,
	"reason": "restricted volume types",
}

deny contains pod_security.denial(standard, check, problem) if {
	standard := pod_security.enforced(check)
	some problem in problems
}

warn contains pod_security.notice(standard, check, problem) if {
	standard := pod_security.warned(check)
	some problem in problems
}

audit contains pod_security.notice(standard, check, problem) if {
	standard := pod_security.audited(check)
	some problem in problems
}

allowed_types := {
	"configMap",
	"csi",
	"downwardAPI",
	"emptyDir",
	"ephemeral",
	"image",
	"persistentVolumeClaim",
	"projected",
	"secret",
}

# In the order in which upstream looks for them. Anything else is "unknown": a type that came later than
# these rules is refused, not let through.
restricted_types := [
	"hostPath",
	"gcePersistentDisk",
	"awsElasticBlockStore",
	"gitRepo",
	"nfs",
	"iscsi",
	"glusterfs",
	"rbd",
	"flexVolume",
	"cinder",
	"cephfs",
	"flocker",
	"fc",
	"azureFile",
	"vsphereVolume",
	"quobyte",
	"azureDisk",
	"photonPersistentDisk",
	"portworxVolume",
	"scaleIO",
	"storageos",
]

problems contains {"at": at, "detail": detail} if {
	some i
	volume := input.review.object.spec.volumes[i]
	not allowed(volume)
	place := place_of(volume, i)
	expected := sprintf("unset; one of %s is allowed", [concat(", ", allowed_types)])
	at := pod_security.field(place.path, place.found, expected)
	detail := sprintf("volume \"%v\" uses restricted volume type \"%s\"", [
		object.get(volume, "name", ""),
		place.type,
	])
}

allowed(volume) if {
	some type, source in volume
	source != null
	type in allowed_types
}

# A volume that names no source is an emptyDir: the API server makes it one.
allowed(volume) if {
	sources := [type | some type, source in volume; source != null; type != "name"]
	count(sources) == 0
}

place_of(volume, i) := {"type": type, "path": path, "found": volume[type]} if {
	type := known_types(volume)[0]
	path := sprintf("/spec/volumes/%d/%s", [i, type])
}

place_of(volume, i) := {"type": "unknown", "path": path, "found": volume} if {
	count(known_types(volume)) == 0
	path := sprintf("/spec/volumes/%d", [i])
}

known_types(volume) := [type | some type in restricted_types; volume[type] != null]
