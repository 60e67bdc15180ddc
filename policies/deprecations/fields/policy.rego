# METADATA
# scope: package
# title: Fields and annotations of the past
# description: |-
#   Much of Kubernetes began as an annotation, a beta label or a field under another name. Today's clusters
#   ignore many of them in silence: a seccomp profile in an annotation protects nothing any more. Names what
#   was replaced on Pods, Services, Ingresses, volumes and storage classes, with what to write instead.
#   What the API server writes itself for old nodes (an AppArmor annotation beside its field, the alias
#   serviceAccount beside serviceAccountName) is not held against anyone.
# custom:
#   severity: medium
#   category: deprecations
#   match:
#     resourceRules:
#       - apiGroups: [""]
#         resources: [pods, services, persistentvolumes, persistentvolumeclaims]
#         operations: [CREATE, UPDATE]
#       - {apiGroups: [networking.k8s.io], resources: [ingresses], operations: [CREATE, UPDATE]}
#       - {apiGroups: [storage.k8s.io], resources: [storageclasses], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers: []
#   remedy: Write the field that replaced it, and remove the old one.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       accepted:
#         description: >-
#           Annotations, labels and fields that may stay, by name, for example kubernetes.io/ingress.class
#           where the ingress controller still needs it.
#         type: array
#         uniqueItems: true
#         items: {type: string, minLength: 1}
#         default: []
#   facts: []
#   needs: []
#   sensitive: false
package deprecations.fields

import data.lib.fields
import data.lib.pointer

deny contains finding if {
	some name, value in annotations
	instead := replaced_annotations[kind][name]
	not name in accepted
	finding := {
		"rule": "replaced-annotation",
		"path": pointer.annotation(name),
		"found": value,
		"expected": sprintf("left out, for %s says it now", [instead]),
	}
}

# Profiles of single containers, whose names end the annotation's.
deny contains finding if {
	kind == "Pod"
	some name, value in annotations
	some prefix, field in profiles
	startswith(name, prefix)
	not prefix in accepted
	not says_it_in_the_field(trim_prefix(name, prefix), field)
	finding := {
		"rule": "replaced-annotation",
		"path": pointer.annotation(name),
		"found": value,
		"expected": sprintf("left out, for securityContext.%s of the container says it now", [field]),
	}
}

deny contains finding if {
	kind == "Pod"
	some name, value in fields.object_at(spec, "nodeSelector")
	instead := replaced_node_labels[name]
	not name in accepted
	finding := {
		"rule": "replaced-label",
		"path": concat("", ["/spec/nodeSelector/", pointer.segment(name)]),
		"found": value,
		"expected": sprintf("left out, for nodes are labelled %s now", [instead]),
	}
}

deny contains finding if {
	kind == "Pod"
	alias := spec.serviceAccount
	not alias in {null, "", object.get(spec, "serviceAccountName", null)}
	not "serviceAccount" in accepted
	finding := {
		"rule": "replaced-field",
		"path": "/spec/serviceAccount",
		"found": alias,
		"expected": "left out, for spec.serviceAccountName says it now",
	}
}

deny contains finding if {
	kind == "Pod"
	some index, volume in fields.list_at(spec, "volumes")
	fields.present(volume, "gitRepo")
	not "gitRepo" in accepted
	finding := {
		"rule": "replaced-field",
		"path": sprintf("/spec/volumes/%d/gitRepo", [index]),
		"found": volume.gitRepo,
		"expected": "left out, for an init container clones into an emptyDir volume",
	}
}

deny contains finding if {
	kind == "Service"
	address := spec.loadBalancerIP
	not address in {null, ""}
	not "loadBalancerIP" in accepted
	finding := {
		"rule": "replaced-field",
		"path": "/spec/loadBalancerIP",
		"found": address,
		"expected": "left out, for an annotation of the load balancer's provider says it now",
	}
}

# The API server writes the AppArmor annotation from the field, for nodes that read only the annotation.
says_it_in_the_field(_, field) if fields.present(fields.object_at(spec, "securityContext"), field)

says_it_in_the_field(name, field) if {
	some list in ["containers", "initContainers"]
	some container in fields.list_at(spec, list)
	container.name == name
	fields.present(fields.object_at(container, "securityContext"), field)
}

kind := input.review.kind.kind

spec := fields.object_at(input.review.object, "spec")

annotations := fields.object_at(fields.object_at(input.review.object, "metadata"), "annotations")

accepted := object.get(input, ["parameters", "accepted"], [])

# By kind, what says the same today.
replaced_annotations := {
	"Ingress": {"kubernetes.io/ingress.class": "spec.ingressClassName"},
	"PersistentVolume": {"volume.beta.kubernetes.io/storage-class": "spec.storageClassName"},
	"PersistentVolumeClaim": {"volume.beta.kubernetes.io/storage-class": "spec.storageClassName"},
	"Pod": {
		"pod.alpha.kubernetes.io/init-containers": "spec.initContainers",
		"pod.beta.kubernetes.io/hostname": "spec.hostname",
		"pod.beta.kubernetes.io/init-containers": "spec.initContainers",
		"pod.beta.kubernetes.io/subdomain": "spec.subdomain",
		"scheduler.alpha.kubernetes.io/affinity": "spec.affinity",
		"scheduler.alpha.kubernetes.io/critical-pod": "spec.priorityClassName",
		"scheduler.alpha.kubernetes.io/tolerations": "spec.tolerations",
		"seccomp.security.alpha.kubernetes.io/pod": "spec.securityContext.seccompProfile",
		"security.alpha.kubernetes.io/sysctls": "spec.securityContext.sysctls",
		"security.alpha.kubernetes.io/unsafe-sysctls": "spec.securityContext.sysctls",
	},
	"Service": {
		"service.alpha.kubernetes.io/tolerate-unready-endpoints": "spec.publishNotReadyAddresses",
		"service.kubernetes.io/topology-aware-hints": "spec.trafficDistribution",
	},
	"StorageClass": {"storageclass.beta.kubernetes.io/is-default-class": default_class},
}

default_class := "the annotation storageclass.kubernetes.io/is-default-class"

profiles := {
	"container.apparmor.security.beta.kubernetes.io/": "appArmorProfile",
	"container.seccomp.security.alpha.kubernetes.io/": "seccompProfile",
}

replaced_node_labels := {
	"beta.kubernetes.io/arch": "kubernetes.io/arch",
	"beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
	"beta.kubernetes.io/os": "kubernetes.io/os",
	"failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
	"failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
	"node-role.kubernetes.io/master": "node-role.kubernetes.io/control-plane",
}
