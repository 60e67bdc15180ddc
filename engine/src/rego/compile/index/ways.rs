//! From what bodies ask to what is tested: in which order sources are looked at decides what is not tested at all.

use super::body::{Asked, place_of};
use super::{Entry, How, Share, SourceId, Sources, Wish};
use crate::rego::compile::code::{Check, Guard, Wanted};
use crate::value::Value;

/// What each clause's rule is begun for; `collections`: also what is looked for in collections is tested.
pub(super) fn guards<'p>(
    sources: &Sources<'p>,
    rules: &[Vec<Asked<'p>>],
    collections: bool,
) -> Vec<Vec<Guard<'p>>> {
    let shares = shares(rules);
    let valued = valued(rules, shares.len());
    let order = order(sources, &shares);
    let is_valued = |id: &SourceId| valued.get(*id).copied().unwrap_or_default();
    let (levels, open): (Vec<SourceId>, Vec<SourceId>) = order.into_iter().partition(is_valued);
    let guard = |asked: &Asked<'p>| {
        let ways = asked.ways();
        let required = open
            .iter()
            .filter(|id| ways.iter().all(|way| way.iter().any(|entry| entry.source == **id)))
            .filter_map(|id| sources.get(*id).cloned())
            .collect();
        let ways: Vec<Box<[Check<'p>]>> = ways.iter().map(|way| checks(sources, way, &levels)).collect();
        // Nothing is checked if one way has nothing to check.
        let any = ways.iter().any(|way| way.is_empty());
        Guard {
            required,
            ways: if any { Box::default() } else { ways.into() },
            memberships: if collections { asked.memberships.clone().into() } else { Box::default() },
        }
    };
    rules.iter().map(|clauses| clauses.iter().map(guard).collect()).collect()
}

fn shares(rules: &[Vec<Asked<'_>>]) -> Vec<Share> {
    let mut shares: Vec<Share> = Vec::new();
    for asked in rules.iter().flatten() {
        if shares.len() < asked.shares.len() {
            shares.resize(asked.shares.len(), Share::default());
        }
        for (sum, share) in shares.iter_mut().zip(&asked.shares) {
            sum.count += share.count;
            sum.several = sum.several.max(share.several);
        }
    }
    shares
}

/// For each source, whether some rule asks for a value there.
fn valued(rules: &[Vec<Asked<'_>>], sources: usize) -> Vec<bool> {
    let mut valued = vec![false; sources];
    for asked in rules.iter().flatten() {
        let more = asked.alternatives.iter().flatten().flatten();
        for entry in asked.entries.iter().chain(more).filter(|entry| !entry.is_open()) {
            if let Some(slot) = valued.get_mut(entry.source) {
                *slot = true;
            }
        }
    }
    valued
}

/// The sources in the order in which they are looked at.
fn order(sources: &Sources<'_>, shares: &[Share]) -> Vec<SourceId> {
    let mut order: Vec<SourceId> = (0..shares.len()).collect();
    order.retain(|id| shares.get(*id).is_some_and(|share| share.count > 0));
    order.sort_by_key(|id| {
        let share = shares.get(*id).copied().unwrap_or_default();
        let place = place_of(sources, *id);
        (share.several, std::cmp::Reverse(share.count), place.is_none(), place, *id)
    });
    order
}

/// The tests on one way.
fn checks<'p>(sources: &Sources<'p>, way: &[Entry<'p>], levels: &[SourceId]) -> Box<[Check<'p>]> {
    let mut found = Vec::new();
    for level in levels {
        let mut values: Vec<&Entry<'p>> = way.iter().filter(|entry| entry.source == *level).collect();
        if values.iter().any(|entry| !entry.is_open()) {
            values.retain(|entry| !entry.is_open());
        }
        let Some(source) = sources.get(*level).cloned() else { continue };
        if values.is_empty() {
            continue;
        }
        let last = values.len() > 1
            && values
                .iter()
                .any(|entry| entry.is_affix() || matches!(entry.wanted, Wish::Array(_) | Wish::Composite(_)));
        if last {
            one_end(&mut values);
        }
        found.push(Check { source, any: values.iter().map(|entry| wanted(entry)).collect() });
        if last {
            // What stands below several beginnings is not tested.
            break;
        }
    }
    found.into()
}

/// Keeps beginnings or ends, where there are both: of which the shortest is longer.
fn one_end(values: &mut Vec<&Entry<'_>>) {
    let shortest = |how: How<'_>| {
        let lengths = values.iter().filter(|entry| entry.how == how).filter_map(|entry| match entry.wanted {
            Wish::Scalar(Value::String(text)) => Some(text.len()),
            _ => None,
        });
        lengths.min()
    };
    if let (Some(start), Some(end)) = (shortest(How::Start), shortest(How::End)) {
        let dropped = if end > start { How::Start } else { How::End };
        values.retain(|entry| entry.how != dropped);
    }
}

fn wanted<'p>(entry: &Entry<'p>) -> Wanted<'p> {
    match (&entry.wanted, entry.how) {
        (Wish::Any | Wish::Named(_) | Wish::Composite(_), _) => Wanted::Defined,
        (Wish::Scalar(value), How::Member) => Wanted::Holds(*value),
        (Wish::Scalar(Value::String(text)), How::Start) => Wanted::Starts(text),
        (Wish::Scalar(Value::String(text)), How::End) => Wanted::Ends(text),
        (Wish::Scalar(value), _) => Wanted::Is(*value),
        (Wish::Array(items), How::Split(delimiters)) => Wanted::Splits(delimiters, items.clone().into()),
        (Wish::Array(items), _) => Wanted::Looks(items.clone().into()),
    }
}
