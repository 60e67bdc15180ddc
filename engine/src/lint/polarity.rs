//! Whether a rule speaks for a finding or against one. Undefined is "no": in a rule that speaks for a finding that
//! loses it, in one that speaks against it that keeps it.

use super::reach;
use super::unit::{Unit, Whole};
use super::walk::{self, Node};
use std::collections::BTreeSet;

/// The names of the rules of a policy that speak for a finding: those that find, and what they need to hold.
pub(super) fn for_findings(unit: &Unit<'_>, whole: &Whole<'_>) -> BTreeSet<String> {
    let mut seen: BTreeSet<(String, bool)> = BTreeSet::new();
    let mut queue: Vec<(String, bool)> =
        ["deny", "warn", "audit", "violation"].map(|name| (name.to_owned(), true)).to_vec();
    while let Some((name, speaks_for)) = queue.pop() {
        if !seen.insert((name.clone(), speaks_for)) {
            continue;
        }
        for rule in unit.rules_named(&name) {
            walk::rule(rule, &mut |node, around| {
                let Node::Term(term) = node else { return };
                // What a comprehension lacks may be what is looked for, or not: nothing is said of it.
                if around.closures > 0 {
                    return;
                }
                for (other, name) in reach::named(unit, term, whole) {
                    if std::ptr::eq(other, unit) {
                        queue.push((name, speaks_for != around.negated));
                    }
                }
            });
        }
    }
    let against: BTreeSet<&String> =
        seen.iter().filter(|(_, speaks_for)| !speaks_for).map(|(name, _)| name).collect();
    seen.iter()
        .filter(|(name, speaks_for)| *speaks_for && !against.contains(name))
        .map(|(name, _)| name.clone())
        .collect()
}
