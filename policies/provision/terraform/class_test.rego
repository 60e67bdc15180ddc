package provision.terraform_test

import data.provision.terraform

settings := {
	"source": {"kind": "GitRepository", "name": "modules", "namespace": "flux-system"},
	"modules": {"bucket": {"path": "./bucket", "variables": ["region"], "outputs": ["end-point"], "monthlyEUR": 5}},
	"approver": "infrastructure",
	"interval": "15m",
}

asked(parameters, policy, there) := {
	"claim": {"metadata": {"name": "files"}, "spec": {"parameters": parameters, "deletionPolicy": policy}},
	"class": {"settings": settings},
	"observed": there,
	"capabilities": "*",
}

usual := {"module": "bucket", "variables": {"region": "eu-central-1"}}

test_a_module_of_the_platform_is_run_after_a_word if {
	given := asked(usual, "Retain", {})
	count(terraform.deny) == 0 with input as given
	terraform.cost == 5 with input as given
	wanted := terraform.approval with input as given
	{word.group | some word in wanted} == {"infrastructure"}
	made := terraform.objects with input as given
	made.run.spec.vars == [{"name": "region", "value": "eu-central-1"}]
	made.run.spec.destroyResourcesOnDeletion == false
	outputs := terraform.outputs with input as given
	outputs == {"end_point": {"secret": "files-outputs", "key": "end-point"}}
}

test_only_what_is_to_be_deleted_is_destroyed if {
	made := terraform.objects with input as asked(usual, "Delete", {})
	made.run.spec.destroyResourcesOnDeletion
}

test_other_modules_and_variables_are_refused if {
	denied := terraform.deny with input as asked({"module": "vpc", "variables": {}}, "Retain", {})
	{denial.expected | some denial in denied} == {"one of `bucket`"}
	others := {"module": "bucket", "variables": {"provider": "evil"}}
	paths := {denial.path | some denial in terraform.deny} with input as asked(others, "Retain", {})
	paths == {"/spec/parameters/variables/provider"}
}

test_ready_is_what_the_controller_says if {
	terraform.ready with input as asked(usual, "Retain", observed("True"))
	terraform.progress == "applied" with input as asked(usual, "Retain", observed("False"))
	not terraform.ready with input as asked(usual, "Retain", observed("False"))
}

observed(status) := {"run": {"status": {"conditions": [{"type": "Ready", "status": status, "message": "applied"}]}}}
