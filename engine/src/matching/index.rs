//! From a request's group, resource and verb to the few policies whose rules could match: no policy that
//! cannot match is looked at, whatever the number of policies.

use super::rules::operation_matches;
use super::spec::ResourceRule;
use crate::gatekeeper::{Constraint, Kinds};
use crate::request::{GroupVersionKind, Operation};
use std::collections::BTreeMap;

const OPERATIONS: [Operation; 4] =
    [Operation::Create, Operation::Update, Operation::Delete, Operation::Connect];

/// Positions of policies by resource and verb. A rule with a wildcard in group or resource is in the lists of
/// `*`; the exact rule is checked afterwards by [`super::Matcher`].
#[derive(Debug, Default)]
pub struct Index {
    exact: BTreeMap<(Operation, String, String), Vec<usize>>,
    wildcard: BTreeMap<Operation, Vec<usize>>,
    /// Constraints go by kind, whatever the verb: (group, kind).
    kinds: BTreeMap<(String, String), Vec<usize>>,
    any_kind: Vec<usize>,
}

impl Index {
    /// Adds the policy at `position` for what a rule names.
    pub fn add(&mut self, position: usize, rule: &ResourceRule) {
        for operation in OPERATIONS {
            if rule.operations.iter().any(|item| operation_matches(item, operation)) {
                for group in &rule.api_groups {
                    for resource in &rule.resources {
                        self.add_resource(position, operation, group, resource);
                    }
                }
            }
        }
    }

    /// Adds the policy at `position` for one resource and verb.
    pub fn add_resource(&mut self, position: usize, operation: Operation, group: &str, resource: &str) {
        let resource = resource.split('/').next().unwrap_or_default();
        let list = if group == "*" || resource == "*" {
            self.wildcard.entry(operation).or_default()
        } else {
            self.exact.entry((operation, group.to_owned(), resource.to_owned())).or_default()
        };
        if list.last() != Some(&position) {
            list.push(position);
        }
    }

    /// Adds the constraint at `position` for the kinds that it names.
    pub fn add_kinds(&mut self, position: usize, constraint: &Constraint) {
        let kinds = &constraint.matches.kinds;
        if kinds.is_empty() || kinds.iter().any(Kinds::is_open) {
            return self.any_kind.push(position);
        }
        for rule in kinds {
            for (group, kind) in
                rule.api_groups.iter().flat_map(|group| rule.kinds.iter().map(move |kind| (group, kind)))
            {
                self.add_kind(position, group, kind);
            }
        }
    }

    /// Adds the constraint at `position` for one kind.
    pub fn add_kind(&mut self, position: usize, group: &str, kind: &str) {
        self.kinds.entry((group.to_owned(), kind.to_owned())).or_default().push(position);
    }

    /// The positions of policies to look at, ascending, each once.
    pub fn candidates(
        &self,
        operation: Operation,
        resource: GroupVersionKind<'_>,
        kind: GroupVersionKind<'_>,
    ) -> Vec<usize> {
        let exact = self.exact.get(&(operation, resource.group.to_owned(), resource.kind.to_owned()));
        let wildcard = self.wildcard.get(&operation);
        let kinds = self.kinds.get(&(kind.group.to_owned(), kind.kind.to_owned()));
        let lists = exact.into_iter().chain(wildcard).chain(kinds).chain(Some(&self.any_kind));
        let mut positions: Vec<usize> = lists.flatten().copied().collect();
        positions.sort_unstable();
        positions.dedup();
        positions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(groups: &[&str], resources: &[&str], operations: &[&str]) -> ResourceRule {
        let owned = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        ResourceRule {
            api_groups: owned(groups),
            resources: owned(resources),
            operations: owned(operations),
            ..ResourceRule::default()
        }
    }

    #[test]
    fn finds_exact_and_wildcard_rules() {
        let mut index = Index::default();
        index.add(0, &rule(&[""], &["pods", "pods/exec"], &["CREATE"]));
        index.add(1, &rule(&["*"], &["*"], &["*"]));
        index.add(2, &rule(&["apps"], &["*/scale"], &["UPDATE"]));
        let of = |operation, group, resource, kind| {
            let named = |kind| GroupVersionKind { group, version: "v1", kind };
            index.candidates(operation, named(resource), named(kind))
        };
        assert_eq!(of(Operation::Create, "", "pods", "Pod"), [0, 1]);
        assert_eq!(of(Operation::Update, "apps", "deployments", "Deployment"), [1, 2]);
        assert_eq!(of(Operation::Delete, "", "pods", "Pod"), [0usize; 0]);
    }
}
