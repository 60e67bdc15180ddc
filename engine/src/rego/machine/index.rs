//! Rules that can fail: just those clauses run that OPA's rule index lets run, and as far as OPA runs them.

use super::Machine;
use super::documents::index as member;
use crate::rego::compile::code::{Check, Guard, Index, RuleCode, Wanted};
use crate::rego::compile::index::{Source, split};
use crate::value::Value;

/// Clauses that have a bit of their own.
const MASKED: u32 = u64::BITS;

impl<'a> Machine<'a, '_> {
    /// A complete rule or function with its index; false: nothing else need be tried.
    pub(super) fn indexed(
        &mut self,
        rule: &'a RuleCode<'a>,
        args: &[Value<'a>],
        value: &mut Option<Value<'a>>,
    ) -> bool {
        let Some(index) = rule.index.as_deref() else { return true };
        let begun = self.begun(index, args);
        let early = self.is_early(index, begun, args);
        let chosen = rule.dispatch.as_ref().and_then(|dispatch| {
            let arg = args.get(dispatch.argument)?;
            Some(dispatch.by_value.get(arg).unwrap_or(&dispatch.others))
        });
        let mut next = 0;
        for (at, clauses) in (0_u32..).zip(&rule.clauses) {
            let first = next;
            next += clauses.len();
            if chosen.is_some_and(|chosen| !chosen.contains(&at)) {
                continue;
            }
            let unsure = self.unsure;
            for (place, clause) in (first..).zip(clauses) {
                if !self.is_begun(index, begun, place, args) {
                    if self.watched {
                        self.left_out(clause, args);
                    }
                    continue;
                }
                let start = self.results.len();
                self.frame(clause, args, early);
                match self.outcome_of(rule, clause, start, value) {
                    Some(true) if early => return false,
                    Some(true) => break,
                    Some(false) if self.unsure != unsure => break,
                    Some(false) => {}
                    None => return false,
                }
            }
        }
        true
    }

    /// All clauses of a set or object with its index.
    pub(super) fn all_indexed(&mut self, rule: &'a RuleCode<'a>, index: &'a Index<'a>, args: &[Value<'a>]) {
        let begun = self.begun(index, args);
        let mut next = 0;
        for clauses in &rule.clauses {
            let first = next;
            next += clauses.len();
            let before = (self.results.len(), self.unsure);
            for (place, clause) in (first..).zip(clauses) {
                if !self.is_begun(index, begun, place, args) {
                    if self.watched {
                        self.left_out(clause, args);
                    }
                    continue;
                }
                self.frame(clause, args, false);
                if self.failure.is_some() {
                    return;
                }
                if (self.results.len(), self.unsure) != before {
                    break;
                }
            }
        }
    }

    /// Whether all clauses that are begun give one value: the first that holds is enough then.
    fn is_early(&self, index: &'a Index<'a>, begun: u64, args: &[Value<'a>]) -> bool {
        let mut value = None;
        for (place, constant) in index.constants.iter().enumerate() {
            if !self.is_begun(index, begun, place, args) {
                continue;
            }
            let Some(constant) = constant else { return false };
            if *value.get_or_insert(*constant) != *constant {
                return false;
            }
        }
        value.is_some()
    }

    /// A bit for each of the first clauses: whether it is begun.
    fn begun(&self, index: &'a Index<'a>, args: &[Value<'a>]) -> u64 {
        if index.is_open {
            return u64::MAX;
        }
        let admitted = |(place, guard)| u64::from(self.admits(guard, args)) << place;
        (0_u32..MASKED).zip(&index.guards).map(admitted).sum()
    }

    /// Whether a clause is begun; those beyond the bits are asked again.
    fn is_begun(&self, index: &'a Index<'a>, begun: u64, place: usize, args: &[Value<'a>]) -> bool {
        match u32::try_from(place) {
            Ok(place) if place < MASKED => begun >> place & 1 == 1,
            _ => index.is_open || index.guards.get(place).is_none_or(|guard| self.admits(guard, args)),
        }
    }

    fn admits(&self, guard: &Guard<'a>, args: &[Value<'a>]) -> bool {
        let passes = |check: &Check<'a>| {
            self.source(&check.source, args)
                .is_some_and(|value| check.any.iter().any(|wanted| fits(wanted, value)))
        };
        guard.required.iter().all(|source| self.source(source, args).is_some())
            && (guard.ways.is_empty() || guard.ways.iter().any(|way| way.iter().all(passes)))
            && guard.memberships.iter().all(|(key, collection)| {
                match (self.source(key, args), self.source(collection, args)) {
                    (Some(key), Some(collection)) => has_key(collection, key),
                    _ => false,
                }
            })
    }

    fn source(&self, source: &Source<'a>, args: &[Value<'a>]) -> Option<Value<'a>> {
        match source {
            Source::Input(path) => path.iter().try_fold(self.scene.input?, |value, key| member(value, *key)),
            Source::Base(path) => self.stored(path),
            Source::Argument(at) => args.get(*at).copied(),
        }
    }
}

/// Whether a collection has a key; what is none, or an array, is not asked.
fn has_key(collection: Value<'_>, key: Value<'_>) -> bool {
    match collection {
        Value::Object(_) | Value::Map(_) => collection.get_key(key).is_some(),
        Value::Set(set) => set.find(key).is_some(),
        _ => true,
    }
}

fn fits<'a>(wanted: &Wanted<'a>, value: Value<'a>) -> bool {
    match wanted {
        Wanted::Defined => true,
        Wanted::Is(wanted) => *wanted == value,
        Wanted::Looks(items) => looks(items, value),
        Wanted::Holds(wanted) => match value {
            Value::Array(items) => items.contains(wanted),
            Value::Set(set) => set.find(*wanted).is_some(),
            _ => value.entries().into_iter().flatten().any(|(_, item)| item == *wanted),
        },
        Wanted::Starts(start) => some_text(value, |text| text.starts_with(start)),
        Wanted::Ends(end) => some_text(value, |text| text.ends_with(end)),
        Wanted::Splits(delimiters, items) => match value {
            Value::String(text) => {
                let parts = split(text, delimiters);
                parts.len() == items.len()
                    && items
                        .iter()
                        .zip(parts)
                        .all(|(item, part)| item.is_none_or(|item| item == Value::String(part)))
            }
            _ => looks(items, value),
        },
    }
}

fn looks(items: &[Option<Value<'_>>], value: Value<'_>) -> bool {
    let Value::Array(found) = value else { return false };
    items.len() == found.len()
        && items.iter().zip(found).all(|(item, found)| item.is_none_or(|item| item == *found))
}

/// A text, or one of a collection.
fn some_text(value: Value<'_>, holds: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => holds(text),
        Value::Array(items) => items.iter().any(|item| item.as_str().is_some_and(&holds)),
        Value::Set(set) => set.items().iter().any(|item| item.as_str().is_some_and(&holds)),
        _ => value.entries().into_iter().flatten().any(|(_, item)| item.as_str().is_some_and(&holds)),
    }
}
