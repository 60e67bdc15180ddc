# METADATA
# scope: package
# title: Jobs that end and go away
# description: |-
#   A Job that hangs holds its nodes for ever, one that fails is tried again and again, and finished ones fill
#   the cluster's store. A Job, or the template of a CronJob, has an activeDeadlineSeconds (of its own or its
#   Pod's), not too large a backoffLimit (absent means 6), and, unless a CronJob clears it away, a
#   ttlSecondsAfterFinished. Each may be left unjudged by 0. Where the parameter says so Jobs are made by
#   CronJobs alone. Meant for workloads that are judged by their template; a Pod by itself is not judged.
# custom:
#   severity: low
#   category: workload
#   match:
#     resourceRules:
#       - {apiGroups: [""], resources: [pods], operations: [CREATE, UPDATE]}
#   expand: true
#   controls: []
#   peers: [kyverno/restrict-jobs]
#   remedy: Set activeDeadlineSeconds, ttlSecondsAfterFinished and backoffLimit in the Job's spec.
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       deadline:
#         description: The most that activeDeadlineSeconds may be.
#         type: integer
#         minimum: 0
#         default: 86400
#       timeToLive:
#         description: The most that ttlSecondsAfterFinished may be.
#         type: integer
#         minimum: 0
#         default: 604800
#       retries:
#         description: The most that backoffLimit may be.
#         type: integer
#         minimum: 0
#         default: 10
#       cronJobsOnly:
#         description: Refuse Jobs that no CronJob made.
#         type: boolean
#         default: false
#   facts: []
#   needs: []
#   sensitive: false
package workload.jobs

import data.lib.fields

deny contains finding("no-deadline", "activeDeadlineSeconds", deadline) if {
	deadline > 0
	judged := job
	not within(judged, "activeDeadlineSeconds", deadline)
	not within(pod_spec, "activeDeadlineSeconds", deadline)
}

deny contains finding("no-time-to-live", "ttlSecondsAfterFinished", time_to_live) if {
	time_to_live > 0
	input.owner.kind == "Job"
	not made_by_cron_job
	judged := job
	not within(judged, "ttlSecondsAfterFinished", time_to_live)
}

deny contains finding("too-many-retries", "backoffLimit", retries) if {
	retries > 0
	backoff_limit > retries
}

# wayguard:ignore finding-path what is missing is an owner, which nobody writes into the object
deny contains {"rule": "made-by-hand", "msg": "no CronJob made this Job", "remedy": "Make it a CronJob."} if {
	cron_jobs_only == true
	input.owner.kind == "Job"
	not made_by_cron_job
}

finding(rule, field, maximum) := {
	"rule": rule,
	"msg": sprintf("`%s` of the Job must be set to at most %d, and is %s", [field, maximum, shown(field)]),
}

shown(field) := sprintf("%v", [job[field]]) if {
	fields.present(job, field)
} else := "absent"

within(holder, field, maximum) if {
	is_number(holder[field])
	holder[field] <= maximum
}

# Absent means 6.
backoff_limit := number if {
	number := job.backoffLimit
	not is_null(number)
} else := 6 if {
	job
}

job := fields.object_at(input.owner, "spec") if input.owner.kind == "Job"

job := fields.object_at(template, "spec") if {
	input.owner.kind == "CronJob"
	template := fields.object_at(fields.object_at(input.owner, "spec"), "jobTemplate")
}

made_by_cron_job if {
	some reference in fields.list_at(fields.object_at(input.owner, "metadata"), "ownerReferences")
	reference.controller == true
	reference.kind == "CronJob"
}

pod_spec := fields.object_at(input.review.object, "spec")

deadline := object.get(input, ["parameters", "deadline"], 86400)

time_to_live := object.get(input, ["parameters", "timeToLive"], 604800)

retries := object.get(input, ["parameters", "retries"], 10)

cron_jobs_only := object.get(input, ["parameters", "cronJobsOnly"], false)
