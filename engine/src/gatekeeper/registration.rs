//! What webhooks must be registered for, by kind: constraints with what expands to them, and mutators.

use super::{Constraint, Kinds, Mutator, Settings};
use crate::request::GroupVersionKind;

/// Kinds and verbs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindRule {
    /// Groups and kinds; empty: all.
    pub kinds: Vec<Kinds>,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT` or `*`.
    pub operations: Vec<String>,
    /// `Cluster`, `Namespaced`; anything else is both.
    pub scope: String,
}

fn created_and_updated() -> Vec<String> {
    vec!["CREATE".to_owned(), "UPDATE".to_owned()]
}

impl Constraint {
    /// What must be registered for it.
    pub fn kind_rules(&self, settings: &Settings) -> Vec<KindRule> {
        let operations =
            if self.operations.is_empty() { created_and_updated() } else { self.operations.clone() };
        let own = KindRule {
            kinds: self.matches.kinds.clone(),
            operations: operations.clone(),
            scope: self.matches.scope.clone(),
        };
        let fits = |kind: GroupVersionKind<'_>| self.concerns(kind);
        let bases: Vec<Kinds> =
            settings.bases_of(&fits).map(|(group, kind)| Kinds::one(group, kind)).collect();
        let expanded = KindRule { kinds: bases, operations, scope: String::new() };
        std::iter::once(own).chain(Some(expanded).filter(|rule| !rule.kinds.is_empty())).collect()
    }
}

impl Mutator {
    /// What must be registered for it.
    pub fn kind_rules(&self) -> Vec<KindRule> {
        let Some(rules) = &self.apply_to else {
            return vec![KindRule {
                kinds: self.matches.kinds.clone(),
                operations: created_and_updated(),
                scope: self.matches.scope.clone(),
            }];
        };
        let rule = |rule: &super::ApplyTo| KindRule {
            kinds: vec![Kinds { api_groups: rule.groups.clone(), kinds: rule.kinds.clone() }],
            operations: match rule.operations.as_slice() {
                [] => created_and_updated(),
                named if named.iter().any(|item| item == "*") => created_and_updated(),
                named => named.to_vec(),
            },
            scope: self.matches.scope.clone(),
        };
        rules.iter().map(rule).collect()
    }
}

impl Kinds {
    fn one(group: &str, kind: &str) -> Self {
        Self { api_groups: vec![group.to_owned()], kinds: vec![kind.to_owned()] }
    }
}
