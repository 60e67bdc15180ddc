//! Expectations and findings, one to one: each expectation must get a finding of its own, and no finding may be
//! left over.

use super::head::Expectation;
use super::snapshot::{flow, scalar};
use wayguard_engine::Finding;

/// What does not fit, in words; empty if all do. `prefix`: where the sample begins in the judged object.
pub(super) fn compare(what: &str, expected: &[Expectation], found: &[&Finding], prefix: &str) -> Vec<String> {
    let owner = pair(expected, found, prefix);
    let missing = (0..expected.len()).filter(|wanted| !owner.contains(&Some(*wanted)));
    let missing = missing
        .filter_map(|wanted| expected.get(wanted))
        .map(|wanted| format!("missing {what}: {}", shown(wanted)));
    let surplus = owner.iter().zip(found).filter(|(owner, _)| owner.is_none()).map(|(_, finding)| {
        let path = finding.path.strip_prefix(prefix).unwrap_or(&finding.path);
        format!("unexpected {what}: {{rule: {}, path: {path}}} {}", finding.rule, finding.message)
    });
    missing.chain(surplus).collect()
}

/// For each finding the expectation that it fulfils, so that as many as possible are.
pub(super) fn pair(expected: &[Expectation], found: &[&Finding], prefix: &str) -> Vec<Option<usize>> {
    let fits: Vec<Vec<usize>> = expected
        .iter()
        .map(|wanted| {
            (0..found.len())
                .filter(|index| found.get(*index).is_some_and(|it| fit(wanted, it, prefix)))
                .collect()
        })
        .collect();
    // An expectation that says little could take the finding that another needs, so pairs are moved about
    // until as many as possible hold (augmenting paths).
    let mut owner: Vec<Option<usize>> = vec![None; found.len()];
    for wanted in 0..expected.len() {
        assign(wanted, &fits, &mut owner, &mut vec![false; found.len()]);
    }
    owner
}

fn assign(wanted: usize, fits: &[Vec<usize>], owner: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for &finding in fits.get(wanted).map(Vec::as_slice).unwrap_or_default() {
        match tried.get_mut(finding) {
            Some(tried) if !*tried => *tried = true,
            _ => continue,
        }
        let current = owner.get(finding).copied().flatten();
        if current.is_none_or(|other| assign(other, fits, owner, tried)) {
            if let Some(slot) = owner.get_mut(finding) {
                *slot = Some(wanted);
            }
            return true;
        }
    }
    false
}

fn fit(wanted: &Expectation, finding: &Finding, prefix: &str) -> bool {
    let path = |wanted: &String| finding.path == format!("{prefix}{wanted}") || finding.path == *wanted;
    let severity = |wanted: &String| *wanted == severity_of(finding);
    wanted.rule.as_ref().is_none_or(|rule| *rule == finding.rule)
        && wanted.path.as_ref().is_none_or(path)
        && wanted.message.as_ref().is_none_or(|part| finding.message.contains(part.as_str()))
        && wanted.found.as_ref().is_none_or(|value| finding.found.as_ref() == Some(value))
        && wanted.expected.as_ref().is_none_or(|words| *words == finding.expected)
        && wanted.severity.as_ref().is_none_or(severity)
        && wanted.existing.is_none_or(|existing| existing == finding.existing)
}

/// The severity as it is written.
fn severity_of(finding: &Finding) -> String {
    serde_json::to_value(finding.severity)
        .ok()
        .and_then(|it| it.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// An expectation on one line, as it could be written.
pub(super) fn shown(wanted: &Expectation) -> String {
    let text = |value: &Option<String>| value.as_ref().map(|value| scalar(value));
    let parts = [
        ("rule", text(&wanted.rule)),
        ("path", text(&wanted.path)),
        ("message", text(&wanted.message)),
        ("found", wanted.found.as_ref().map(ToString::to_string)),
        ("expected", text(&wanted.expected)),
        ("severity", text(&wanted.severity)),
        ("existing", wanted.existing.map(|it| it.to_string())),
    ];
    let parts: Vec<_> = parts.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    flow(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wayguard_engine::decision::{Effect, Severity};

    fn finding(rule: &str, path: &str) -> Finding {
        Finding {
            policy: "p/q".into(),
            policy_object: "q".into(),
            rule: rule.into(),
            effect: Effect::Deny,
            severity: Severity::Low,
            category: String::new(),
            controls: Vec::new(),
            path: path.into(),
            field: String::new(),
            found: None,
            expected: String::new(),
            message: format!("{path} is wrong"),
            remedy: String::new(),
            docs: String::new(),
            exception: None,
            existing: false,
            constraint: None,
        }
    }

    fn expected(rule: Option<&str>, path: Option<&str>) -> Expectation {
        Expectation { rule: rule.map(Into::into), path: path.map(Into::into), ..Expectation::default() }
    }

    #[test]
    fn a_vague_expectation_leaves_the_exact_one_its_finding() {
        let (one, two) = (finding("a", "/x"), finding("a", "/y"));
        let wanted = [expected(Some("a"), None), expected(None, Some("/x"))];
        assert_eq!(compare("denial", &wanted, &[&one, &two], ""), [""; 0]);
    }

    #[test]
    fn what_is_missing_and_what_is_left_over_are_named() {
        let one = finding("a", "/spec/template/x");
        let wanted = [expected(Some("b"), Some("/x"))];
        assert_eq!(
            compare("denial", &wanted, &[&one], "/spec/template"),
            [
                "missing denial: {rule: b, path: /x}",
                "unexpected denial: {rule: a, path: /x} /spec/template/x is wrong"
            ]
        );
        assert_eq!(compare("denial", &[expected(None, Some("/x"))], &[&one], "/spec/template"), [""; 0]);
    }
}
