//! `--format json`: the results of `check --format json`, each with its `policies`.

use super::Extent;
use crate::command::check::{Checked, Report};
use crate::output::Output;
use serde_json::{Value, json};

/// Writes one JSON document: `results` and `summary`.
pub(super) fn write(report: &Report, extent: Extent<'_>, out: &mut Output) {
    let results: Vec<Value> = report.results.iter().map(|checked| result(checked, extent)).collect();
    let document = json!({"results": results, "summary": report.summary()});
    out.data(format_args!("{document:#}"));
}

fn result(checked: &Checked, extent: Extent<'_>) -> Value {
    let policies = checked.story.iter().flat_map(|story| &story.policies);
    let policies: Vec<_> =
        policies.filter(|policy| extent.includes(&policy.policy, &policy.policy_object)).collect();
    let mut result = json!(checked);
    if let Some(members) = result.as_object_mut() {
        members.insert("policies".to_owned(), json!(policies));
    }
    result
}
