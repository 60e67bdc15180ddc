//! `graph.*` and `walk`.

use super::{Body, Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::value::Value;
use std::collections::BTreeSet;

const VERTICES: Type = Type::COLLECTION;
const GRAPH: Type = Type::Object(&[], Some((&Type::Any, &VERTICES)));

pub(super) const TABLE: &[Builtin] = &[
    function("graph.reachable", &[GRAPH, VERTICES], Type::SET, reachable),
    function("graph.reachable_paths", &[GRAPH, VERTICES], Type::Set(&Type::ARRAY), reachable_paths),
    Builtin {
        body: Body::Relation(walk),
        ..function("walk", &[Type::Any], Type::Array(&[Type::ARRAY, Type::Any], None), walk)
    },
];

/// The vertices of a collection; none of what is none.
fn vertices(collection: Value<'_>) -> &[Value<'_>] {
    match collection {
        Value::Array(items) => items,
        Value::Set(set) => set.items(),
        _ => &[],
    }
}

fn initial<'a>(arguments: &[Value<'a>]) -> Result<&'a [Value<'a>], BuiltinError> {
    match operand::at(arguments, 2) {
        Value::Array(items) => Ok(items),
        Value::Set(set) => Ok(set.items()),
        other => Err(BuiltinError::expected(2, &["{array, set}"], other)),
    }
}

fn reachable<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    operand::object(arguments, 1)?;
    let graph = operand::at(arguments, 1);
    let mut waiting = initial(arguments)?.to_vec();
    let mut reached = BTreeSet::new();
    while let Some(vertex) = waiting.pop() {
        call.spend(1)?;
        let Some(edges) = graph.get_key(vertex) else { continue };
        if reached.insert(vertex) {
            waiting.extend(vertices(edges).iter().filter(|next| !reached.contains(*next)));
        }
    }
    Ok(Some(call.set(reached.into_iter().collect())))
}

fn reachable_paths<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    operand::object(arguments, 1)?;
    let graph = operand::at(arguments, 1);
    let mut paths: Vec<Value<'a>> = Vec::new();
    // What is yet to be followed: a vertex, and the path that leads to it.
    let mut waiting: Vec<(Value<'a>, Vec<Value<'a>>)> = Vec::new();
    for start in initial(arguments)? {
        match graph.get_key(*start).map(vertices) {
            None => {}
            Some([]) => paths.push(call.array(&[*start])),
            Some(next) => waiting.extend(next.iter().map(|next| (*next, vec![*start]))),
        }
    }
    while let Some((vertex, mut path)) = waiting.pop() {
        call.spend(1 + path.len())?;
        let Some(edges) = graph.get_key(vertex).map(vertices) else {
            paths.push(committed(call, &path)?);
            continue;
        };
        path.push(vertex);
        if edges.is_empty() {
            paths.push(committed(call, &path)?);
        }
        for next in edges {
            if path.contains(next) {
                // A cycle ends the path.
                paths.push(committed(call, &path)?);
            } else {
                call.claim(path.len() * size_of::<Value<'_>>())?;
                waiting.push((*next, path.clone()));
            }
        }
    }
    call.spend(paths.len())?;
    Ok(Some(call.set(paths)))
}

fn committed<'a>(call: &mut Call<'a, '_>, path: &[Value<'a>]) -> Result<Value<'a>, BuiltinError> {
    call.claim(size_of_val(path))?;
    Ok(call.array(path))
}

/// All `[path, value]` of a value, for those who want them at once.
fn walk<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let mut walk = Walk::new(operand::at(arguments, 1));
    let mut pairs = Vec::new();
    while let Some(value) = walk.next() {
        call.spend(1 + walk.path().len() / 8)?;
        call.claim((walk.path().len() + 3) * size_of::<Value<'_>>())?;
        let path = call.array(walk.path());
        pairs.push(call.array(&[path, value]));
    }
    Ok(Some(call.array(&pairs)))
}

/// A walk over a value and everything in it, parents first, one step at a time.
#[derive(Debug)]
pub(in crate::rego) struct Walk<'a> {
    root: Option<Value<'a>>,
    open: Vec<Inside<'a>>,
    path: Vec<Value<'a>>,
}

#[derive(Debug)]
enum Inside<'a> {
    Array(std::iter::Enumerate<std::slice::Iter<'a, Value<'a>>>),
    Set(std::slice::Iter<'a, Value<'a>>),
    Object(crate::value::Entries<'a>),
}

impl<'a> Walk<'a> {
    /// A walk from `root`, which is its first value.
    pub(in crate::rego) fn new(root: Value<'a>) -> Self {
        Self { root: Some(root), open: Vec::new(), path: Vec::new() }
    }

    /// The next value.
    pub(in crate::rego) fn next(&mut self) -> Option<Value<'a>> {
        if let Some(root) = self.root.take() {
            self.enter(root);
            return Some(root);
        }
        while let Some(inside) = self.open.last_mut() {
            let found = match inside {
                Inside::Array(items) => items
                    .next()
                    .map(|(index, item)| (Value::int(i64::try_from(index).unwrap_or(i64::MAX)), *item)),
                Inside::Set(items) => items.next().map(|item| (*item, *item)),
                Inside::Object(entries) => entries.next(),
            };
            self.path.truncate(self.open.len() - 1);
            match found {
                Some((key, value)) => {
                    self.path.push(key);
                    self.enter(value);
                    return Some(value);
                }
                None => {
                    self.open.pop();
                }
            }
        }
        None
    }

    fn enter(&mut self, value: Value<'a>) {
        match value {
            Value::Array(items) if !items.is_empty() => {
                self.open.push(Inside::Array(items.iter().enumerate()));
            }
            Value::Set(set) if !set.is_empty() => self.open.push(Inside::Set(set.items().iter())),
            other => {
                self.open.extend(other.entries().filter(|entries| entries.len() > 0).map(Inside::Object));
            }
        }
    }

    /// Where the last value is, from the root.
    pub(in crate::rego) fn path(&self) -> &[Value<'a>] {
        &self.path
    }
}
