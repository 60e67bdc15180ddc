# METADATA
# scope: package
# title: The containers of a Pod
# description: |-
#   Where a Pod lists its containers, how a finding points at one and how a message names it.
package lib.containers

# Every list of a Pod's spec that holds containers. A rule that forgets one can be walked around.
# The order is that of Pod Security, which starts with what starts first.
lists := ["initContainers", "containers", "ephemeralContainers"]

# Every container of the Pod under review as {"list", "index", "path", "container"}. Where speed counts
# iterate `lists` yourself, and make the path only for the containers that break the rule.
#
# Here and in the policies lists of the object are iterated as `some i; x := list[i]`: a list that is absent
# or null has no elements then, whereas `some x in null` is an error to some evaluators of Rego.
all := [entry |
	some list in lists
	some index
	container := input.review.object.spec[list][index]
	entry := {"list": list, "index": index, "path": path(list, index), "container": container}
]

# path is the JSON Pointer of a container, e.g. `/spec/initContainers/0`.
path(list, index) := sprintf("/spec/%s/%d", [list, index])

# name is never undefined, so that a rule which speaks of a container also catches one without a name.
name(container) := object.get(container, "name", "")

# title is the container as a message names it, e.g. `container "web"`.
title(container) := sprintf("container \"%v\"", [name(container)])
