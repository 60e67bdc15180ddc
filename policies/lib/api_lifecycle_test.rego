package lib.api_lifecycle_test

import data.lib.api_lifecycle

test_a_removed_version_says_what_replaces_it if {
	api_lifecycle.of("extensions/v1beta1", "Ingress") == {
		"deprecated": 14,
		"removed": 22,
		"instead": "networking.k8s.io/v1",
	}
}

test_one_version_may_hold_kinds_of_different_ages if {
	api_lifecycle.of("extensions/v1beta1", "Deployment").removed == 16
	api_lifecycle.of("storage.k8s.io/v1beta1", "CSIDriver").removed == 22
	api_lifecycle.of("storage.k8s.io/v1beta1", "CSIStorageCapacity").removed == 27
}

test_a_kind_without_successor_names_none if {
	api_lifecycle.of("policy/v1beta1", "PodSecurityPolicy") == {"deprecated": 21, "removed": 25}
}

test_a_kind_that_stays_has_no_end if {
	api_lifecycle.of("v1", "Endpoints") == {"deprecated": 33, "instead": "discovery.k8s.io/v1"}
}

test_a_stable_version_is_not_listed if {
	not api_lifecycle.of("apps/v1", "Deployment")
	not api_lifecycle.of("v1", "Pod")
}

test_every_entry_is_deprecated_before_it_is_removed if {
	every kinds in api_lifecycle.versions {
		every entry in kinds {
			entry.deprecated < object.get(entry, "removed", 1000)
		}
	}
}

test_what_replaces_a_version_is_not_itself_gone if {
	every kinds in api_lifecycle.versions {
		every kind, entry in kinds {
			replacement := object.get(entry, "instead", "v1")
			object.get(api_lifecycle.versions, [replacement, kind, "removed"], 1000) > 37
		}
	}
}

# The same facts in the deprecation guide's order, so that one slip of the pen in either is seen.
deprecated_by_release := {
	8: {
		"apps/v1beta1": {"ControllerRevision", "Deployment", "StatefulSet"},
		"extensions/v1beta1": {"DaemonSet", "Deployment", "ReplicaSet"},
	},
	9: {
		"apps/v1beta2": {"ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"},
		"extensions/v1beta1": {"NetworkPolicy"},
	},
	11: {
		"extensions/v1beta1": {"PodSecurityPolicy"},
	},
	14: {
		"extensions/v1beta1": {"Ingress"},
		"scheduling.k8s.io/v1beta1": {"PriorityClass"},
	},
	16: {
		"admissionregistration.k8s.io/v1beta1": {
			"MutatingWebhookConfiguration",
			"ValidatingWebhookConfiguration",
		},
		"apiextensions.k8s.io/v1beta1": {"CustomResourceDefinition"},
	},
	17: {
		"rbac.authorization.k8s.io/v1beta1": {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"},
		"storage.k8s.io/v1beta1": {"CSINode"},
	},
	19: {
		"apiregistration.k8s.io/v1beta1": {"APIService"},
		"authentication.k8s.io/v1beta1": {"TokenReview"},
		"authorization.k8s.io/v1beta1": {
			"LocalSubjectAccessReview",
			"SelfSubjectAccessReview",
			"SelfSubjectRulesReview",
			"SubjectAccessReview",
		},
		"certificates.k8s.io/v1beta1": {"CertificateSigningRequest"},
		"coordination.k8s.io/v1beta1": {"Lease"},
		"networking.k8s.io/v1beta1": {"Ingress", "IngressClass"},
		"storage.k8s.io/v1beta1": {"CSIDriver", "StorageClass", "VolumeAttachment"},
		"v1": {"ComponentStatus"},
	},
	21: {
		"batch/v1beta1": {"CronJob"},
		"discovery.k8s.io/v1beta1": {"EndpointSlice"},
		"policy/v1beta1": {"PodDisruptionBudget", "PodSecurityPolicy"},
		"storage.k8s.io/v1alpha1": {"CSIStorageCapacity", "VolumeAttachment"},
	},
	22: {
		"autoscaling/v2beta1": {"HorizontalPodAutoscaler"},
		"events.k8s.io/v1beta1": {"Event"},
		"node.k8s.io/v1beta1": {"RuntimeClass"},
		"policy/v1beta1": {"Eviction"},
	},
	23: {
		"autoscaling/v2beta2": {"HorizontalPodAutoscaler"},
		"flowcontrol.apiserver.k8s.io/v1beta1": {"FlowSchema", "PriorityLevelConfiguration"},
	},
	24: {
		"storage.k8s.io/v1beta1": {"CSIStorageCapacity"},
	},
	26: {
		"flowcontrol.apiserver.k8s.io/v1beta2": {"FlowSchema", "PriorityLevelConfiguration"},
	},
	29: {
		"admissionregistration.k8s.io/v1alpha1": {
			"ValidatingAdmissionPolicy",
			"ValidatingAdmissionPolicyBinding",
		},
		"authentication.k8s.io/v1alpha1": {"SelfSubjectReview"},
		"flowcontrol.apiserver.k8s.io/v1beta3": {"FlowSchema", "PriorityLevelConfiguration"},
	},
	30: {
		"authentication.k8s.io/v1beta1": {"SelfSubjectReview"},
	},
	31: {
		"admissionregistration.k8s.io/v1beta1": {
			"ValidatingAdmissionPolicy",
			"ValidatingAdmissionPolicyBinding",
		},
	},
	32: {
		"storage.k8s.io/v1alpha1": {"VolumeAttributesClass"},
	},
	33: {
		"v1": {"Endpoints"},
	},
	34: {
		"certificates.k8s.io/v1alpha1": {"ClusterTrustBundle"},
		"networking.k8s.io/v1beta1": {"IPAddress", "ServiceCIDR"},
		"storage.k8s.io/v1beta1": {"VolumeAttributesClass"},
	},
	35: {
		"admissionregistration.k8s.io/v1alpha1": {
			"MutatingAdmissionPolicy",
			"MutatingAdmissionPolicyBinding",
		},
		"coordination.k8s.io/v1alpha2": {"LeaseCandidate"},
		"resource.k8s.io/v1beta1": {
			"DeviceClass",
			"ResourceClaim",
			"ResourceClaimTemplate",
			"ResourceSlice",
		},
	},
	36: {
		"coordination.k8s.io/v1beta1": {"LeaseCandidate"},
		"resource.k8s.io/v1alpha3": {"DeviceTaintRule"},
		"resource.k8s.io/v1beta2": {
			"DeviceClass",
			"ResourceClaim",
			"ResourceClaimTemplate",
			"ResourceSlice",
		},
	},
	37: {
		"admissionregistration.k8s.io/v1beta1": {
			"MutatingAdmissionPolicy",
			"MutatingAdmissionPolicyBinding",
		},
		"certificates.k8s.io/v1beta1": {"ClusterTrustBundle", "PodCertificateRequest"},
		"storagemigration.k8s.io/v1beta1": {"StorageVersionMigration"},
	},
}

removed_by_release := {
	16: {
		"apps/v1beta1": {"ControllerRevision", "Deployment", "StatefulSet"},
		"apps/v1beta2": {"ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"},
		"extensions/v1beta1": {
			"DaemonSet",
			"Deployment",
			"NetworkPolicy",
			"PodSecurityPolicy",
			"ReplicaSet",
		},
	},
	22: {
		"admissionregistration.k8s.io/v1beta1": {
			"MutatingWebhookConfiguration",
			"ValidatingWebhookConfiguration",
		},
		"apiextensions.k8s.io/v1beta1": {"CustomResourceDefinition"},
		"apiregistration.k8s.io/v1beta1": {"APIService"},
		"authentication.k8s.io/v1beta1": {"TokenReview"},
		"authorization.k8s.io/v1beta1": {
			"LocalSubjectAccessReview",
			"SelfSubjectAccessReview",
			"SelfSubjectRulesReview",
			"SubjectAccessReview",
		},
		"certificates.k8s.io/v1beta1": {"CertificateSigningRequest"},
		"coordination.k8s.io/v1beta1": {"Lease"},
		"extensions/v1beta1": {"Ingress"},
		"networking.k8s.io/v1beta1": {"Ingress", "IngressClass"},
		"rbac.authorization.k8s.io/v1beta1": {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"},
		"scheduling.k8s.io/v1beta1": {"PriorityClass"},
		"storage.k8s.io/v1beta1": {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"},
	},
	24: {
		"storage.k8s.io/v1alpha1": {"CSIStorageCapacity", "VolumeAttachment"},
	},
	25: {
		"autoscaling/v2beta1": {"HorizontalPodAutoscaler"},
		"batch/v1beta1": {"CronJob"},
		"discovery.k8s.io/v1beta1": {"EndpointSlice"},
		"events.k8s.io/v1beta1": {"Event"},
		"node.k8s.io/v1beta1": {"RuntimeClass"},
		"policy/v1beta1": {"Eviction", "PodDisruptionBudget", "PodSecurityPolicy"},
	},
	26: {
		"autoscaling/v2beta2": {"HorizontalPodAutoscaler"},
		"flowcontrol.apiserver.k8s.io/v1beta1": {"FlowSchema", "PriorityLevelConfiguration"},
	},
	27: {
		"storage.k8s.io/v1beta1": {"CSIStorageCapacity"},
	},
	29: {
		"flowcontrol.apiserver.k8s.io/v1beta2": {"FlowSchema", "PriorityLevelConfiguration"},
	},
	32: {
		"admissionregistration.k8s.io/v1alpha1": {
			"ValidatingAdmissionPolicy",
			"ValidatingAdmissionPolicyBinding",
		},
		"authentication.k8s.io/v1alpha1": {"SelfSubjectReview"},
		"flowcontrol.apiserver.k8s.io/v1beta3": {"FlowSchema", "PriorityLevelConfiguration"},
	},
	33: {
		"authentication.k8s.io/v1beta1": {"SelfSubjectReview"},
	},
	34: {
		"admissionregistration.k8s.io/v1beta1": {
			"ValidatingAdmissionPolicy",
			"ValidatingAdmissionPolicyBinding",
		},
	},
	35: {
		"storage.k8s.io/v1alpha1": {"VolumeAttributesClass"},
	},
	37: {
		"certificates.k8s.io/v1alpha1": {"ClusterTrustBundle"},
		"networking.k8s.io/v1beta1": {"IPAddress", "ServiceCIDR"},
		"storage.k8s.io/v1beta1": {"VolumeAttributesClass"},
	},
	38: {
		"admissionregistration.k8s.io/v1alpha1": {
			"MutatingAdmissionPolicy",
			"MutatingAdmissionPolicyBinding",
		},
		"coordination.k8s.io/v1alpha2": {"LeaseCandidate"},
		"resource.k8s.io/v1beta1": {
			"DeviceClass",
			"ResourceClaim",
			"ResourceClaimTemplate",
			"ResourceSlice",
		},
	},
	39: {
		"coordination.k8s.io/v1beta1": {"LeaseCandidate"},
		"resource.k8s.io/v1alpha3": {"DeviceTaintRule"},
		"resource.k8s.io/v1beta2": {
			"DeviceClass",
			"ResourceClaim",
			"ResourceClaimTemplate",
			"ResourceSlice",
		},
	},
	40: {
		"admissionregistration.k8s.io/v1beta1": {
			"MutatingAdmissionPolicy",
			"MutatingAdmissionPolicyBinding",
		},
		"certificates.k8s.io/v1beta1": {"ClusterTrustBundle", "PodCertificateRequest"},
		"storagemigration.k8s.io/v1beta1": {"StorageVersionMigration"},
	},
}

by_replacement := {
	"admissionregistration.k8s.io/v1": {
		"admissionregistration.k8s.io/v1alpha1": {
			"MutatingAdmissionPolicy",
			"MutatingAdmissionPolicyBinding",
			"ValidatingAdmissionPolicy",
			"ValidatingAdmissionPolicyBinding",
		},
		"admissionregistration.k8s.io/v1beta1": {
			"MutatingAdmissionPolicy",
			"MutatingAdmissionPolicyBinding",
			"MutatingWebhookConfiguration",
			"ValidatingAdmissionPolicy",
			"ValidatingAdmissionPolicyBinding",
			"ValidatingWebhookConfiguration",
		},
	},
	"apiextensions.k8s.io/v1": {
		"apiextensions.k8s.io/v1beta1": {"CustomResourceDefinition"},
	},
	"apiregistration.k8s.io/v1": {
		"apiregistration.k8s.io/v1beta1": {"APIService"},
	},
	"apps/v1": {
		"apps/v1beta1": {"ControllerRevision", "Deployment", "StatefulSet"},
		"apps/v1beta2": {"ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"},
		"extensions/v1beta1": {"DaemonSet", "Deployment", "ReplicaSet"},
	},
	"authentication.k8s.io/v1": {
		"authentication.k8s.io/v1alpha1": {"SelfSubjectReview"},
		"authentication.k8s.io/v1beta1": {"SelfSubjectReview", "TokenReview"},
	},
	"authorization.k8s.io/v1": {
		"authorization.k8s.io/v1beta1": {
			"LocalSubjectAccessReview",
			"SelfSubjectAccessReview",
			"SelfSubjectRulesReview",
			"SubjectAccessReview",
		},
	},
	"autoscaling/v2": {
		"autoscaling/v2beta1": {"HorizontalPodAutoscaler"},
		"autoscaling/v2beta2": {"HorizontalPodAutoscaler"},
	},
	"batch/v1": {
		"batch/v1beta1": {"CronJob"},
	},
	"certificates.k8s.io/v1": {
		"certificates.k8s.io/v1alpha1": {"ClusterTrustBundle"},
		"certificates.k8s.io/v1beta1": {
			"CertificateSigningRequest",
			"ClusterTrustBundle",
			"PodCertificateRequest",
		},
	},
	"coordination.k8s.io/v1": {
		"coordination.k8s.io/v1beta1": {"Lease"},
	},
	"coordination.k8s.io/v1beta1": {
		"coordination.k8s.io/v1alpha2": {"LeaseCandidate"},
	},
	"discovery.k8s.io/v1": {
		"discovery.k8s.io/v1beta1": {"EndpointSlice"},
		"v1": {"Endpoints"},
	},
	"events.k8s.io/v1": {
		"events.k8s.io/v1beta1": {"Event"},
	},
	"flowcontrol.apiserver.k8s.io/v1": {
		"flowcontrol.apiserver.k8s.io/v1beta1": {"FlowSchema", "PriorityLevelConfiguration"},
		"flowcontrol.apiserver.k8s.io/v1beta2": {"FlowSchema", "PriorityLevelConfiguration"},
		"flowcontrol.apiserver.k8s.io/v1beta3": {"FlowSchema", "PriorityLevelConfiguration"},
	},
	"networking.k8s.io/v1": {
		"extensions/v1beta1": {"Ingress", "NetworkPolicy"},
		"networking.k8s.io/v1beta1": {"IPAddress", "Ingress", "IngressClass", "ServiceCIDR"},
	},
	"node.k8s.io/v1": {
		"node.k8s.io/v1beta1": {"RuntimeClass"},
	},
	"policy/v1": {
		"policy/v1beta1": {"Eviction", "PodDisruptionBudget"},
	},
	"rbac.authorization.k8s.io/v1": {
		"rbac.authorization.k8s.io/v1beta1": {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"},
	},
	"resource.k8s.io/v1": {
		"resource.k8s.io/v1beta1": {
			"DeviceClass",
			"ResourceClaim",
			"ResourceClaimTemplate",
			"ResourceSlice",
		},
		"resource.k8s.io/v1beta2": {
			"DeviceClass",
			"ResourceClaim",
			"ResourceClaimTemplate",
			"ResourceSlice",
		},
	},
	"resource.k8s.io/v1beta2": {
		"resource.k8s.io/v1alpha3": {"DeviceTaintRule"},
	},
	"scheduling.k8s.io/v1": {
		"scheduling.k8s.io/v1beta1": {"PriorityClass"},
	},
	"storage.k8s.io/v1": {
		"storage.k8s.io/v1alpha1": {"CSIStorageCapacity", "VolumeAttachment", "VolumeAttributesClass"},
		"storage.k8s.io/v1beta1": {
			"CSIDriver",
			"CSINode",
			"CSIStorageCapacity",
			"StorageClass",
			"VolumeAttachment",
			"VolumeAttributesClass",
		},
	},
	"storagemigration.k8s.io/v1": {
		"storagemigration.k8s.io/v1beta1": {"StorageVersionMigration"},
	},
}

# The kinds of each API version whose entry has this value in this field.
with_field(field) := {value: kinds |
	some entries in api_lifecycle.versions
	some entry in entries
	value := entry[field]
	kinds := {api_version: names |
		some api_version, _ in api_lifecycle.versions
		names := {kind | some kind, other in api_lifecycle.versions[api_version]; other[field] == value}
		names != set()
	}
}

test_what_each_release_deprecates if with_field("deprecated") == deprecated_by_release

test_what_each_release_no_longer_serves if with_field("removed") == removed_by_release

test_what_takes_the_place_of_what if with_field("instead") == by_replacement
