# METADATA
# scope: package
# title: What classes have in common
# description: |-
#   For the packages below `provision/`: what the claim says, which kinds the cluster has, and the pieces of
#   NetworkPolicies that keep a service working in a namespace that denies by default.
package lib.provision

# The claim's name: what is made for it is named after it.
name := input.claim.metadata.name

# True where the cluster has the kind (`group/version/Kind`); a dry run without a cluster has all.
has_kind(kind) if kind in input.capabilities

has_kind(_) if input.capabilities == "*"

# True in a namespace that was provisioned: there everything is denied that is not allowed. Elsewhere a policy
# that allows one thing to all Pods would deny them all others.
denies_by_default if input.namespace.labels["managed-by"] == "idp"

is_production if input.environment == "production"

# True unless the claim says otherwise.
wants_backup if not input.claim.spec.backup == "disabled"

# What a claim's field says, as the finding of a denial has it; `absent` where it says nothing.
found(field) := object.get(input.claim.spec, field, null)

# One of the things that are offered, in words.
one_of(offered) := sprintf("one of %s", [concat(", ", [sprintf("`%v`", [it]) | some it in offered])])

# A peer of a NetworkPolicy: all Pods of a namespace.
namespace(named) := {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": named}}}

# A peer of a NetworkPolicy: Pods of the same namespace that have these labels.
pods(labels) := {"podSelector": {"matchLabels": labels}}

# Ports of a NetworkPolicy.
tcp(ports) := [{"port": port, "protocol": "TCP"} | some port in ports]

# To the cluster's name service.
dns := {
	"to": [namespace("kube-system")],
	"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
}

# To the API server, which is no Pod, and to whatever else listens where it does.
api_server := {"ports": tcp([443, 6443])}

network_policy(named, selector, types, spec) := {
	"apiVersion": "networking.k8s.io/v1",
	"kind": "NetworkPolicy",
	"metadata": {"name": named},
	"spec": object.union({"podSelector": selector, "policyTypes": types}, spec),
}
