//! Fragments: of types that have fields, where they can be, used, once, not within themselves.

use super::suggestions::did_you_mean;
use super::{Checked, Walk};
use crate::limits::MAX_WALK;
use crate::problem::Failure;
use crate::tree::{Definition, DefinitionKind, Fragment, FragmentSpread, InlineFragment, Selection};
use std::collections::{HashMap, HashSet};

impl<'d> Walk<'d, '_> {
    pub(super) fn inline_fragment_on_composite_type(&mut self, inline: &'d InlineFragment) -> Checked {
        let condition = &inline.type_condition;
        match self.schema.definition(condition) {
            Some(of) if !of.kind.is_composite() => {
                let words = format!("Fragment cannot condition on non composite type \"{condition}\".");
                self.problem(inline.position, words)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn fragment_on_composite_type(
        &mut self,
        fragment: &'d Fragment,
        definition: Option<&'d Definition>,
    ) -> Checked {
        let condition = &fragment.type_condition;
        match definition {
            Some(of) if !of.kind.is_composite() && !condition.is_empty() => {
                let words = format!(
                    "Fragment \"{}\" cannot condition on non composite type \"{condition}\".",
                    fragment.name
                );
                self.problem(fragment.position, words)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn known_inline_fragment_type(&mut self, inline: &'d InlineFragment) -> Checked {
        let condition = &inline.type_condition;
        if condition.is_empty() || self.schema.definition(condition).is_some() {
            return Ok(());
        }
        self.problem(inline.position, format!("Unknown type \"{condition}\"."))
    }

    pub(super) fn known_fragment_type(
        &mut self,
        fragment: &'d Fragment,
        definition: Option<&'d Definition>,
    ) -> Checked {
        if definition.is_some() {
            return Ok(());
        }
        let condition = &fragment.type_condition;
        let mut words = format!("Unknown type \"{condition}\".");
        did_you_mean(self.host, &mut words, "Did you mean", condition, self.schema.names(), true)?;
        self.problem(fragment.position, words)
    }

    pub(super) fn known_fragment(
        &mut self,
        spread: &'d FragmentSpread,
        fragment: Option<&Fragment>,
    ) -> Checked {
        if fragment.is_some() {
            return Ok(());
        }
        self.problem(spread.position, format!("Unknown fragment \"{}\".", spread.name))
    }

    pub(super) fn no_unused_fragment(&mut self, fragment: &'d Fragment) -> Checked {
        self.memory.in_fragments = true;
        if self.memory.fragments_used.contains(fragment.name.as_str()) {
            return Ok(());
        }
        self.problem(fragment.position, format!("Fragment \"{}\" is never used.", fragment.name))
    }

    pub(super) fn unique_fragment_name(&mut self, fragment: &'d Fragment) -> Checked {
        if self.memory.fragments_seen.insert(&fragment.name) {
            return Ok(());
        }
        self.problem(
            fragment.position,
            format!("There can be only one fragment named \"{}\".", fragment.name),
        )
    }

    pub(super) fn possible_inline_fragment(
        &mut self,
        parent: Option<&'d Definition>,
        inline: &'d InlineFragment,
    ) -> Checked {
        let Some(parent) = parent else { return Ok(()) };
        if self.is_possible(parent, &inline.type_condition)? {
            return Ok(());
        }
        let words = format!(
            "Fragment cannot be spread here as objects of type \"{}\" can never be of type \"{}\".",
            parent.name, inline.type_condition
        );
        self.problem(inline.position, words)
    }

    pub(super) fn possible_spread(
        &mut self,
        parent: Option<&'d Definition>,
        spread: &'d FragmentSpread,
        fragment: Option<&'d Fragment>,
    ) -> Checked {
        let (Some(parent), Some(fragment)) = (parent, fragment) else { return Ok(()) };
        if self.is_possible(parent, &fragment.type_condition)? {
            return Ok(());
        }
        let words = format!(
            "Fragment \"{}\" cannot be spread here as objects of type \"{}\" can never be of type \"{}\".",
            spread.name, parent.name, fragment.type_condition
        );
        self.problem(spread.position, words)
    }

    /// Whether what is of one type can be of another, as far as this rule judges it.
    fn is_possible(&mut self, parent: &'d Definition, condition: &str) -> Result<bool, Failure> {
        let schema = self.schema;
        let parents: HashSet<&str> = match parent.kind {
            DefinitionKind::Object => HashSet::from([parent.name.as_str()]),
            DefinitionKind::Interface | DefinitionKind::Union => {
                let possible = schema.possible(&parent.name);
                self.host.spend(possible.len())?;
                possible.map(|possible| possible.name.as_str()).collect()
            }
            _ => return Ok(true),
        };
        match schema.definition(condition) {
            Some(of) if of.kind.is_composite() => {
                let mut possible = schema.possible(&of.name);
                self.host.spend(1 + possible.len())?;
                Ok(possible.any(|possible| parents.contains(possible.name.as_str())))
            }
            _ => Ok(true),
        }
    }

    pub(super) fn no_fragment_cycles(&mut self, fragment: &'d Fragment) -> Checked {
        self.follow(fragment, &mut Vec::new(), &mut HashMap::new())
    }

    fn follow(
        &mut self,
        fragment: &'d Fragment,
        path: &mut Vec<&'d FragmentSpread>,
        entered: &mut HashMap<&'d str, usize>,
    ) -> Checked {
        if !self.memory.fragments_followed.insert(&fragment.name) {
            return Ok(());
        }
        if path.len() >= MAX_WALK {
            return Err(Failure::TooLarge(
                "GraphQL fragments within fragments, more than 400 deep, are not read here",
            ));
        }
        let spreads = self.spreads_within(&fragment.selection_set)?;
        if spreads.is_empty() {
            return Ok(());
        }
        entered.insert(&fragment.name, path.len());
        for spread in spreads {
            path.push(spread);
            if let Some(from) = entered.get(spread.name.as_str()) {
                let via: Vec<_> = path
                    .get(*from..path.len() - 1)
                    .unwrap_or_default()
                    .iter()
                    .map(|spread| format!("\"{}\"", spread.name))
                    .collect();
                let via = if via.is_empty() { String::new() } else { format!(" via {}", via.join(", ")) };
                let words = format!("Cannot spread fragment \"{}\" within itself{via}.", spread.name);
                self.problem(spread.position, words)?;
            } else {
                self.host.spend(1 + self.document.fragments.len() / 4)?;
                if let Some(inner) = self.document.fragment(&spread.name) {
                    self.follow(inner, path, entered)?;
                }
            }
            path.pop();
        }
        entered.remove(fragment.name.as_str());
        Ok(())
    }

    /// The spreads within selections, those of the last selection first.
    fn spreads_within(&mut self, selections: &'d [Selection]) -> Result<Vec<&'d FragmentSpread>, Failure> {
        let mut spreads = Vec::new();
        let mut left = vec![selections];
        while let Some(selections) = left.pop() {
            self.host.spend(1 + selections.len())?;
            for selection in selections {
                match selection {
                    Selection::Spread(spread) => spreads.push(spread),
                    Selection::Field(field) => left.push(&field.selection_set),
                    Selection::Inline(inline) => left.push(&inline.selection_set),
                }
            }
        }
        Ok(spreads)
    }
}
