package workload.service_discovery_test

import data.workload.service_discovery

pod(spec) := {"review": {"object": {"spec": spec}}}

links := {
	"rule": "service-links",
	"path": "/spec/enableServiceLinks",
	"expected": "false",
	"msg": "every Service of the namespace becomes environment variables of every container",
}

test_a_pod_without_links_passes if {
	service_discovery.deny == set() with input as pod({"enableServiceLinks": false})
}

test_absent_means_true if {
	service_discovery.deny == {links} with input as pod({})
	service_discovery.deny == {links} with input as {"review": {"object": {}}}
	service_discovery.deny == {links} with input as pod({"enableServiceLinks": null})
}

test_true_is_denied_and_shown if {
	expected := {object.union(links, {"found": true})}
	service_discovery.deny == expected with input as pod({"enableServiceLinks": true})
}

test_links_are_a_parameter if {
	result := service_discovery.deny with input as pod({})
		with input.parameters.serviceLinks as true
	result == set()
}

alias := {"ip": "192.0.2.7", "hostnames": ["api.example.com"]}

test_host_aliases_are_a_parameter if {
	review := pod({"enableServiceLinks": false, "hostAliases": [alias]})
	service_discovery.deny == set() with input as review
	result := service_discovery.deny with input as review
		with input.parameters.hostAliases as false
	result == {{
		"rule": "host-aliases",
		"path": "/spec/hostAliases/0",
		"found": alias,
		"expected": "left out",
		"remedy": "Leave out hostAliases, and have the name put into DNS.",
	}}
}

with_policies(spec, policies) := result if {
	result := service_discovery.deny with input as pod(object.union({"enableServiceLinks": false}, spec))
		with input.parameters.dnsPolicies as policies
}

test_dns_policies_are_a_parameter if {
	with_policies({"dnsPolicy": "None"}, []) == set()
	with_policies({"dnsPolicy": "Default"}, ["Default"]) == set()
	with_policies({"dnsPolicy": "None"}, ["Default", "ClusterFirst"]) == {{
		"rule": "dns-policy",
		"path": "/spec/dnsPolicy",
		"found": "None",
		"expected": "Default or ClusterFirst",
		"remedy": "Choose a DNS policy that is allowed.",
	}}
}

test_an_absent_dns_policy_is_cluster_first if {
	with_policies({}, ["ClusterFirst"]) == set()
	with_policies({"dnsPolicy": ""}, ["ClusterFirst"]) == set()
	with_policies({"dnsPolicy": null}, ["ClusterFirst"]) == set()
	result := with_policies({}, ["Default"])
	{entry.rule | some entry in result} == {"dns-policy"}
}

test_host_aliases_pass_whatever_else_is_set if {
	aliases := pod({"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}]})
	service_discovery.deny == set() with input as aliases
		with input.parameters as {"serviceLinks": true}
}
