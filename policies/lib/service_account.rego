# METADATA
# scope: package
# title: The service account of a Pod
# description: |-
#   As whom a Pod speaks to the API server: spec.serviceAccountName, its alias spec.serviceAccount where only
#   that is given, else `default`, as the API server fills it in.
package lib.service_account

import data.lib.fields

name := named[0]

name := "default" if count(named) == 0

named := [value |
	some field in ["serviceAccountName", "serviceAccount"]
	value := spec[field]
	is_string(value)
	value != ""
]

spec := fields.object_at(input.review.object, "spec")
