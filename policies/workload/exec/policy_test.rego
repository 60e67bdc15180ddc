package workload.exec_test

import data.workload.exec

by(subresource, options) := {
	"review": {
		"subResource": subresource,
		"name": "db-0",
		"object": options,
		"userInfo": {"username": "jane", "groups": ["developers"]},
	},
	"namespace": {"metadata": {"labels": {"environment": "production"}}},
}

refused(subresource) := {
	"rule": "running-container",
	"msg": sprintf("nobody uses `%s` on the Pods of this namespace", [subresource]),
}

test_all_ways_in_are_refused_in_production if {
	every subresource in ["attach", "exec", "portforward"] {
		exec.deny == {refused(subresource)} with input as by(subresource, {})
	}
}

test_other_subresources_pass if exec.deny == set() with input as by("log", {})

test_the_subresources_are_a_parameter if {
	result := exec.deny with input as by("portforward", {})
		with input.parameters.subresources as ["exec"]
	result == set()
	same := exec.deny with input as by("exec", {})
		with input.parameters.subresources as ["exec"]
	same == {refused("exec")}
}

test_the_environments_are_a_parameter if {
	staging := {"metadata": {"labels": {"environment": "staging"}}}
	exec.deny == set() with input as by("exec", {}) with input.namespace as staging
	listed := exec.deny with input as by("exec", {})
		with input.namespace as staging
		with input.parameters.environments as ["staging"]
	listed == {refused("exec")}
	everywhere := exec.deny with input as by("exec", {})
		with input.namespace as {}
		with input.parameters.environments as []
	everywhere == {refused("exec")}
	labelled := exec.deny with input as by("exec", {})
		with input.namespace as {"metadata": {"labels": {"stage": "production"}}}
		with input.parameters.environmentLabel as "stage"
	labelled == {refused("exec")}
}

test_the_pods_are_a_parameter if {
	every patterns in [["db-*"], ["web-*", "db-?"]] {
		result := exec.deny with input as by("exec", {})
			with input.parameters.pods as patterns
		result == {refused("exec")}
	}
	dotted := exec.deny with input as object.union(by("exec", {}), {"review": {"name": "db.shop.0"}})
		with input.parameters.pods as ["db*"]
	dotted == {refused("exec")}
	other := exec.deny with input as by("exec", {})
		with input.parameters.pods as ["web-*", "db"]
	other == set()
}

test_the_containers_are_a_parameter if {
	every options in [{"container": "db"}, {"container": ""}, {}] {
		result := exec.deny with input as by("exec", options)
			with input.parameters.containers as ["db"]
		result == {refused("exec")}
	}
	other := exec.deny with input as by("exec", {"container": "proxy"})
		with input.parameters.containers as ["db"]
	other == set()
	exec.deny == {refused("exec")} with input as by("exec", {"container": "proxy"})
}

test_who_may_break_the_glass_passes if {
	every groups in [["system:masters"], ["developers", "system:masters"]] {
		exec.deny == set() with input as by("exec", {}) with input.review.userInfo.groups as groups
	}
	given := exec.deny with input as by("exec", {})
		with input.parameters.groups as ["developers"]
	given == set()
	taken := exec.deny with input as by("exec", {})
		with input.review.userInfo.groups as ["system:masters"]
		with input.parameters.groups as ["developers"]
	taken == {refused("exec")}
}

test_a_user_without_groups_breaks_nothing if {
	exec.deny == {refused("exec")} with input as by("exec", {}) with input.review.userInfo as {}
}

copying := by("exec", {"command": ["/bin/tar", "cf", "-", "/data"]})

test_programs_are_refused_in_every_environment if {
	finding := {
		"rule": "program",
		"path": "/command/0",
		"found": "/bin/tar",
		"expected": "another program",
		"msg": "nobody runs `tar` in a running container",
	}
	result := exec.deny with input as copying
		with input.namespace as {}
		with input.parameters.programs as ["tar"]
	result == {finding}
	unset := exec.deny with input as copying with input.namespace as {}
	unset == set()
	glass := exec.deny with input as copying
		with input.review.userInfo.groups as ["system:masters"]
		with input.parameters.programs as ["tar"]
	glass == set()
	attached := exec.deny with input as object.union(copying, {"review": {"subResource": "attach"}})
		with input.namespace as {}
		with input.parameters.programs as ["tar"]
	attached == set()
}
