//! The order in which members of sets and objects are evaluated: OPA keeps them sorted as terms, so that which of
//! two members fails first, and which of two equal numbers stays, does not hang on how they were written.

use super::form::{Kind, Term, Var};
use super::names::Names;
use std::cmp::Ordering;

/// Puts the members of a set in order.
pub(crate) fn members(items: &mut [Term<'_>], names: &Names) {
    items.sort_by(|left, right| compare(left, right, names));
}

/// Puts the members of an object in the order of their keys.
pub(crate) fn pairs(pairs: &mut [(Term<'_>, Term<'_>)], names: &Names) {
    pairs.sort_by(|left, right| compare(&left.0, &right.0, names));
}

/// Terms of two kinds by the kind, of one kind by what they hold; what holds bodies stays as it was written.
fn compare(left: &Term<'_>, right: &Term<'_>, names: &Names) -> Ordering {
    let all = |left: &[Term<'_>], right: &[Term<'_>]| {
        let pairs = left.iter().zip(right).map(|(left, right)| compare(left, right, names));
        pairs.fold(Ordering::Equal, Ordering::then).then(left.len().cmp(&right.len()))
    };
    let shown = |var: Var| names.shown(var).unwrap_or_default();
    match (&left.kind, &right.kind) {
        (Kind::Scalar(left), Kind::Scalar(right)) => left.compare(*right),
        (Kind::Var(left), Kind::Var(right)) => shown(*left).cmp(shown(*right)),
        (Kind::Ref(left), Kind::Ref(right))
        | (Kind::Array(left), Kind::Array(right))
        | (Kind::Set(left), Kind::Set(right)) => all(left, right),
        (Kind::Object(left), Kind::Object(right)) => {
            let keys = left.iter().zip(right).map(|(left, right)| compare(&left.0, &right.0, names));
            let values = left.iter().zip(right).map(|(left, right)| compare(&left.1, &right.1, names));
            keys.chain(values).fold(Ordering::Equal, Ordering::then).then(left.len().cmp(&right.len()))
        }
        (Kind::Call(left, a), Kind::Call(right, b)) => {
            let words = |path: &[&str]| path.join(".").split('.').map(str::to_owned).collect::<Vec<_>>();
            words(&left.path).cmp(&words(&right.path)).then_with(|| all(a, b))
        }
        (left, right) => rank(left).cmp(&rank(right)),
    }
}

fn rank(kind: &Kind<'_>) -> u8 {
    match kind {
        Kind::Scalar(_) => 0,
        Kind::Template(_) => 1,
        Kind::Var(_) => 2,
        Kind::Ref(_) => 3,
        Kind::Array(_) => 4,
        Kind::Object(_) => 5,
        Kind::Set(_) => 6,
        Kind::ArrayOf(_) => 7,
        Kind::ObjectOf(_) => 8,
        Kind::SetOf(_) => 9,
        Kind::Call(..) => 10,
    }
}
