//! Fields that would have the same name in the answer and not be the same:
//! <https://spec.graphql.org/October2021/#sec-Field-Selection-Merging>.
//!
//! Fields are compared within a selection, between selections of fields that are merged, and with what fragments
//! bring. Which pairs of fragments were compared is remembered for the whole document, as gqlparser does. Even so
//! the time can double with each fragment within a fragment: every comparison is counted by the host.

use super::{Checked, Walk};
use crate::limits::MAX_WALK;
use crate::problem::{Failure, Position};
use crate::tree::{Argument, DefinitionKind, Field, FragmentSpread, InputValue, Selection, Type, ValueKind};
use std::collections::{HashMap, HashSet};

/// What was compared already.
#[derive(Default)]
pub(super) struct Compared<'d> {
    /// Pairs of fragments, and whether they were compared as exclusive ones only.
    pairs: HashMap<(&'d str, &'d str), bool>,
    /// Fragments that the fields at hand were compared with.
    fragments: HashSet<&'d str>,
}

/// What a selection asks for: fields by the names of their answers, in order, and fragments.
#[derive(Default)]
struct Collected<'d> {
    names: Vec<&'d str>,
    fields: HashMap<&'d str, Vec<&'d Field>>,
    spreads: Vec<&'d FragmentSpread>,
}

/// A conflict, and those below it that make it one.
struct Conflict<'d> {
    name: &'d str,
    message: String,
    below: Vec<Conflict<'d>>,
    position: Option<Position>,
}

impl Conflict<'_> {
    fn write(&self, out: &mut String) {
        if self.below.is_empty() {
            out.push_str(&self.message);
            return;
        }
        for (at, below) in self.below.iter().enumerate() {
            out.push_str(if at > 0 { " and " } else { "" });
            out.push_str(&format!("subfields \"{}\" conflict because ", below.name));
            below.write(out);
        }
    }
}

type Found<'d> = Result<Vec<Conflict<'d>>, Failure>;

impl<'d> Walk<'d, '_> {
    /// The rule: within a selection, and with all that it spreads.
    pub(super) fn no_conflicts(&mut self, selections: &'d [Selection]) -> Checked {
        if selections.is_empty() {
            return Ok(());
        }
        let mut conflicts = Vec::new();
        let all = self.collect(selections)?;
        for name in &all.names {
            let fields = all.fields.get(name).map_or(&[][..], Vec::as_slice);
            for (at, one) in fields.iter().enumerate() {
                for other in fields.iter().skip(at + 1) {
                    conflicts.extend(self.conflict(false, one, other, 0)?);
                }
            }
        }
        self.memory.conflicts.fragments.clear();
        for (at, one) in all.spreads.iter().enumerate() {
            self.with_fragment(&mut conflicts, false, &all, one, 0)?;
            for other in all.spreads.iter().skip(at + 1) {
                self.between_fragments(&mut conflicts, false, one, other, 0)?;
            }
        }
        for conflict in conflicts {
            let mut why = String::new();
            conflict.write(&mut why);
            let words = format!(
                "Fields \"{}\" conflict because {why}. Use different aliases on the fields to fetch both if this was intentional.",
                conflict.name
            );
            self.problem(conflict.position, words)?;
        }
        Ok(())
    }

    fn collect(&mut self, selections: &'d [Selection]) -> Result<Collected<'d>, Failure> {
        let mut all = Collected::default();
        let mut left = vec![selections.iter()];
        while let Some(current) = left.last_mut() {
            let Some(selection) = current.next() else {
                left.pop();
                continue;
            };
            self.host.spend(4)?;
            match selection {
                Selection::Field(field) => {
                    let name = field.response_name();
                    let fields = all.fields.entry(name).or_default();
                    if fields.is_empty() {
                        all.names.push(name);
                    }
                    fields.push(field);
                }
                Selection::Inline(inline) => left.push(inline.selection_set.iter()),
                Selection::Spread(spread) => all.spreads.push(spread),
            }
        }
        Ok(all)
    }

    fn deep(depth: usize) -> Checked {
        if depth < MAX_WALK {
            return Ok(());
        }
        Err(Failure::TooLarge("GraphQL fragments within fragments, more than 400 deep, are not read here"))
    }

    /// Between fields and what a fragment brings.
    fn with_fragment(
        &mut self,
        conflicts: &mut Vec<Conflict<'d>>,
        exclusive: bool,
        all: &Collected<'d>,
        spread: &'d FragmentSpread,
        depth: usize,
    ) -> Checked {
        Self::deep(depth)?;
        if !self.memory.conflicts.fragments.insert(&spread.name) {
            return Ok(());
        }
        let Some(fragment) = self.spread_note(spread) else { return Ok(()) };
        let brought = self.collect(&fragment.selection_set)?;
        if self.are_same(all, &brought)? {
            return Ok(());
        }
        self.between(conflicts, exclusive, all, &brought, depth)?;
        for inner in &brought.spreads {
            if inner.name != spread.name {
                self.with_fragment(conflicts, exclusive, all, inner, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Whether two collections are of the same fields: then there is nothing to compare. Fields that were parsed
    /// stand in different places; in trees from JSON, which have no places, they can be equal.
    fn are_same(&mut self, one: &Collected<'d>, other: &Collected<'d>) -> Result<bool, Failure> {
        if one.names != other.names {
            return Ok(false);
        }
        for name in &one.names {
            let (Some(ours), Some(theirs)) = (one.fields.get(name), other.fields.get(name)) else {
                return Ok(false);
            };
            if ours.len() != theirs.len() {
                return Ok(false);
            }
            for (one, other) in ours.iter().zip(theirs) {
                self.host.spend(2)?;
                if std::ptr::eq(*one, *other) {
                    continue;
                }
                if one.position.is_some() || other.position.is_some() {
                    return Ok(false);
                }
                self.host.spend(64)?;
                let parents = [one, other].map(|field| self.note(field).parent.map(std::ptr::from_ref));
                if one != other || parents[0] != parents[1] {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn between_fragments(
        &mut self,
        conflicts: &mut Vec<Conflict<'d>>,
        exclusive: bool,
        one: &'d FragmentSpread,
        other: &'d FragmentSpread,
        depth: usize,
    ) -> Checked {
        Self::deep(depth)?;
        self.host.spend(2)?;
        if one.name == other.name {
            return Ok(());
        }
        let pairs = &mut self.memory.conflicts.pairs;
        // What was compared as if it could meet need not be compared as exclusive.
        if pairs.get(&(&one.name, &other.name)).is_some_and(|known| exclusive || !*known) {
            return Ok(());
        }
        pairs.insert((&one.name, &other.name), exclusive);
        pairs.insert((&other.name, &one.name), exclusive);
        let (Some(one_fragment), Some(other_fragment)) = (self.spread_note(one), self.spread_note(other))
        else {
            return Ok(());
        };
        let ours = self.collect(&one_fragment.selection_set)?;
        let theirs = self.collect(&other_fragment.selection_set)?;
        self.between(conflicts, exclusive, &ours, &theirs, depth)?;
        for inner in &theirs.spreads {
            self.between_fragments(conflicts, exclusive, one, inner, depth + 1)?;
        }
        for inner in &ours.spreads {
            self.between_fragments(conflicts, exclusive, inner, other, depth + 1)?;
        }
        Ok(())
    }

    fn between(
        &mut self,
        conflicts: &mut Vec<Conflict<'d>>,
        exclusive: bool,
        one: &Collected<'d>,
        other: &Collected<'d>,
        depth: usize,
    ) -> Checked {
        for name in &one.names {
            self.host.spend(1)?;
            let (Some(ours), Some(theirs)) = (one.fields.get(name), other.fields.get(name)) else { continue };
            for one in ours {
                for other in theirs {
                    conflicts.extend(self.conflict(exclusive, one, other, depth)?);
                }
            }
        }
        Ok(())
    }

    fn conflict(
        &mut self,
        exclusive: bool,
        one: &'d Field,
        other: &'d Field,
        depth: usize,
    ) -> Result<Option<Conflict<'d>>, Failure> {
        self.host.spend(3)?;
        let (ours, theirs) = (self.note(one), self.note(other));
        let (Some(our_parent), Some(their_parent)) = (ours.parent, theirs.parent) else { return Ok(None) };
        let types = ours.definition.zip(theirs.definition).map(|(ours, theirs)| (&ours.of, &theirs.of));
        // Fields of different objects never meet.
        let exclusive = exclusive
            || our_parent.name != their_parent.name
                && our_parent.kind == DefinitionKind::Object
                && their_parent.kind == DefinitionKind::Object
                && types.is_some();
        let conflict = |message: String, below: Vec<Conflict<'d>>| {
            Ok(Some(Conflict { name: one.response_name(), message, below, position: other.position }))
        };
        if !exclusive {
            if one.name != other.name {
                return conflict(
                    format!("\"{}\" and \"{}\" are different fields", one.name, other.name),
                    Vec::new(),
                );
            }
            if !self.are_same_arguments(&one.arguments, &other.arguments)? {
                return conflict("they have differing arguments".to_owned(), Vec::new());
            }
        }
        if let Some((ours, theirs)) = types
            && self.do_types_conflict(ours, theirs)
        {
            return conflict(
                format!("they return conflicting types \"{ours}\" and \"{theirs}\""),
                Vec::new(),
            );
        }
        let below =
            self.between_selections(exclusive, &one.selection_set, &other.selection_set, depth + 1)?;
        if below.is_empty() { Ok(None) } else { conflict(String::new(), below) }
    }

    fn between_selections(
        &mut self,
        exclusive: bool,
        one: &'d [Selection],
        other: &'d [Selection],
        depth: usize,
    ) -> Found<'d> {
        Self::deep(depth)?;
        let mut conflicts = Vec::new();
        let (ours, theirs) = (self.collect(one)?, self.collect(other)?);
        self.between(&mut conflicts, exclusive, &ours, &theirs, depth)?;
        for (fields, spreads) in [(&ours, &theirs.spreads), (&theirs, &ours.spreads)] {
            for spread in spreads {
                self.memory.conflicts.fragments.clear();
                self.with_fragment(&mut conflicts, exclusive, fields, spread, depth + 1)?;
            }
        }
        for one in &ours.spreads {
            for other in &theirs.spreads {
                self.between_fragments(&mut conflicts, exclusive, one, other, depth + 1)?;
            }
        }
        Ok(conflicts)
    }

    fn do_types_conflict(&self, one: &Type, other: &Type) -> bool {
        let (mut one, mut other) = (one, other);
        loop {
            match (&one.elem, &other.elem) {
                (Some(ours), Some(theirs)) => (one, other) = (ours, theirs),
                (None, None) => break,
                _ => return true,
            }
        }
        if one.non_null != other.non_null {
            return true;
        }
        let kinds = [one, other].map(|of| self.schema.definition(&of.named_type).map(|of| of.kind));
        let leaves = kinds.iter().all(|kind| kind.is_some_and(DefinitionKind::is_leaf));
        leaves && one.named_type != other.named_type
    }

    fn are_same_arguments(&mut self, one: &[Argument], other: &[Argument]) -> Result<bool, Failure> {
        if one.len() != other.len() {
            return Ok(false);
        }
        for argument in one {
            let mut found = false;
            for candidate in other {
                self.host.spend(1)?;
                found = argument.name == candidate.name
                    && self.are_same_values(&argument.value, &candidate.value)?;
                if found {
                    break;
                }
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn are_same_values(&mut self, one: &InputValue, other: &InputValue) -> Result<bool, Failure> {
        self.host.spend(1 + one.raw.len() / 64)?;
        if one.kind != other.kind || one.raw != other.raw || one.children.len() != other.children.len() {
            return Ok(false);
        }
        let mut ours: Vec<_> = one.children.iter().collect();
        let mut theirs: Vec<_> = other.children.iter().collect();
        if one.kind == ValueKind::Object {
            self.host.spend(ours.len())?;
            ours.sort_by_key(|child| &child.name);
            theirs.sort_by_key(|child| &child.name);
        }
        for (one, other) in ours.iter().zip(theirs) {
            if one.name != other.name || !self.are_same_values(&one.value, &other.value)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
