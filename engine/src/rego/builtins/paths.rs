//! `json.patch`, `json.filter` and `json.remove`: changes at paths.

use super::{Builtin, BuiltinError, Call, Outcome, Type, function, lookup, operand};
use crate::rego::number;
use crate::rego::text::write_term;
use crate::value::{Number, Set, Value};
use std::collections::BTreeMap;

const PATH: Type = Type::OneOf(&[Type::String, Type::ARRAY]);
const PATHS: Type = Type::OneOf(&[Type::Array(&[], Some(&PATH)), Type::Set(&PATH)]);
const OPERATION: Type =
    Type::Object(&[("op", Type::String), ("path", Type::Any)], Some((&Type::Any, &Type::Any)));

pub(super) const TABLE: &[Builtin] = &[
    function("json.filter", &[Type::OBJECT, PATHS], Type::OBJECT, filter),
    function("json.remove", &[Type::OBJECT, PATHS], Type::OBJECT, remove),
    function("json.patch", &[Type::Any, Type::Array(&[], Some(&OPERATION))], Type::Any, patch),
];

/// A path: segments from a JSON Pointer, or given one by one.
fn segments<'a>(call: &mut Call<'a, '_>, path: Value<'a>) -> Result<Vec<Value<'a>>, BuiltinError> {
    match path {
        Value::String("") => Ok(Vec::new()),
        Value::String(pointer) => {
            call.spend(pointer.len() / 16)?;
            let parts = pointer.trim_start_matches('/').split('/');
            let segment = |part: &'a str| {
                if part.contains('~') {
                    call.text(&part.replace("~1", "/").replace("~0", "~"))
                } else {
                    Value::String(part)
                }
            };
            Ok(parts.map(segment).collect())
        }
        Value::Array(items) => Ok(items.to_vec()),
        other => {
            let expected = "must be one of {set, array} containing string paths or array of path segments";
            Err(BuiltinError::operand(2, format!("{expected} but got {}", other.type_name())))
        }
    }
}

/// Paths laid over each other. A path that goes on below the end of another does not count.
#[derive(Debug, Default)]
struct Tree<'a> {
    below: BTreeMap<Value<'a>, Node<'a>>,
}

#[derive(Debug)]
enum Node<'a> {
    End,
    Below(Tree<'a>),
}

fn tree<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Result<Tree<'a>, BuiltinError> {
    let paths = match operand::at(arguments, 2) {
        Value::Array(items) => items,
        Value::Set(set) => set.items(),
        other => return Err(BuiltinError::expected(2, &["set", "array"], other)),
    };
    let mut root = Tree::default();
    for path in paths {
        let path = segments(call, *path)?;
        call.spend(1 + path.len())?;
        if path.len() > crate::value::MAX_DEPTH {
            return Err(BuiltinError::Halt("a path has more segments than values have levels".into()));
        }
        root.add(&path);
    }
    Ok(root)
}

impl<'a> Tree<'a> {
    fn add(&mut self, path: &[Value<'a>]) {
        match path {
            [] => {}
            [last] => {
                self.below.insert(*last, Node::End);
            }
            [first, rest @ ..] => {
                match self.below.entry(*first).or_insert_with(|| Node::Below(Tree::default())) {
                    Node::End => {}
                    Node::Below(tree) => tree.add(rest),
                }
            }
        }
    }

    fn at(&self, key: Value<'a>) -> Option<&Node<'a>> {
        self.below.get(&key)
    }
}

/// The text of an index, which is what paths name elements of arrays by.
fn index_text<'a>(call: &Call<'a, '_>, index: usize) -> Value<'a> {
    call.text(&index.to_string())
}

fn filter<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    operand::object(arguments, 1)?;
    let tree = tree(call, arguments)?;
    keep(call, operand::at(arguments, 1), &tree).map(Some)
}

/// What the paths lead to. Scalars on the way are kept.
fn keep<'a>(call: &mut Call<'a, '_>, value: Value<'a>, tree: &Tree<'a>) -> Result<Value<'a>, BuiltinError> {
    let inner = |call: &mut Call<'a, '_>, value: Value<'a>, node: &Node<'a>| match node {
        Node::End => Ok(value),
        Node::Below(tree) => keep(call, value, tree),
    };
    match value {
        Value::Array(items) => {
            let mut kept = Vec::new();
            for (index, item) in items.iter().enumerate() {
                call.spend(1)?;
                if let Some(node) = tree.at(index_text(call, index)) {
                    kept.push(inner(call, *item, node)?);
                }
            }
            Ok(call.array(&kept))
        }
        Value::Set(set) => {
            let mut kept = Vec::new();
            for item in set.iter() {
                call.spend(1)?;
                if let Some(node) = tree.at(item) {
                    kept.push(inner(call, item, node)?);
                }
            }
            Ok(call.set(kept))
        }
        _ => {
            let Some(entries) = value.entries() else { return Ok(value) };
            let mut kept = Vec::new();
            for (key, value) in entries {
                call.spend(1)?;
                if let Some(node) = tree.at(key) {
                    kept.push((key, inner(call, value, node)?));
                }
            }
            Ok(Value::object(&call.arena, kept))
        }
    }
}

fn remove<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    operand::object(arguments, 1)?;
    let tree = tree(call, arguments)?;
    drop_at(call, operand::at(arguments, 1), &tree).map(Some)
}

/// The value without what the paths lead to; elements of arrays move up.
fn drop_at<'a>(
    call: &mut Call<'a, '_>,
    value: Value<'a>,
    tree: &Tree<'a>,
) -> Result<Value<'a>, BuiltinError> {
    let inner = |call: &mut Call<'a, '_>, value: Value<'a>, node: Option<&Node<'a>>| match node {
        None => Ok(Some(value)),
        Some(Node::End) => Ok(None),
        Some(Node::Below(tree)) => drop_at(call, value, tree).map(Some),
    };
    match value {
        Value::Array(items) => {
            let mut kept = Vec::new();
            for (index, item) in items.iter().enumerate() {
                call.spend(1)?;
                let node = tree.at(index_text(call, index));
                kept.extend(inner(call, *item, node)?);
            }
            Ok(call.array(&kept))
        }
        Value::Set(set) => {
            let mut kept = Vec::new();
            for item in set.iter() {
                call.spend(1)?;
                kept.extend(inner(call, item, tree.at(item))?);
            }
            Ok(call.set(kept))
        }
        _ => {
            let Some(entries) = value.entries() else { return Ok(value) };
            let mut kept = Vec::new();
            for (key, value) in entries {
                call.spend(1)?;
                kept.extend(inner(call, value, tree.at(key))?.map(|value| (key, value)));
            }
            Ok(Value::object(&call.arena, kept))
        }
    }
}

fn patch<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let operations = operand::array(arguments, 2)?;
    // `None`: the whole document was removed.
    let mut document = Some(operand::at(arguments, 1));
    for operation in operations {
        call.spend(1)?;
        if operation.entries().is_none() {
            let words = "must be an array of JSON-Patch objects, but at least one element is not an object";
            return Err(BuiltinError::failed(words));
        }
        let attribute = |name: &str| {
            let found = operation.get_key(Value::String(name));
            found.ok_or_else(|| BuiltinError::failed(format!("missing required attribute '{name}'")))
        };
        let path = attribute("path")?;
        let name = match attribute("op")? {
            Value::String(name) => name,
            other => {
                let words = format!("attribute 'op' must be a string but found: {}", other.type_name());
                return Err(BuiltinError::failed(words));
            }
        };
        let path = segments(call, path)?;
        document = match name {
            "add" => Some(change(call, document, &path, Change::Insert(attribute("value")?))?),
            "remove" => removed(call, document, &path)?,
            "replace" => {
                let without = removed(call, document, &path)?;
                let value = attribute("value")?;
                Some(if path.is_empty() {
                    value
                } else {
                    change(call, without, &path, Change::Insert(value))?
                })
            }
            "move" => {
                let from = segments(call, attribute("from")?)?;
                let moved = found(document, &from)?;
                let without = removed(call, document, &from)?;
                Some(if path.is_empty() {
                    moved
                } else {
                    change(call, without, &path, Change::Insert(moved))?
                })
            }
            "copy" => {
                let from = segments(call, attribute("from")?)?;
                let copied = found(document, &from)?;
                Some(change(call, document, &path, Change::Insert(copied))?)
            }
            "test" => {
                let present = found(document, &path)?;
                let expected = attribute("value")?;
                if present != expected {
                    return Err(BuiltinError::failed(different(expected, present)));
                }
                document
            }
            other => return Err(BuiltinError::failed(format!("unrecognized op: '{other}'"))),
        };
    }
    Ok(document)
}

fn different(expected: Value<'_>, found: Value<'_>) -> String {
    let mut words = String::from("value from EditTree != patch value.\n\nExpected: ");
    write_term(&mut words, expected);
    words.push_str("\n\nFound: ");
    write_term(&mut words, found);
    words
}

fn removed<'a>(
    call: &mut Call<'a, '_>,
    document: Option<Value<'a>>,
    path: &[Value<'a>],
) -> Result<Option<Value<'a>>, BuiltinError> {
    match (document, path) {
        (None, _) => Err(BuiltinError::failed("deleted node encountered during delete operation")),
        (Some(_), []) => Ok(None),
        (document, path) => change(call, document, path, Change::Delete).map(Some),
    }
}

/// What a path leads to.
fn found<'a>(document: Option<Value<'a>>, path: &[Value<'a>]) -> Result<Value<'a>, BuiltinError> {
    let document = document.ok_or_else(|| missing(None))?;
    path.iter()
        .try_fold(document, |value, segment| member(value, *segment))
        .map_err(|()| missing(path.last().copied()))
}

fn missing(segment: Option<Value<'_>>) -> BuiltinError {
    let mut words = String::from("path ");
    if let Some(segment) = segment {
        write_term(&mut words, segment);
    }
    words.push_str(" does not exist");
    BuiltinError::failed(words)
}

/// One step along a path: elements of arrays by number or its text.
fn member<'a>(value: Value<'a>, segment: Value<'a>) -> Result<Value<'a>, ()> {
    match value {
        Value::Array(items) => {
            let index = index(items.len(), segment)?;
            items.get(index).copied().ok_or(())
        }
        _ => lookup(value, segment).ok_or(()),
    }
}

/// A place in an array; `-` is the one behind its last element.
fn index(length: usize, segment: Value<'_>) -> Result<usize, ()> {
    let number = match segment {
        Value::Number(number) => number::int64(number),
        Value::String("-") => return Ok(length),
        // Anything that Rego reads as an integer, but for leading zeros.
        Value::String(text) if text == "0" || !text.starts_with('0') => number::int64(Number::Text(text)),
        _ => None,
    };
    number.and_then(|number| usize::try_from(number).ok()).ok_or(())
}

#[derive(Clone, Copy)]
enum Change<'a> {
    Insert(Value<'a>),
    Delete,
}

/// The value with one place changed.
fn change<'a>(
    call: &mut Call<'a, '_>,
    value: Option<Value<'a>>,
    path: &[Value<'a>],
    change_to: Change<'a>,
) -> Result<Value<'a>, BuiltinError> {
    let Some((segment, rest)) = path.split_first() else {
        return match change_to {
            Change::Insert(new) => Ok(new),
            Change::Delete => Err(missing(None)),
        };
    };
    let no_place = || missing(Some(*segment));
    let value = value.ok_or_else(no_place)?;
    if path.len() > crate::value::MAX_DEPTH {
        return Err(no_place());
    }
    let inner = if rest.is_empty() {
        None
    } else {
        let child = member(value, *segment).map_err(|()| no_place())?;
        Some(change(call, Some(child), rest, change_to)?)
    };
    match value {
        Value::Array(items) => {
            call.spend(1 + items.len() / 4)?;
            call.claim(size_of_val(items))?;
            let at = index(items.len(), *segment).map_err(|()| no_place())?;
            let mut items = items.to_vec();
            match (inner, change_to) {
                (Some(inner), _) => *items.get_mut(at).ok_or_else(no_place)? = inner,
                (None, Change::Insert(new)) if at <= items.len() => items.insert(at, new),
                (None, Change::Delete) if at < items.len() => {
                    items.remove(at);
                }
                _ => return Err(no_place()),
            }
            Ok(call.array(&items))
        }
        Value::Set(set) => {
            call.spend(1 + set.len() / 4)?;
            call.claim(size_of_val(set.items()))?;
            let mut items = set.items().to_vec();
            if !matches!((inner, change_to), (None, Change::Insert(_))) {
                // The member itself is what the segment names.
                if !set.contains(*segment) {
                    return Err(no_place());
                }
                items.retain(|item| item != segment);
            }
            match (inner, change_to) {
                (Some(inner), _) => items.push(inner),
                (None, Change::Insert(new)) if new == *segment => items.push(new),
                (None, Change::Insert(_)) => return Err(no_place()),
                (None, Change::Delete) => {}
            }
            Ok(Value::Set(Set::new(&call.arena, items)))
        }
        _ => {
            let entries = value.entries().ok_or_else(no_place)?;
            call.spend(1 + entries.len() / 4)?;
            call.claim(entries.len() * size_of::<(Value<'_>, Value<'_>)>())?;
            let known = value.get_key(*segment).is_some();
            let mut pairs: Vec<_> = entries.filter(|(key, _)| key != segment).collect();
            match (inner, change_to) {
                (Some(new), _) | (None, Change::Insert(new)) => pairs.push((*segment, new)),
                (None, Change::Delete) if known => {}
                (None, Change::Delete) => return Err(no_place()),
            }
            Ok(Value::object(&call.arena, pairs))
        }
    }
}
