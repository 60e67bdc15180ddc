//! What is wrong with a policy that still loads: rules for our contract, for what Rego makes easy to get wrong, and
//! for what a reader stumbles over.
//!
//! ```text
//! sources ─► units (trees, names) ─► each family of rules ─► findings ─► those that a comment ignores set aside
//! ```
//! Pure: what lies in which folder is told by the caller. Each rule says what it wants, why, and shows it wrong and
//! right; a test holds every rule to its own examples, and the reference page is made of them.

mod absent;
mod builtin_use;
mod conditions;
mod declared;
mod defined;
mod duplicates;
mod findings_shape;
mod ignores;
mod layout;
mod loading;
mod locals;
mod metadata;
mod naming;
mod paths;
mod polarity;
mod reach;
mod rule;
mod shadowing;
mod unit;
mod unused;
mod walk;

#[cfg(test)]
mod examples_tests;

pub use rule::{Finding, Rule, Severity};
pub use unit::{Folder, Role, Source};

use rule::Found;
use unit::Whole;

/// All rules, in the order of the reference.
pub fn rules() -> Vec<&'static Rule> {
    let families: [&[&'static Rule]; 12] = [
        loading::RULES,
        absent::RULES,
        findings_shape::RULES,
        metadata::RULES,
        declared::RULES,
        layout::RULES,
        unused::RULES,
        shadowing::RULES,
        conditions::RULES,
        builtin_use::RULES,
        duplicates::RULES,
        naming::RULES,
    ];
    families.concat().into_iter().chain(ignores::RULES.iter().copied()).collect()
}

/// The rule of that id.
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().into_iter().find(|rule| rule.id == id)
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order of the sources, then of their lines.
    pub findings: Vec<Finding>,
    /// Those that a comment sets aside, with its reason.
    pub ignored: Vec<(Finding, String)>,
}

/// Looks at all sources but those that are only [`Role::Known`]. `disabled`: ids of rules that are not asked.
pub fn lint(sources: &[Source], disabled: &[&str]) -> Report {
    let mut found = Found::default();
    let whole = Whole::read(sources, &mut found);
    let families: [fn(&unit::Unit<'_>, &Whole<'_>, &mut Found); 11] = [
        absent::check,
        findings_shape::check,
        metadata::check,
        declared::check,
        layout::check,
        unused::check,
        shadowing::check,
        conditions::check,
        builtin_use::check,
        duplicates::check,
        naming::check,
    ];
    for unit in whole.units.iter().filter(|unit| unit.source.role != Role::Known) {
        families.iter().for_each(|check| check(unit, &whole, &mut found));
    }
    // The one family that costs more than a look: every policy is compiled.
    if !disabled.contains(&"load") {
        loading::check(&whole, &mut found);
    }
    found.findings.retain(|finding| !disabled.contains(&finding.rule.id));
    let mut report = ignores::apply(&whole, found.findings, disabled);
    let order = |finding: &Finding| {
        let at = sources.iter().position(|source| source.path == finding.error.file);
        (at, finding.error.line, finding.error.column, finding.rule.id, finding.error.message.clone())
    };
    report.findings.sort_by_cached_key(order);
    report.findings.dedup();
    report
}
