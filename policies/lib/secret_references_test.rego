package lib.secret_references_test

import data.lib.secret_references

references(spec) := result if {
	result := secret_references.all with input.review.object as {"spec": spec}
}

named(path, name) := {"path": path, "name": name, "seen": {"found": name}, "optional": false}

test_environments_of_every_kind_of_container_are_read if {
	key := {"secretKeyRef": {"name": "a", "key": "k"}}
	container := {
		"name": "c",
		"env": [{"name": "PLAIN", "value": "x"}, {"name": "KEY", "valueFrom": key}],
		"envFrom": [{"configMapRef": {"name": "m"}}, {"secretRef": {"name": "b"}}],
	}
	lists := ["initContainers", "containers", "ephemeralContainers"]
	references({list: [container] | some list in lists}) == {entry |
		some list in lists
		some entry in [
			named(sprintf("/spec/%s/0/env/1/valueFrom/secretKeyRef/name", [list]), "a"),
			named(sprintf("/spec/%s/0/envFrom/1/secretRef/name", [list]), "b"),
		]
	}
}

test_volumes_of_every_kind_are_read if {
	volumes := [
		{"secret": {"secretName": "s"}},
		{"projected": {"sources": [{"configMap": {"name": "m"}}, {"secret": {"name": "p"}}]}},
		{"csi": {"driver": "d", "nodePublishSecretRef": {"name": "c"}}},
		{"azureFile": {"shareName": "f", "secretName": "a"}},
		{"cephfs": {"secretRef": {"name": "v4"}}},
		{"cinder": {"secretRef": {"name": "v5"}}},
		{"flexVolume": {"secretRef": {"name": "v6"}}},
		{"iscsi": {"secretRef": {"name": "v7"}}},
		{"rbd": {"secretRef": {"name": "v8"}}},
		{"scaleIO": {"secretRef": {"name": "v9"}}},
		{"storageos": {"secretRef": {"name": "v10"}}},
		{"configMap": {"name": "m"}},
		{"iscsi": {}},
	]
	references({"volumes": volumes}) == {
		named("/spec/volumes/0/secret/secretName", "s"),
		named("/spec/volumes/1/projected/sources/1/secret/name", "p"),
		named("/spec/volumes/2/csi/nodePublishSecretRef/name", "c"),
		named("/spec/volumes/3/azureFile/secretName", "a"),
		named("/spec/volumes/4/cephfs/secretRef/name", "v4"),
		named("/spec/volumes/5/cinder/secretRef/name", "v5"),
		named("/spec/volumes/6/flexVolume/secretRef/name", "v6"),
		named("/spec/volumes/7/iscsi/secretRef/name", "v7"),
		named("/spec/volumes/8/rbd/secretRef/name", "v8"),
		named("/spec/volumes/9/scaleIO/secretRef/name", "v9"),
		named("/spec/volumes/10/storageos/secretRef/name", "v10"),
	}
}

test_pull_secrets_are_read_and_empty_ones_name_nothing if {
	references({"imagePullSecrets": [{"name": "pull"}, {"name": ""}, {}]}) == {named(
		"/spec/imagePullSecrets/0/name",
		"pull",
	)}
}

test_an_optional_reference_says_so if {
	volumes := [{"secret": {"secretName": "s", "optional": true}}]
	references({"volumes": volumes}) == {object.union(
		named("/spec/volumes/0/secret/secretName", "s"),
		{"optional": true},
	)}
}

test_a_reference_without_a_name_is_listed_without_one if {
	references({"volumes": [{"secret": {}}]}) == {{
		"path": "/spec/volumes/0/secret/secretName",
		"seen": {},
		"optional": false,
	}}
}

test_what_is_no_text_is_seen_and_names_nothing if {
	references({"volumes": [{"secret": {"secretName": 7}}]}) == {{
		"path": "/spec/volumes/0/secret/secretName",
		"seen": {"found": 7},
		"optional": false,
	}}
}

test_a_pod_without_secrets_names_none if references({"containers": [{"name": "c"}]}) == set()

test_null_lists_name_none if {
	references({"volumes": null, "imagePullSecrets": null}) == set()
	references({"volumes": [{"projected": {"sources": null}}, {"secret": null}]}) == set()
	references({"containers": [{"name": "c", "env": null, "envFrom": null}]}) == set()
}
