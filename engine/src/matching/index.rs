//! From a request's group, resource and verb to the few policies whose rules could match: no policy that
//! cannot match is looked at, whatever the number of policies.

use super::rules::operation_matches;
use super::spec::ResourceRule;
use crate::request::Operation;
use std::collections::BTreeMap;

const OPERATIONS: [Operation; 4] =
    [Operation::Create, Operation::Update, Operation::Delete, Operation::Connect];

/// Positions of policies by resource and verb. A rule with a wildcard in group or resource is in the lists of
/// `*`; the exact rule is checked afterwards by [`super::Matcher`].
#[derive(Debug, Default)]
pub struct Index {
    exact: BTreeMap<(Operation, String, String), Vec<usize>>,
    wildcard: BTreeMap<Operation, Vec<usize>>,
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

    /// The positions of policies to look at, ascending, each once.
    pub fn candidates(&self, operation: Operation, group: &str, resource: &str) -> Vec<usize> {
        let exact = self.exact.get(&(operation, group.to_owned(), resource.to_owned()));
        let wildcard = self.wildcard.get(&operation);
        let mut positions: Vec<usize> = exact.into_iter().chain(wildcard).flatten().copied().collect();
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
        assert_eq!(index.candidates(Operation::Create, "", "pods"), [0, 1]);
        assert_eq!(index.candidates(Operation::Update, "apps", "deployments"), [1, 2]);
        assert_eq!(index.candidates(Operation::Delete, "", "pods"), [0usize; 0]);
    }
}
