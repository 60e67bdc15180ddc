# METADATA
# scope: package
# title: Terraform or OpenTofu module
# description: |-
#   A claim of type `terraform` runs one of the platform's own modules by the tofu-controller; what the module gives
#   back lies in the Secret `<claim>-outputs`. Nothing runs before somebody agreed.
# custom:
#   severity: high
#   category: provisioning
#   remedy: "`kubectl get claimclass terraform-default -o yaml` shows the modules that are offered."
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       source:
#         description: Where the modules are.
#         type: object
#         additionalProperties: false
#         required: [kind, name, namespace]
#         properties:
#           kind: {enum: [GitRepository, Bucket, OCIRepository]}
#           name: {type: string}
#           namespace: {type: string}
#         default: {kind: GitRepository, name: platform-modules, namespace: flux-system}
#       modules:
#         description: The modules that are offered, with the variables that a claim may set.
#         type: object
#         additionalProperties:
#           type: object
#           additionalProperties: false
#           required: [path, variables, outputs, monthlyEUR]
#           properties:
#             path: {description: Folder in the source., type: string}
#             variables: {type: array, items: {type: string}}
#             outputs: {type: array, items: {type: string}}
#             monthlyEUR: {description: Euro a month., type: number, minimum: 0}
#         default:
#           bucket: {path: ./bucket, variables: [region, versioning], outputs: [bucket, endpoint], monthlyEUR: 5}
#       approver:
#         description: The group that agrees to every module.
#         type: string
#         default: platform-infrastructure
#       interval:
#         description: How often what is there is compared with the module.
#         type: string
#         default: 15m
package provision.terraform

import data.lib.provision

settings := input.class.settings

parameters := input.claim.spec.parameters

name := provision.name

module := settings.modules[parameters.module]

deny contains {
	"path": "/spec/parameters/module",
	"found": parameters.module,
	"expected": provision.one_of(object.keys(settings.modules)),
} if {
	not module
}

deny contains {
	"path": sprintf("/spec/parameters/variables/%s", [variable]),
	"found": variable,
	"expected": provision.one_of(module.variables),
} if {
	some variable, _ in parameters.variables
	not variable in module.variables
}

approval contains {"group": settings.approver, "reason": reason} if {
	reason := sprintf("the module `%s` makes things outside of the cluster", [parameters.module])
}

cost := module.monthlyEUR

objects["run"] := {
	"apiVersion": "infra.contrib.fluxcd.io/v1alpha2",
	"kind": "Terraform",
	"metadata": {"name": name},
	"spec": {
		"path": module.path,
		"sourceRef": settings.source,
		"interval": settings.interval,
		# Whoever agreed to the claim has agreed to the plan.
		"approvePlan": "auto",
		"destroyResourcesOnDeletion": input.claim.spec.deletionPolicy == "Delete",
		"vars": [{"name": variable, "value": value} | some variable, value in parameters.variables],
		"writeOutputsToSecret": {"name": secret, "outputs": module.outputs},
	},
}

outputs := {replace(output, "-", "_"): {"secret": secret, "key": output} | some output in module.outputs}

ready if {
	some condition in input.observed.run.status.conditions
	condition.type == "Ready"
	condition.status == "True"
}

progress := message if {
	some condition in input.observed.run.status.conditions
	condition.type == "Ready"
	message := condition.message
}

secret := sprintf("%s-outputs", [name])
