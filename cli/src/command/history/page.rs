//! Decisions that were stored, for people and for programs.

use crate::output::{BAD, GOOD, Output, PLACE, QUIET, STRONG, WARNING, styled};
use serde_json::json;
use wayguard_history::DecisionRecord;

/// All of them as one JSON document: `decisions`.
pub(crate) fn json(found: &[DecisionRecord], out: &mut Output) {
    out.data(format_args!("{:#}", json!({"decisions": found})));
}

/// One as a line.
pub(super) fn line(decision: &DecisionRecord, out: &mut Output) {
    let policies: Vec<&str> = match decision.findings.as_slice() {
        [] => decision.policies.iter().map(String::as_str).collect(),
        findings => findings.iter().map(|finding| finding.policy.as_str()).collect(),
    };
    let mut policies = policies;
    policies.dedup();
    out.data(format_args!(
        "{}  {}  {}  {} {}  {}  {}",
        styled(QUIET, format_args!("{:.0}", decision.at)),
        styled(STRONG, &decision.id),
        verdict(decision),
        decision.operation,
        object(decision),
        decision.user,
        styled(QUIET, policies.join(",")),
    ));
}

/// One whole.
pub(crate) fn whole(decision: &DecisionRecord, out: &mut Output) {
    let about = format!("decision {}", decision.id);
    out.data(format_args!("{}: {}", styled(STRONG, about), verdict(decision)));
    out.data(format_args!("  {} {}, asked by {}", decision.operation, object(decision), decision.user));
    let who = if decision.replica.is_empty() { String::new() } else { format!(" by {}", decision.replica) };
    let place =
        if decision.cluster.is_empty() { String::new() } else { format!(", cluster {}", decision.cluster) };
    out.data(styled(
        QUIET,
        format_args!("  at {:.0}{who}{place}, policy set {}", decision.at, short(&decision.set_digest)),
    ));
    for finding in &decision.findings {
        let style = match finding.effect.as_str() {
            "deny" | "error" => BAD,
            "warn" => WARNING,
            _ => QUIET,
        };
        let exception = match finding.exception.as_str() {
            "" => String::new(),
            name => format!(" (excepted by {name})"),
        };
        out.data(format_args!(
            "  {} {} {}{exception}",
            styled(style, &finding.effect),
            finding.policy,
            styled(QUIET, &finding.severity)
        ));
        out.data(format_args!("    {}", finding.message));
        if !finding.remedy.is_empty() {
            out.data(format_args!("    fix: {}", finding.remedy));
        }
    }
    for change in &decision.changes {
        out.data(format_args!("  {} {} {}", styled(GOOD, "changed"), change.operation, change.path));
    }
    if decision.left_out > 0 {
        out.data(format_args!("  and {} more that were not kept", decision.left_out));
    }
    let quiet: Vec<&str> = decision
        .policies
        .iter()
        .map(String::as_str)
        .filter(|policy| !decision.findings.iter().any(|finding| finding.policy == *policy))
        .collect();
    if !quiet.is_empty() {
        out.data(styled(QUIET, format_args!("  asked as well: {}", quiet.join(", "))));
    }
}

fn verdict(decision: &DecisionRecord) -> String {
    match (decision.verdict.as_str(), decision.stage.as_str()) {
        ("deny", _) => styled(BAD, "denied"),
        ("error", _) => styled(BAD, "denied, since a policy failed"),
        (_, "mutate") => styled(GOOD, "changed"),
        ("warn", _) => styled(WARNING, "allowed with warnings"),
        _ => styled(GOOD, "allowed"),
    }
}

fn object(decision: &DecisionRecord) -> String {
    let name = match (decision.namespace.as_str(), decision.name.as_str()) {
        ("", name) => name.to_owned(),
        (namespace, name) => format!("{namespace}/{name}"),
    };
    format!("{} {}", decision.kind, styled(PLACE, name))
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
