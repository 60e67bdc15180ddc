//! What a body asks of the input alone is asked first, before anything costs.
//!
//! Only for rules that cannot fail: an order of evaluation shows in errors and in nothing else.

use super::code::{ClauseCode, Step, X};
use crate::rego::place::Place;

/// Puts the steps first that need nothing but the input, and reads the places of the input that every member of an
/// iteration is compared with once, before it: where one is not there, nothing is gone through.
pub(super) fn settle(clause: &mut ClauseCode<'_>) {
    let steps = std::mem::take(&mut clause.code.steps).into_iter();
    let mut steps: Vec<_> = steps.zip(std::mem::take(&mut clause.code.places)).collect();
    tests_first(&mut steps);
    read_once(&mut steps, &mut clause.slots);
    let (steps, places): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
    (clause.code.steps, clause.code.places) = (steps.into(), places.into());
}

type Placed<'p> = (Step<'p>, Place);

fn tests_first(steps: &mut Vec<Placed<'_>>) {
    let mut within = 0_usize;
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for (step, place) in steps.drain(..) {
        match step {
            Step::With(_) => within += 1,
            Step::EndWith => within = within.saturating_sub(1),
            _ => {}
        }
        let is_early = within == 0
            && match &step {
                Step::Test(x) => is_place(x),
                Step::Equal(one, other) => {
                    (is_place(one) && other.as_constant().is_some())
                        || (is_place(other) && one.as_constant().is_some())
                }
                _ => false,
            };
        if is_early { first.push((step, place)) } else { rest.push((step, place)) }
    }
    first.append(&mut rest);
    *steps = first;
}

/// A constant place of the input.
fn is_place(x: &X<'_>) -> bool {
    match x {
        X::Input | X::InputPath(_) => true,
        X::Path(x, _) => is_place(x),
        X::Index(sides) => is_place(&sides.0) && sides.1.as_constant().is_some(),
        _ => false,
    }
}

fn read_once<'p>(steps: &mut Vec<Placed<'p>>, slots: &mut u32) {
    let Some(at) = steps.iter().position(|(step, _)| matches!(step, Step::Each { .. } | Step::Tree { .. }))
    else {
        return;
    };
    // Within `with` the input may be another.
    let end = steps.iter().position(|(step, _)| matches!(step, Step::With(_))).unwrap_or(steps.len());
    let mut found = Vec::new();
    for (step, place) in steps.get_mut(at + 1..end).unwrap_or_default() {
        let mut read =
            |x: &mut X<'p>| places_into_slots(x, &mut |path| slot_of(path, *place, &mut found, slots));
        match step {
            Step::Test(x) => read(x),
            Step::Equal(one, other) => {
                read(one);
                read(other);
            }
            Step::Each { over, .. } => read(over),
            _ => {}
        }
    }
    let binds = found.into_iter().map(|(path, slot, place)| (Step::Bind(slot, X::InputPath(path)), place));
    steps.splice(at..at, binds);
}

type Path<'p> = Box<[&'p str]>;

fn slot_of<'p>(
    path: Path<'p>,
    place: Place,
    found: &mut Vec<(Path<'p>, u32, Place)>,
    slots: &mut u32,
) -> u32 {
    if let Some((_, slot, _)) = found.iter().find(|(known, ..)| *known == path) {
        return *slot;
    }
    let slot = *slots;
    *slots += 1;
    found.push((path, slot, place));
    slot
}

/// Puts slots for the places of the input without which `x` is undefined.
fn places_into_slots<'p>(x: &mut X<'p>, slot: &mut impl FnMut(Path<'p>) -> u32) {
    match x {
        X::InputPath(path) => *x = X::Slot(slot(std::mem::take(path))),
        X::Path(x, _) => places_into_slots(x, slot),
        X::Index(sides) | X::Compare(_, sides) | X::Member(sides) => {
            places_into_slots(&mut sides.0, slot);
            places_into_slots(&mut sides.1, slot);
        }
        X::Call(_, items) | X::Builtin(_, items) | X::Array(items) | X::Set(items) => {
            items.iter_mut().for_each(|item| places_into_slots(item, slot));
        }
        X::Prepared(prepared) => prepared.args.iter_mut().for_each(|item| places_into_slots(item, slot)),
        X::Object(pairs) => {
            for (key, value) in pairs {
                places_into_slots(key, slot);
                places_into_slots(value, slot);
            }
        }
        X::Constant(_) | X::Undefined | X::Slot(_) | X::Input | X::SlotPath(..) => {}
        X::Rule(_) | X::Node(_) | X::Base(_) | X::ArrayOf(_) | X::SetOf(_) | X::ObjectOf(_) => {}
    }
}
