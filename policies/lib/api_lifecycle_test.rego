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
