//! The formats that programs read.

use super::gathering::Audit;
use crate::command::check::{Checked, ObjectId, Place, Report};
use crate::output::Output;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wayguard_audit::policy_report::{outlines, report};
use wayguard_audit::{Found, Outcome, Subject, Totals};
use wayguard_cluster::manifest;
use wayguard_cluster::reports::Flavour;
use wayguard_engine::policy::exception::Exception;
use wayguard_engine::{Finding, Verdict};

/// One JSON document, written object by object.
pub(super) fn json(audit: &Audit, totals: &Totals, out: &mut Output) {
    let edition = audit.auditor.edition();
    let exceptions = edition.set.exceptions();
    out.write("{\"results\":[");
    let mut is_first = true;
    audit.auditor.each_object(&mut |subject, found| {
        if found.is_empty() {
            return;
        }
        out.write(if is_first { "\n" } else { ",\n" });
        is_first = false;
        let findings: Vec<Value> = found.iter().map(|found| finding(*found, exceptions)).collect();
        let object = json!({
            "apiVersion": subject.kind.api_version(),
            "kind": subject.kind.kind,
            "namespace": subject.namespace,
            "name": subject.name,
            "uid": subject.uid,
        });
        out.write(&json!({"object": object, "owner": subject.owner, "findings": findings}).to_string());
    });
    let policies: BTreeMap<&String, Value> = totals
        .policies
        .iter()
        .map(|(id, counts)| {
            let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
            for ((outcome, _), count) in &counts.findings {
                *outcomes.entry(outcome.as_str()).or_default() += count;
            }
            let skipped = &counts.skipped;
            (id, json!({"judged": counts.judged, "failing": counts.failing, "findings": outcomes, "notJudged": skipped}))
        })
        .collect();
    let problems: Vec<Value> =
        totals.problems.iter().map(|(object, why)| json!({"what": object, "why": why})).collect();
    let summary = json!({
        "objects": totals.objects,
        "denied": totals.denied,
        "warned": totals.warned,
        "kinds": totals.kinds,
        "policies": policies,
    });
    let not_judged = json!({
        "kinds": audit.coverage.kinds,
        "policies": audit.coverage.policies,
        "objects": totals.untouched,
        "problems": problems,
    });
    let ended = json!(audit.coverage.ended_exceptions);
    out.data(format_args!(
        "\n],\"summary\":{summary},\"notJudged\":{not_judged},\"endedExceptions\":{ended},\"setDigest\":\"{}\"}}",
        edition.set.digest()
    ));
}

fn finding(found: Found<'_>, exceptions: &[Exception]) -> Value {
    let (note, rule) = (found.note, &found.note.rule);
    let exception = note.exception.as_deref().map(|name| {
        let spec =
            exceptions.iter().find(|exception| exception.name == name).map(|exception| &exception.spec);
        json!({
            "name": name,
            "reason": spec.map(|spec| &spec.reason),
            "owner": spec.map(|spec| &spec.owner),
            "expiresAt": spec.map(|spec| &spec.expires_at),
        })
    });
    json!({
        "policy": rule.policy,
        "policyObject": rule.policy_object,
        "rule": rule.rule,
        "result": note.outcome().as_str(),
        "effect": note.effect,
        "severity": rule.severity,
        "category": rule.category,
        "controls": rule.controls,
        "path": note.path,
        "field": note.field,
        "message": note.message(found.subject.name),
        "remedy": rule.remedy,
        "docs": rule.docs,
        "exception": exception,
    })
}

/// The result as `check` words one, for the formats that both have.
pub(in crate::command) fn checked(audit: &Audit) -> Report {
    let mut results = Vec::new();
    audit.auditor.each_object(&mut |subject, found| results.push(object(audit, subject, found)));
    results.sort_by(|one: &Checked, other: &Checked| one.source.file.cmp(&other.source.file));
    Report { results, invalid: audit.invalid }
}

fn object(audit: &Audit, subject: Subject<'_>, found: &[Found<'_>]) -> Checked {
    let id = ObjectId {
        api_version: subject.kind.api_version(),
        kind: subject.kind.kind.clone(),
        namespace: subject.namespace.to_owned(),
        name: subject.name.to_owned(),
    };
    let key = (id.kind.clone(), id.namespace.clone(), id.name.clone());
    let place = audit.places.get(&key);
    let given = place.and_then(|(_, at)| audit.found.get(*at));
    let source = match (place, given) {
        (Some((file, _)), Some(given)) => Place { file: file.clone(), line: given.line },
        // Something to group by where there is no file.
        _ if id.namespace.is_empty() => Place { file: format!("cluster/{}/{}", id.kind, id.name), line: 1 },
        _ => Place { file: format!("cluster/{}/{}/{}", id.namespace, id.kind, id.name), line: 1 },
    };
    let worst = found.iter().map(|found| found.note.outcome()).max();
    let verdict = match worst {
        Some(Outcome::Fail) => Verdict::Deny,
        Some(Outcome::Error) => Verdict::Error,
        Some(Outcome::Warn) => Verdict::Warn,
        Some(Outcome::Skip) | None => Verdict::Allow,
    };
    let findings: Vec<Finding> = found.iter().map(|found| whole(*found)).collect();
    let lines =
        findings.iter().map(|finding| given.map_or(1, |given| given.line_of(&finding.path))).collect();
    Checked { verdict, findings, lines, ..Checked::unjudged(id, source) }
}

fn whole(found: Found<'_>) -> Finding {
    let (note, rule) = (found.note, &found.note.rule);
    Finding {
        policy: rule.policy.to_string(),
        policy_object: rule.policy_object.to_string(),
        rule: rule.rule.to_string(),
        effect: note.effect,
        severity: rule.severity,
        category: rule.category.to_string(),
        controls: rule.controls.iter().map(ToString::to_string).collect(),
        path: note.path.to_string(),
        field: note.field.to_string(),
        found: None,
        expected: String::new(),
        message: note.message(found.subject.name),
        remedy: rule.remedy.to_string(),
        docs: rule.docs.to_string(),
        exception: note.exception.as_deref().map(str::to_owned),
        existing: false,
        constraint: None,
    }
}

/// Reports as they would stand in the cluster.
pub(super) fn reports(audit: &Audit, flavour: Flavour, out: &mut Output) {
    for namespace in audit.auditor.take_changed() {
        for outline in outlines(&audit.auditor, &namespace) {
            for shard in 0..outline.shards() {
                let report = report(&audit.auditor, flavour, &namespace, &outline, shard);
                out.write(&manifest::stream([&report.object]));
            }
        }
    }
}
