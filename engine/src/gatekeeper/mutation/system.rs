//! All mutators together: in order, again and again until nothing changes, without those that contradict each other.

use super::location::Step;
use super::mutator::{Deed, Mutator};
use crate::gatekeeper::matching::Candidate;
use crate::request::{GroupVersionKind, Operation};
use crate::value::Value;
use bumpalo::Bump;

/// The mutators of a set, in Gatekeeper's order: by kind, then name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mutators {
    list: Vec<Mutator>,
}

impl Mutators {
    /// Puts them in order, and takes out those that contradict each other, with what they contradict.
    pub(crate) fn new(mut list: Vec<Mutator>) -> (Self, Vec<(String, String)>) {
        list.sort_by(|one, other| one.id.cmp(&other.id));
        let mut contradictions = Vec::new();
        for mutator in &list {
            let other = list.iter().find(|other| other.id != mutator.id && contradict(mutator, other));
            contradictions.extend(other.map(|other| (mutator.id.clone(), other.id.clone())));
        }
        list.retain(|mutator| !contradictions.iter().any(|(id, _)| *id == mutator.id));
        (Self { list }, contradictions)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mutator> {
        self.list.iter()
    }

    /// Whether any asks a provider.
    pub(crate) fn ask(&self) -> bool {
        self.list.iter().any(Mutator::asks)
    }

    /// Whether any can be about that kind.
    pub(crate) fn concern(&self, kind: GroupVersionKind<'_>) -> bool {
        self.list.iter().any(|mutator| mutator.concerns(kind))
    }

    /// The object after all mutators; `may` says which may write. Where providers have a say stand placeholders, for
    /// [`resolve`](super::resolve).
    ///
    /// # Errors
    /// The mutator at fault, and why; then none has an effect.
    pub(crate) fn apply<'a>(
        &self,
        arena: &'a Bump,
        candidate: Candidate<'a>,
        operation: Option<Operation>,
        user: &'a str,
        may: impl Fn(&Mutator) -> bool,
    ) -> Result<Value<'a>, (String, String)> {
        let mut object = candidate.object;
        // Each round settles at least one of them, if they settle at all.
        for _ in 0..=self.list.len() {
            let before = object;
            for mutator in self.list.iter().filter(|mutator| may(mutator)) {
                if !mutator.fits(&Candidate { object, ..candidate }, operation) {
                    continue;
                }
                match mutator.apply(arena, object, user) {
                    Ok(Some(changed)) => object = changed,
                    Ok(None) => {}
                    Err(problem) => return Err((mutator.id.clone(), problem)),
                }
            }
            if object == before {
                return Ok(object);
            }
        }
        let names: Vec<&str> = self.list.iter().map(|mutator| mutator.id.as_str()).collect();
        Err((names.join(", "), "the mutators never come to rest".into()))
    }
}

/// Whether two mutators of a kind in common take the same place for different things: an object and a list, lists
/// with other keys, a set and a text.
fn contradict(one: &Mutator, other: &Mutator) -> bool {
    let (Some(own), Some(others)) = (&one.apply_to, &other.apply_to) else { return false };
    let meet = |one: &[String], other: &[String]| one.iter().any(|item| other.contains(item));
    let common = own.iter().any(|a| {
        others
            .iter()
            .any(|b| meet(&a.groups, &b.groups) && meet(&a.versions, &b.versions) && meet(&a.kinds, &b.kinds))
    });
    if !common {
        return false;
    }
    let (own, others) = (shapes(one), shapes(other));
    own.iter().any(|(path, shape)| {
        others.iter().any(|(place, form)| {
            path == place && shape != form && *shape != Shape::Any && *form != Shape::Any
        })
    })
}

/// What a mutator takes a place for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Any,
    Object,
    List(String),
    Set,
    Text,
}

fn shapes(mutator: &Mutator) -> Vec<(Vec<String>, Shape)> {
    let steps = &mutator.route.location.steps;
    let mut path = Vec::new();
    let mut found = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let Step::Member(name) = step else {
            path.push("*".to_owned());
            continue;
        };
        path.push(name.clone());
        let shape = match steps.get(index + 1) {
            Some(Step::Element { key, .. }) => Shape::List(key.clone()),
            Some(Step::Member(_)) => Shape::Object,
            None => match mutator.deed {
                // A text, and nothing below it.
                Deed::Assign { .. } if mutator.asks() => Shape::Text,
                Deed::Assign { .. } => Shape::Any,
                Deed::Merge(_) | Deed::Prune(_) => Shape::Set,
                Deed::Image(_) => Shape::Text,
            },
        };
        found.push((path.clone(), shape));
    }
    found
}
