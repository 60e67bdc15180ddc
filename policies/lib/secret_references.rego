# METADATA
# scope: package
# title: Every Secret that a Pod names
# description: |-
#   The places of a Pod's spec that name a Secret of its namespace, the list being that of
#   k8s.io/kubernetes/pkg/api/v1/pod, VisitPodSecretNames: environment variables of containers of every kind,
#   volumes (also those of storage drivers that are long gone from clusters, but not from the API), and pull
#   secrets.
package lib.secret_references

import data.lib.containers
import data.lib.fields

# As {"path", "seen", "optional"}, and "name" where one is given. `seen` is {"found": name} or {}, to be
# merged into a finding; `optional` is true where the Pod starts without the Secret.
all contains entry if {
	some place in containers.all
	some index, variable in fields.list_at(place.container, "env")
	reference := variable.valueFrom.secretKeyRef
	entry := at(sprintf("%s/env/%d/valueFrom/secretKeyRef/name", [place.path, index]), reference, "name")
}

all contains entry if {
	some place in containers.all
	some index, source in fields.list_at(place.container, "envFrom")
	entry := at(sprintf("%s/envFrom/%d/secretRef/name", [place.path, index]), source.secretRef, "name")
}

all contains entry if {
	some index, volume in volumes
	entry := at(sprintf("/spec/volumes/%d/secret/secretName", [index]), volume.secret, "secretName")
}

all contains entry if {
	some index, volume in volumes
	some number, source in fields.list_at(fields.object_at(volume, "projected"), "sources")
	path := sprintf("/spec/volumes/%d/projected/sources/%d/secret/name", [index, number])
	entry := at(path, source.secret, "name")
}

all contains entry if {
	some index, volume in volumes
	path := sprintf("/spec/volumes/%d/csi/nodePublishSecretRef/name", [index])
	entry := at(path, volume.csi.nodePublishSecretRef, "name")
}

all contains entry if {
	some index, volume in volumes
	entry := at(sprintf("/spec/volumes/%d/azureFile/secretName", [index]), volume.azureFile, "secretName")
}

all contains entry if {
	some index, volume in volumes
	some driver in ["cephfs", "cinder", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"]
	path := sprintf("/spec/volumes/%d/%s/secretRef/name", [index, driver])
	entry := at(path, volume[driver].secretRef, "name")
}

# A pull secret without a name, which charts like to leave behind, names nothing, and the API accepts it.
all contains entry if {
	some index, secret in fields.list_at(spec, "imagePullSecrets")
	secret.name != ""
	entry := at(sprintf("/spec/imagePullSecrets/%d/name", [index]), secret, "name")
}

spec := fields.object_at(input.review.object, "spec")

volumes := fields.list_at(spec, "volumes")

at(path, reference, key) := object.union_n([
	{"path": path, "seen": fields.seen(reference, key), "optional": optional(reference)},
	name_of(reference, key),
]) if {
	is_object(reference)
}

name_of(reference, key) := {"name": reference[key]} if {
	is_string(reference[key])
} else := {}

optional(reference) if {
	reference.optional == true
} else := false
