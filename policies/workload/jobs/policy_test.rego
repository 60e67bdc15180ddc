package workload.jobs_test

import data.workload.jobs

bounded := {"activeDeadlineSeconds": 86400, "ttlSecondsAfterFinished": 604800, "backoffLimit": 10}

job(spec) := {"review": {"object": {"spec": {}}}, "owner": {"kind": "Job", "spec": spec}}

cron_job(spec) := {
	"review": {"object": {"spec": {}}},
	"owner": {"kind": "CronJob", "spec": {"jobTemplate": {"spec": spec}}},
}

finding(rule, field, maximum, found) := {
	"rule": rule,
	"msg": sprintf("`%s` of the Job must be set to at most %d, and is %s", [field, maximum, found]),
}

no_deadline(found) := finding("no-deadline", "activeDeadlineSeconds", 86400, found)

no_end(found) := finding("no-time-to-live", "ttlSecondsAfterFinished", 604800, found)

retried(found) := finding("too-many-retries", "backoffLimit", 10, found)

test_a_bounded_job_passes if {
	jobs.deny == set() with input as job(bounded)
	jobs.deny == set() with input as cron_job(bounded)
}

test_larger_bounds_are_denied if {
	review := {"activeDeadlineSeconds": 86401, "ttlSecondsAfterFinished": 604801, "backoffLimit": 11}
	jobs.deny == {no_deadline("86401"), no_end("604801"), retried("11")} with input as job(review)
	jobs.deny == {no_deadline("86401"), retried("11")} with input as cron_job(review)
}

test_a_job_that_says_nothing_has_no_end if {
	every spec in [{}, null, {"backoffLimit": null}, {"activeDeadlineSeconds": null}] {
		jobs.deny == {no_deadline("absent"), no_end("absent")} with input as job(spec)
		jobs.deny == {no_deadline("absent")} with input as cron_job(spec)
	}
}

test_texts_are_no_bounds if {
	review := object.union(bounded, {"activeDeadlineSeconds": true, "ttlSecondsAfterFinished": false})
	jobs.deny == {no_deadline("true"), no_end("false")} with input as job(review)
}

test_the_deadline_of_the_pod_is_one if {
	review := object.remove(bounded, ["activeDeadlineSeconds"])
	jobs.deny == set() with input as job(review)
		with input.review.object.spec as {"activeDeadlineSeconds": 60}
}

of_cron_job := {"ownerReferences": [{"kind": "CronJob", "controller": true}]}

test_a_cron_job_clears_its_jobs_away if {
	review := object.remove(bounded, ["ttlSecondsAfterFinished"])
	jobs.deny == set() with input as job(review) with input.owner.metadata as of_cron_job
	every reference in [{"kind": "CronJob", "controller": false}, {"kind": "Workflow", "controller": true}] {
		jobs.deny == {no_end("absent")} with input as job(review)
			with input.owner.metadata as {"ownerReferences": [reference]}
	}
}

with_parameters(review, parameters) := result if {
	result := jobs.deny with input as review
		with input.parameters as parameters
}

test_the_bounds_are_parameters_and_nought_judges_nothing if {
	nothing := {"deadline": 0, "timeToLive": 0, "retries": 0}
	with_parameters(job({}), nothing) == set()
	with_parameters(job(bounded), {"deadline": 60}) == {finding(
		"no-deadline",
		"activeDeadlineSeconds",
		60,
		"86400",
	)}
	with_parameters(job(bounded), {"timeToLive": 60}) == {finding(
		"no-time-to-live",
		"ttlSecondsAfterFinished",
		60,
		"604800",
	)}
	with_parameters(job(bounded), {"timeToLive": 1, "deadline": 1, "retries": 1}) == {
		finding("no-deadline", "activeDeadlineSeconds", 1, "86400"),
		finding("no-time-to-live", "ttlSecondsAfterFinished", 1, "604800"),
		finding("too-many-retries", "backoffLimit", 1, "10"),
	}
}

test_absent_retries_are_six if {
	bare := object.remove(bounded, ["backoffLimit"])
	with_parameters(job(bare), {"retries": 6}) == set()
	every limit in [{}, {"backoffLimit": null}] {
		found := {finding("too-many-retries", "backoffLimit", 5, "absent")}
		with_parameters(job(object.union(bare, limit)), {"retries": 5}) == found
	}
}

test_that_cron_jobs_make_jobs_is_a_parameter if {
	by_hand := {"rule": "made-by-hand", "msg": "no CronJob made this Job", "remedy": "Make it a CronJob."}
	with_parameters(job(bounded), {"cronJobsOnly": true}) == {by_hand}
	with_parameters(cron_job(bounded), {"cronJobsOnly": true}) == set()
	made := jobs.deny with input as job(bounded)
		with input.owner.metadata as of_cron_job
		with input.parameters.cronJobsOnly as true
	made == set()
}

test_other_workloads_and_bare_pods_are_not_judged if {
	jobs.deny == set() with input as object.union(job({}), {"owner": {"kind": "Deployment"}})
	every parameters in [{}, {"cronJobsOnly": true, "retries": 1}] {
		with_parameters({"review": {"object": {"spec": {}}}}, parameters) == set()
	}
}
