//! What OPA asks before a rule runs: its rule index tests what expressions of the body need of input, data and
//! arguments, and a rule that cannot hold is not begun.
//!
//! Where nothing can fail that is a matter of speed. Where something can, it is seen: a body that is not begun
//! raises no error, and rules that are left out do not count when OPA asks whether all that remain give one value,
//! of which the first is enough then. So this is OPA 1.22's index as far as it decides which rules run: what is
//! read from a body is in `body`, what is asked of it in `ways`.

mod body;
mod ways;

use super::Rule;
use super::code::Guard;
use crate::rego::front::form::{DATA, INPUT, Kind, Term, Var};
use crate::rego::front::rules::Tree;
use crate::rego::place::Place;
use crate::value::{Arena, Value};
use body::Reader;
pub(crate) use body::split;

/// Where a value is that is asked about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source<'p> {
    /// Below the input.
    Input(Vec<Value<'p>>),
    /// A base document.
    Base(Vec<Value<'p>>),
    /// An argument of the function.
    Argument(usize),
}

/// A source by its place in [`Sources`].
type SourceId = usize;

/// All sources that the rules of one name ask about.
#[derive(Debug, Default)]
struct Sources<'p>(Vec<(Source<'p>, Option<Place>)>);

impl<'p> Sources<'p> {
    fn id(&mut self, source: Source<'p>, place: Option<Place>) -> SourceId {
        if let Some(at) = self.0.iter().position(|(known, _)| *known == source) {
            return at;
        }
        self.0.push((source, place));
        self.0.len() - 1
    }

    fn get(&self, id: SourceId) -> Option<&Source<'p>> {
        self.0.get(id).map(|(source, _)| source)
    }
}

/// How much a source was asked about, which decides when it is looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    count: usize,
    /// 0: one value is asked for; 1: one of several; 2: one of several beginnings or ends.
    several: u8,
}

/// What a body asks of one source.
#[derive(Clone, Debug, PartialEq)]
struct Entry<'p> {
    source: SourceId,
    wanted: Wish<'p>,
    how: How<'p>,
}

/// The value that is asked for.
#[derive(Clone, Debug, PartialEq)]
enum Wish<'p> {
    /// Whatever there is.
    Any,
    /// Whatever there is; it has this name from then on.
    Named(Var),
    Scalar(Value<'p>),
    /// An array of so many elements; `None`: any.
    Array(Vec<Option<Value<'p>>>),
    /// An array, object or set that cannot be looked for.
    Composite(Term<'p>),
}

/// In what way a value must fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How<'p> {
    Equal,
    /// It is in the collection there.
    Member,
    Start,
    End,
    /// The text there, split at any of these characters, is that array.
    Split(&'p str),
}

impl Entry<'_> {
    fn is_open(&self) -> bool {
        matches!(self.wanted, Wish::Any | Wish::Named(_))
    }

    fn is_affix(&self) -> bool {
        matches!(self.how, How::Start | How::End)
    }
}

/// For each rule and each of its clauses, what must be so that it is begun.
pub(super) fn guards<'p>(arena: &impl Arena<'p>, tree: &Tree<'p>, rules: &[Rule<'p>]) -> Vec<Vec<Guard<'p>>> {
    let mut reader = Reader { arena, tree, sources: Sources::default() };
    let read: Vec<Vec<body::Asked<'p>>> = rules
        .iter()
        .map(|rule| {
            if rule.default {
                return rule.clauses.iter().map(|_| body::Asked::default()).collect();
            }
            rule.clauses.iter().map(|clause| reader.clause(clause)).collect()
        })
        .collect();
    // Whether a caller might stop at the first that holds: then nobody looks into collections before.
    let mut all = rules.iter().filter(|rule| !rule.default).flat_map(|rule| &rule.clauses);
    let first = all.next().and_then(|clause| ground_result(arena, clause));
    let same = first.is_some() && all.all(|clause| ground_result(arena, clause) == first);
    ways::guards(&reader.sources, &read, !same)
}

/// The value that a clause of a complete rule or function gives whenever it holds.
pub(super) fn ground_result<'p>(arena: &impl Arena<'p>, clause: &super::Clause<'p>) -> Option<Value<'p>> {
    match &clause.result {
        super::Head::Value(term) if clause.tail.is_empty() => literal(arena, term),
        _ => None,
    }
}

/// The value of a term without variables.
pub(super) fn literal<'p>(arena: &impl Arena<'p>, term: &Term<'p>) -> Option<Value<'p>> {
    let all = |items: &[Term<'p>]| -> Option<Vec<Value<'p>>> {
        items.iter().map(|item| literal(arena, item)).collect()
    };
    match &term.kind {
        Kind::Scalar(value) => Some(*value),
        Kind::Array(items) => Some(Value::Array(arena.array(&all(items)?))),
        Kind::Set(items) => Some(Value::set(arena, all(items)?)),
        Kind::Object(pairs) => {
            let pairs: Option<Vec<_>> = pairs
                .iter()
                .map(|(key, value)| Some((literal(arena, key)?, literal(arena, value)?)))
                .collect();
            Some(Value::object(arena, pairs?))
        }
        _ => None,
    }
}

/// The parts of a reference; `input` and `data` are ones too.
fn parts<'t, 'p>(term: &'t Term<'p>) -> Option<&'t [Term<'p>]> {
    match &term.kind {
        Kind::Ref(parts) => Some(parts),
        Kind::Var(INPUT | DATA) => Some(std::slice::from_ref(term)),
        _ => None,
    }
}
