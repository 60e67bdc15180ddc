# METADATA
# scope: package
# title: Resources of a Pod
# description: |-
#   Where a Pod says what it requests and what it may use: on its containers, or once for all of them in
#   spec.resources (pod-level resources, KEP-2837).
package lib.pod_resources

import data.lib.containers as pod_containers
import data.lib.fields
import data.lib.quantity

# The containers that can have resources: the API server refuses them on ephemeral containers.
containers := [place | some place in pod_containers.all; place.list != "ephemeralContainers"]

# The requests or limits (`kind`) of a container, or of a Pod's spec, as an object.
of(holder, kind) := fields.object_at(fields.object_at(holder, "resources"), kind)

pod_limits := of(spec, "limits")

# True when the Pod as a whole requests the resource. A limit is enough: the request follows from it.
requested_by_pod(resource) if quantity.positive(of(spec, "requests")[resource])

requested_by_pod(resource) if limited_for_pod(resource)

# True when the Pod as a whole may not use more than a certain amount.
limited_for_pod(resource) if quantity.positive(pod_limits[resource])

spec := fields.object_at(input.review.object, "spec")
