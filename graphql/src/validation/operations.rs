//! Operations: of a kind that the schema has, with names of their own; subscriptions to one thing.

use super::{Checked, Walk};
use crate::limits::MAX_WALK;
use crate::problem::{Failure, Position};
use crate::tree::{Operation, OperationType, Selection};
use std::collections::HashSet;

impl<'d> Walk<'d, '_> {
    pub(super) fn known_root_type(&mut self, operation: &'d Operation) -> Checked {
        if self.schema.root(operation.operation).is_some() {
            return Ok(());
        }
        let words = format!("Schema does not support operation type \"{}\"", operation.operation.keyword());
        self.problem(operation.position, words)
    }

    pub(super) fn lone_anonymous_operation(&mut self, operation: &'d Operation) -> Checked {
        if !operation.name.is_empty() || self.document.operations.len() <= 1 {
            return Ok(());
        }
        let words = "This anonymous operation must be the only defined operation.";
        self.problem(operation.position, words.to_owned())
    }

    pub(super) fn unique_operation_name(&mut self, operation: &'d Operation) -> Checked {
        if self.memory.operations_seen.insert(&operation.name) {
            return Ok(());
        }
        self.problem(
            operation.position,
            format!("There can be only one operation named \"{}\".", operation.name),
        )
    }

    pub(super) fn single_field_subscription(&mut self, operation: &'d Operation) -> Checked {
        if operation.operation != OperationType::Subscription
            || self.schema.root(OperationType::Subscription).is_none()
        {
            return Ok(());
        }
        let name = match operation.name.as_str() {
            "" => "Anonymous Subscription".to_owned(),
            name => format!("Subscription {}", self.host.quote(name)),
        };
        let mut top = TopFields::default();
        self.top_fields(&operation.selection_set, &mut top, 0)?;
        if let Some((_, position)) = top.fields.get(1) {
            self.problem(*position, format!("{name} must select only one top level field."))?;
        }
        for (field, position) in top.fields {
            if field.starts_with("__") {
                self.problem(position, format!("{name} must not select an introspection top level field."))?;
            }
        }
        Ok(())
    }

    /// The fields at the top, fragments looked into, each name once.
    fn top_fields(&mut self, selections: &'d [Selection], top: &mut TopFields<'d>, depth: usize) -> Checked {
        if depth >= MAX_WALK {
            return Err(Failure::TooLarge(
                "GraphQL fragments within fragments, more than 400 deep, are not read here",
            ));
        }
        for selection in selections {
            self.host.spend(2)?;
            match selection {
                Selection::Field(field) => {
                    if top.seen.insert(&field.name) {
                        top.fields.push((&field.name, field.position));
                    }
                }
                Selection::Inline(inline) => self.top_fields(&inline.selection_set, top, depth + 1)?,
                Selection::Spread(spread) => {
                    // gqlparser looks no further behind a fragment that it does not know.
                    let Some(fragment) = self.spread_note(spread) else { return Ok(()) };
                    if top.followed.insert(&fragment.name) {
                        self.top_fields(&fragment.selection_set, top, depth + 1)?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct TopFields<'d> {
    fields: Vec<(&'d str, Option<Position>)>,
    seen: HashSet<&'d str>,
    followed: HashSet<&'d str>,
}
