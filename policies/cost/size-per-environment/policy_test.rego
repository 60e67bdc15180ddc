package cost.size_per_environment_test

import data.cost.size_per_environment

in_environment(environment, spec) := {
	"review": {"object": {"spec": spec}},
	"namespace": {"metadata": {"labels": {"environment": environment}}},
}

asking(kind, amounts) := {"name": "app", "resources": {kind: amounts}}

app(kind, amounts) := {"containers": [asking(kind, amounts)]}

large(kind, resource, amount, maximum, environment) := {
	"rule": "container-too-large",
	"path": sprintf("/spec/containers/0/resources/%s/%s", [kind, resource]),
	"found": amount,
	"expected": sprintf("at most %s in environment `%s`", [maximum, environment]),
}

test_the_largest_size_passes if {
	every kind in ["requests", "limits"] {
		largest := in_environment("test", app(kind, {"cpu": "4000m", "memory": "8192Mi"}))
		size_per_environment.deny == set() with input as largest
		in_production := in_environment("production", app(kind, {"cpu": "16", "memory": "64Gi"}))
		size_per_environment.deny == set() with input as in_production
	}
}

test_more_is_denied_by_the_environments_size if {
	every kind in ["requests", "limits"] {
		spec := app(kind, {"cpu": "4001m"})
		expected := {large(kind, "cpu", "4001m", "4", "other")}
		size_per_environment.deny == expected with input as in_environment("test", spec)
		size_per_environment.deny == set() with input as in_environment("production", spec)
	}
	production := in_environment("production", app("limits", {"memory": "65Gi"}))
	found := {large("limits", "memory", "65Gi", "64Gi", "production")}
	size_per_environment.deny == found with input as production
}

test_a_namespace_without_the_label_is_another if {
	unlabelled := {"review": {"object": {"spec": app("limits", {"cpu": "5"})}}, "namespace": {"metadata": {}}}
	size_per_environment.deny == {large("limits", "cpu", "5", "4", "other")} with input as unlabelled
}

test_what_cannot_be_read_is_denied if {
	unread := in_environment("test", app("limits", {"cpu": "lots"}))
	size_per_environment.deny == {large("limits", "cpu", "lots", "4", "other")} with input as unread
}

test_what_asks_for_nothing_passes if {
	size_per_environment.deny == set() with input as in_environment("test", {"containers": [{"name": "app"}]})
	size_per_environment.deny == set() with input as in_environment("test", app("limits", {"cpu": null}))
	size_per_environment.deny == set() with input as in_environment("test", null)
	whole := in_environment("test", {"resources": {"limits": {"cpu": null}}})
	size_per_environment.deny == set() with input as whole
}

together(resource, maximum, total) := {
	"rule": "pod-too-large",
	"path": "/spec/containers",
	"expected": sprintf("at most %s of %s in all in environment `other`", [maximum, resource]),
	"msg": sprintf("its containers ask for %s", [total]),
}

third := asking("requests", {"cpu": "3"})

test_containers_count_together if {
	two := in_environment("test", {"containers": [third, third]})
	size_per_environment.deny == set() with input as two
	three := in_environment("test", {"containers": [third, third, asking("requests", {"cpu": "2001m"})]})
	size_per_environment.deny == {together("cpu", "8", "8001m")} with input as three
	whole := in_environment("test", {"containers": [third, third, third]})
	size_per_environment.deny == {together("cpu", "8", "9")} with input as whole
	exact := in_environment("test", {"containers": [third, third, asking("requests", {"cpu": "2"})]})
	size_per_environment.deny == set() with input as exact
}

test_sidecars_count_and_other_init_containers_do_not if {
	sidecar := object.union(third, {"restartPolicy": "Always"})
	spec := {"initContainers": [third, sidecar], "containers": [third]}
	size_per_environment.deny == set() with input as in_environment("test", spec)
	more := object.union(spec, {"containers": [third, third]})
	size_per_environment.deny == {together("cpu", "8", "9")} with input as in_environment("test", more)
}

test_a_limit_counts_where_nothing_is_requested if {
	limited := asking("limits", {"cpu": "3"})
	both := {"name": "app", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "3"}}}
	unset := {"name": "app", "resources": {"requests": {"cpu": null}, "limits": {"cpu": "3"}}}
	many := in_environment("test", {"containers": [limited, limited, unset]})
	size_per_environment.deny == {together("cpu", "8", "9")} with input as many
	little := in_environment("test", {"containers": [both, both, both]})
	size_per_environment.deny == set() with input as little
}

test_what_the_pod_as_a_whole_says_goes_first if {
	spec := {"resources": {"requests": {"cpu": "8"}}, "containers": [third, third, third]}
	size_per_environment.deny == set() with input as in_environment("test", spec)
	every kind in ["requests", "limits"] {
		larger := {"resources": {kind: {"cpu": "9"}}, "containers": []}
		size_per_environment.deny == {{
			"rule": "pod-too-large",
			"path": sprintf("/spec/resources/%s/cpu", [kind]),
			"found": "9",
			"expected": "at most 8 in environment `other`",
		}} with input as in_environment("test", larger)
	}
}

test_sizes_and_label_are_parameters if {
	review := in_environment("test", app("limits", {"example.com/gpu": "2", "cpu": "64"}))
	result := size_per_environment.deny with input as review
		with input.parameters.sizes as {"test": {"container": {"example.com/gpu": "1"}}}
	result == {large("limits", "example.com~1gpu", "2", "1", "test")}
	unlisted := size_per_environment.deny with input as review
		with input.parameters.sizes as {"production": {"container": {"cpu": "1"}}}
	unlisted == set()
	labelled := size_per_environment.deny with input as review
		with input.parameters.sizes as {"test": {"container": {"cpu": "1"}}}
		with input.parameters.environmentLabel as "stage"
	labelled == set()
}

test_pods_have_a_size_in_each_environment if {
	sizes := {"production": {"cpu": "32", "memory": "128Gi"}, "other": {"cpu": "8", "memory": "16Gi"}}
	larger := {"cpu": "33", "memory": "129Gi"}
	every environment, size in sizes {
		as_large := in_environment(environment, {"resources": {"requests": size}})
		size_per_environment.deny == set() with input as as_large
		expected := {{
			"rule": "pod-too-large",
			"path": sprintf("/spec/resources/requests/%s", [resource]),
			"found": larger[resource],
			"expected": sprintf("at most %s in environment `%s`", [maximum, environment]),
		} |
			some resource, maximum in size
		}
		size_per_environment.deny == expected with input as in_environment(environment, {"resources": {"requests": larger}})
	}
}
