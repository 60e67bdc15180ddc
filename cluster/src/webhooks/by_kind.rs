//! The rules of Gatekeeper's constraints and mutators, which name kinds: their resources are looked up in discovery,
//! and guessed where a kind is not there yet.

use super::atoms::{Atom, Verb};
use super::derive::{atom, beyond_wildcards, in_scope, never_judged};
use crate::discovery::Resources;
use std::collections::BTreeSet;
use wayguard_engine::gatekeeper::{KindRule, Kinds};
use wayguard_engine::matching::spec::Scope;

/// One resource and one verb each.
pub(super) fn atoms(rule: &KindRule, resources: &Resources) -> Vec<Atom> {
    let scope = match rule.scope.as_str() {
        "Cluster" => Some(Scope::Cluster),
        "Namespaced" => Some(Scope::Namespaced),
        _ => None,
    };
    let all = [Kinds::default()];
    let kinds = if rule.kinds.is_empty() { all.as_slice() } else { rule.kinds.as_slice() };
    let mut found: BTreeSet<(String, String)> = BTreeSet::new();
    for kinds in kinds {
        found.extend(named(kinds, scope, resources));
    }
    let asked = |verb: &Verb| {
        rule.operations.iter().any(|item| item == verb.as_str() || (item == "*" && *verb != Verb::Delete))
    };
    let mut atoms: Vec<Atom> = Vec::new();
    // A connection has kinds of its own, which nobody writes constraints for.
    for verb in Verb::ALL.into_iter().filter(|verb| asked(verb) && *verb != Verb::Connect) {
        atoms.extend(found.iter().map(|(group, resource)| atom(group, "*", resource, "*", verb)));
        if verb == Verb::Update && found.contains(&(String::new(), "pods".to_owned())) {
            atoms.push(atom("", "*", "pods/ephemeralcontainers", "*", verb));
        }
    }
    atoms.retain(|atom| !never_judged(atom));
    atoms
}

/// Group and plural of each kind.
fn named(kinds: &Kinds, scope: Option<Scope>, resources: &Resources) -> BTreeSet<(String, String)> {
    let open = |list: &[String]| list.is_empty() || list.iter().any(|item| item == "*");
    let (any_group, any_kind) = (open(&kinds.api_groups), open(&kinds.kinds));
    let fitting = resources.kinds.iter().filter(|kind| {
        (any_group || kinds.api_groups.contains(&kind.group))
            && (any_kind || kinds.kinds.contains(&kind.kind))
            && in_scope(kind, scope)
            && !((any_group || any_kind) && beyond_wildcards(kind))
    });
    let mut found: BTreeSet<_> = fitting.map(|kind| (kind.group.clone(), kind.plural.clone())).collect();
    for group in kinds.api_groups.iter().filter(|_| !any_group) {
        for kind in kinds.kinds.iter().filter(|_| !any_kind) {
            let known = resources.kinds.iter().any(|it| it.group == *group && it.kind == *kind);
            if !known {
                found.insert((group.clone(), wayguard_engine::expansion::plural(kind)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhooks::samples::cluster;

    fn shown(kinds: &[(&str, &str)], operations: &[&str], scope: &str) -> Vec<String> {
        let texts = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        let rule = KindRule {
            kinds: kinds
                .iter()
                .map(|(group, kind)| Kinds { api_groups: texts(&[group]), kinds: texts(&[kind]) })
                .collect(),
            operations: texts(operations),
            scope: scope.to_owned(),
        };
        let atoms = atoms(&rule, &cluster());
        atoms.iter().map(|atom| format!("{}/{} {}", atom.group, atom.resource, atom.verb.as_str())).collect()
    }

    #[test]
    fn kinds_become_resources() {
        assert_eq!(
            shown(&[("", "Pod")], &["CREATE", "UPDATE"], ""),
            ["/pods CREATE", "/pods UPDATE", "/pods/ephemeralcontainers UPDATE"]
        );
        assert_eq!(
            shown(&[("new.example.com", "Policy")], &["CREATE"], ""),
            ["new.example.com/policies CREATE"]
        );
    }

    #[test]
    fn wildcards_mean_no_more_than_those_of_native_policies() {
        let all = shown(&[("*", "*")], &["*"], "");
        assert!(all.contains(&"/pods CREATE".to_owned()), "{all:?}");
        for never in ["coordination.k8s.io/leases CREATE", "wayguard.io/policies CREATE", "/pods DELETE"] {
            assert!(!all.contains(&never.to_owned()), "{never} in {all:?}");
        }
        let cluster = shown(&[("*", "*")], &["CREATE"], "Cluster");
        assert!(cluster.contains(&"/namespaces CREATE".to_owned()), "{cluster:?}");
        assert!(!cluster.contains(&"/pods CREATE".to_owned()), "{cluster:?}");
    }
}
