//! Sets: `&`, `|`, `union`, `intersection`, `set_diff`.

use super::{Builtin, Call, Outcome, Type, arithmetic, deprecated, function, operand};
use crate::value::{Arena, Set, Value};

const TWO: &[Type] = &[Type::SET, Type::SET];
const SETS: &[Type] = &[Type::Set(&Type::SET)];

pub(super) const TABLE: &[Builtin] = &[
    function("and", TWO, Type::SET, and),
    function("or", TWO, Type::SET, or),
    function("union", SETS, Type::SET, union),
    function("intersection", SETS, Type::SET, intersection),
    deprecated("set_diff", TWO, Type::SET, difference),
];

fn and<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (left, right) = (operand::set(arguments, 1)?, operand::set(arguments, 2)?);
    common(call, left, right).map(|set| Some(Value::Set(set)))
}

/// The members of both, as the smaller one holds them.
fn common<'a>(
    call: &mut Call<'a, '_>,
    left: Set<'a>,
    right: Set<'a>,
) -> Result<Set<'a>, super::BuiltinError> {
    let (small, large) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    call.spend(small.len())?;
    let items: Vec<_> = small.iter().filter(|item| large.contains(*item)).collect();
    Ok(Set::from_sorted(call.arena.array(&items)))
}

fn or<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (left, right) = (operand::set(arguments, 1)?, operand::set(arguments, 2)?);
    if left.is_empty() || right.is_empty() {
        return Ok(Some(Value::Set(if left.is_empty() { right } else { left })));
    }
    merged(call, [left, right].concat_items()).map(Some)
}

/// Items of several sets, one after the other.
trait ConcatItems<'a> {
    fn concat_items(&self) -> Vec<Value<'a>>;
}

impl<'a> ConcatItems<'a> for [Set<'a>] {
    fn concat_items(&self) -> Vec<Value<'a>> {
        self.iter().flat_map(Set::iter).collect()
    }
}

fn merged<'a>(call: &mut Call<'a, '_>, items: Vec<Value<'a>>) -> Result<Value<'a>, super::BuiltinError> {
    call.spend(items.len())?;
    call.claim(items.len() * size_of::<Value<'_>>())?;
    Ok(call.set(items))
}

/// The sets in a set.
fn sets<'a>(arguments: &[Value<'a>]) -> Result<Vec<Set<'a>>, super::BuiltinError> {
    operand::set(arguments, 1)?.iter().map(|item| operand::set(&[item], 1)).collect()
}

fn union<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let sets = sets(arguments)?;
    call.spend(sets.iter().map(Set::len).sum())?;
    merged(call, sets.concat_items()).map(Some)
}

fn intersection<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let mut sets = sets(arguments)?.into_iter();
    let Some(first) = sets.next() else { return Ok(Some(Value::EMPTY_SET)) };
    sets.try_fold(first, |so_far, set| common(call, so_far, set)).map(|set| Some(Value::Set(set)))
}

fn difference<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (left, right) = (operand::set(arguments, 1)?, operand::set(arguments, 2)?);
    call.spend(left.len())?;
    Ok(Some(Value::Set(arithmetic::without(call, left, right))))
}
