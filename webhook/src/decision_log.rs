//! The decision log: one line for each request, always with the same fields (`docs/reference/logs.md`), and nothing of
//! the object's content. Plain allows are for debugging.

use crate::answer::{Answer, Ending};
use crate::judging::Subject;
use crate::log_text::{LONGEST_NAME, clean};
use crate::path::Path;
use std::collections::BTreeSet;
use std::fmt;
use wayguard_engine::{Decision, Verdict};

/// The target of the lines: `--log info,wayguard::decision=debug` shows allows too.
const TARGET: &str = "wayguard::decision";

/// What a line tells besides the answer.
pub(crate) struct Line<'a> {
    pub(crate) path: Path,
    pub(crate) subject: &'a Subject,
    pub(crate) trace_id: &'a str,
    pub(crate) duration_ms: f64,
}

/// Names of policies that found something, in order, with commas.
struct Found<'a>(Option<&'a Decision>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let findings = self.0.map(|decision| &decision.findings[..]).unwrap_or_default();
        let policies: BTreeSet<&str> = findings.iter().map(|finding| &*finding.policy_object).collect();
        for (position, policy) in policies.into_iter().enumerate() {
            if position > 0 {
                out.write_str(",")?;
            }
            out.write_str(policy)?;
        }
        Ok(())
    }
}

/// Writes the line.
pub(crate) fn log(line: &Line<'_>, answer: &Answer) {
    let (subject, decision) = (line.subject, answer.decision.as_deref());
    // The fields are evaluated only if somebody reads the line.
    macro_rules! line {
        ($level:ident, $words:literal) => {
            tracing::event!(
                target: TARGET,
                tracing::Level::$level,
                path = line.path.url(),
                uid = clean(&subject.uid, LONGEST_NAME),
                trace_id = line.trace_id,
                operation = subject.operation,
                kind = subject.kind,
                namespace = subject.namespace,
                name = subject.name,
                user = subject.user,
                dry_run = subject.dry_run,
                decision = answer.ending.as_str(),
                decision_id = decision.map_or("", |decision| &decision.id),
                policies = %Found(decision),
                findings = decision.map_or(0, |decision| decision.findings.len()),
                changes = decision.map_or(0, |decision| decision.patch.len()),
                set_digest = decision.map_or("", |decision| &decision.set_digest),
                duration_ms = line.duration_ms,
                $words
            )
        };
    }
    let changed = line.path == Path::Mutate && decision.is_some_and(|decision| !decision.patch.is_empty());
    match answer.ending {
        Ending::Verdict(Verdict::Allow) if changed => line!(INFO, "admitted with changes"),
        Ending::Verdict(Verdict::Allow) => line!(DEBUG, "admitted"),
        Ending::Verdict(Verdict::Warn) => line!(INFO, "admitted with warnings"),
        Ending::Verdict(_) if answer.admitted == Some(true) => line!(WARN, "not mutated"),
        Ending::Verdict(Verdict::Deny) => line!(INFO, "denied"),
        Ending::Verdict(Verdict::Error) => line!(WARN, "denied: not all policies could be evaluated"),
        Ending::NotAdmission => line!(DEBUG, "not an admission request"),
        _ if answer.admitted == Some(true) => line!(WARN, "admitted without being judged"),
        _ => line!(WARN, "refused without being judged"),
    }
}
