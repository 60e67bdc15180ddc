package workload.production_replicas_test

import data.workload.production_replicas

workload_in(environment, spec) := {
	"review": {"object": {"metadata": {"name": "web"}, "spec": spec}},
	"namespace": {"metadata": {"name": "shop", "labels": {"environment": environment}}},
}

constraint := {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}

spread := {"spec": {"topologySpreadConstraints": [constraint]}}

too_few := {
	"rule": "too-few-replicas",
	"path": "/spec/replicas",
	"expected": "at least 2 in production (absent means 1)",
}

not_spread := {
	"rule": "not-spread",
	"path": "/spec/template/spec/topologySpreadConstraints",
	"expected": "set in production (or affinity.podAntiAffinity), so that replicas do not share a node",
}

test_two_replicas_that_are_spread_pass if {
	review := workload_in("production", {"replicas": 2, "template": spread})
	production_replicas.deny == set() with input as review
}

test_absent_replicas_are_one_and_denied if {
	production_replicas.deny == {too_few} with input as workload_in("production", {"template": spread})
}

test_one_replica_is_denied_and_shown if {
	review := workload_in("production", {"replicas": 1, "template": spread})
	production_replicas.deny == {object.union(too_few, {"found": 1})} with input as review
}

test_a_workload_that_says_nothing_is_denied_for_both if {
	production_replicas.deny == {too_few, not_spread} with input as workload_in("production", {})
}

test_a_stopped_workload_passes_unless_told_otherwise if {
	review := workload_in("production", {"replicas": 0, "template": spread})
	production_replicas.deny == set() with input as review
	result := production_replicas.deny with input as review
		with input.parameters.allowZero as false
	result == {object.union(too_few, {"found": 0})}
}

test_either_kind_of_anti_affinity_keeps_replicas_apart if {
	term := {"topologyKey": "kubernetes.io/hostname"}
	every affinity in [
		{"requiredDuringSchedulingIgnoredDuringExecution": [term]},
		{"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]},
	] {
		template := {"spec": {"affinity": {"podAntiAffinity": affinity}}}
		review := workload_in("production", {"replicas": 3, "template": template})
		production_replicas.deny == set() with input as review
	}
}

test_empty_constraints_keep_nothing_apart if {
	template := {"spec": {"topologySpreadConstraints": [], "affinity": {"podAntiAffinity": {}}}}
	review := workload_in("production", {"replicas": 3, "template": template})
	production_replicas.deny == {object.union(not_spread, {"found": []})} with input as review
}

test_affinity_keeps_nothing_apart if {
	affinity := {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}
	template := {"spec": {"affinity": {"podAffinity": affinity}}}
	review := workload_in("production", {"replicas": 3, "template": template})
	production_replicas.deny == {not_spread} with input as review
}

test_spread_is_a_parameter if {
	result := production_replicas.deny with input as workload_in("production", {"replicas": 2})
		with input.parameters.spread as false
	result == set()
}

test_the_minimum_is_a_parameter if {
	two_of_three := workload_in("production", {"replicas": 2, "template": spread})
	three := production_replicas.deny with input as two_of_three
		with input.parameters.minimum as 3
	three == {object.union(too_few, {"found": 2, "expected": "at least 3 in production (absent means 1)"})}
	one := production_replicas.deny with input as workload_in("production", {"template": spread})
		with input.parameters.minimum as 1
	one == set()
}

test_other_environments_are_not_judged if {
	production_replicas.deny == set() with input as workload_in("staging", {})
}

test_an_unknown_namespace_is_not_production if {
	production_replicas.deny == set() with input as {"review": {"object": {"spec": {}}}}
}

test_a_number_of_replicas_is_a_number if {
	review := workload_in("production", {"replicas": "many", "template": spread})
	{entry.rule | some entry in production_replicas.deny} == {"too-few-replicas"} with input as review
}

test_one_is_enough_only_where_the_platform_says_so if {
	absent := workload_in("production", {"template": spread})
	production_replicas.deny == set() with input as absent
		with input.parameters.minimum as 1
	none := workload_in("production", {"replicas": 0, "template": spread})
	count(production_replicas.deny) == 1 with input as none
		with input.parameters as {"minimum": 1, "allowZero": false}
}

test_environments_are_parameters if {
	review := workload_in("staging", {"template": spread})
	production_replicas.deny == set() with input as review
	count(production_replicas.deny) == 1 with input as review
		with input.parameters.environments as ["staging"]
	named := {
		"review": review.review,
		"namespace": {"metadata": {"name": "shop", "labels": {"stage": "production"}}},
	}
	count(production_replicas.deny) == 1 with input as named
		with input.parameters.environmentLabel as "stage"
}

test_none_at_all_is_allowed_unless_the_platform_says_otherwise if {
	none := workload_in("production", {"replicas": 0, "template": spread})
	production_replicas.deny == set() with input as none
		with input.parameters.minimum as 1
}
