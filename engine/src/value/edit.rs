//! Changing one place of a value: everything else is shared with the original.

use super::pointer::array_index;
use super::{Arena, Object, Pointer, Value};
use std::collections::BTreeMap;

/// Why a place cannot be written.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EditError {
    /// A segment leads through a string, number or boolean.
    #[error("`{path}` leads through a {found}, not an object or list")]
    NotAContainer {
        /// The pointer that was to be written.
        path: String,
        /// The type met on the way.
        found: &'static str,
    },
    /// A list has no such element.
    #[error("`{path}` names a list element that does not exist")]
    NoSuchElement {
        /// The pointer that was to be written.
        path: String,
    },
}

/// A value that is being changed: what an edit leads through is opened once, however many edits follow, and everything
/// else is shared with the original.
#[derive(Debug)]
pub struct Revision<'a> {
    root: Node<'a>,
}

#[derive(Debug)]
enum Node<'a> {
    Closed(Value<'a>),
    Object(BTreeMap<&'a str, Node<'a>>),
    Array(Vec<Node<'a>>),
}

impl<'a> Revision<'a> {
    /// A value before its first edit.
    pub fn new(root: Value<'a>) -> Self {
        Self { root: Node::Closed(root) }
    }

    /// Whether the place is there and is not `null`.
    pub fn holds(&self, pointer: &Pointer) -> bool {
        let mut here = &self.root;
        let mut rest = pointer.segments();
        loop {
            let Some((segment, below)) = rest.split_first() else {
                return !matches!(here, Node::Closed(Value::Null));
            };
            let next = match here {
                Node::Closed(value) => {
                    let found = rest.iter().try_fold(*value, |value, segment| match value {
                        Value::Object(object) => object.get(segment),
                        Value::Array(items) => items.get(array_index(segment)?).copied(),
                        _ => None,
                    });
                    return found.is_some_and(|value| !value.is_null());
                }
                Node::Object(members) => members.get(segment.as_str()),
                Node::Array(items) => array_index(segment).and_then(|index| items.get(index)),
            };
            let Some(next) = next else { return false };
            (here, rest) = (next, below);
        }
    }

    /// Sets a place; missing parents become objects (`null` counts as missing).
    ///
    /// # Errors
    /// If the path leads through a scalar or names a list element that is not there; nothing is changed then.
    pub fn set(
        &mut self,
        arena: &impl Arena<'a>,
        pointer: &Pointer,
        value: Value<'a>,
    ) -> Result<(), EditError> {
        let mut here = &mut self.root;
        for segment in pointer.segments() {
            here.open();
            here = match here {
                Node::Object(members) => {
                    // Only a new member's name needs a copy.
                    let name = match members.get_key_value(segment.as_str()) {
                        Some((name, _)) => name,
                        None => arena.text(segment),
                    };
                    members.entry(name).or_insert(Node::Closed(Value::Null))
                }
                Node::Array(items) => {
                    let element = array_index(segment).and_then(|index| items.get_mut(index));
                    element.ok_or_else(|| EditError::NoSuchElement { path: pointer.to_string() })?
                }
                Node::Closed(scalar) => {
                    let found = scalar.type_name();
                    return Err(EditError::NotAContainer { path: pointer.to_string(), found });
                }
            };
        }
        *here = Node::Closed(value);
        Ok(())
    }

    /// Removes a place; one that is not there is left so.
    pub fn remove(&mut self, pointer: &Pointer) {
        let Some((last, parents)) = pointer.segments().split_last() else { return };
        let mut here = &mut self.root;
        for segment in parents {
            if matches!(here, Node::Closed(Value::Null)) {
                return;
            }
            here.open();
            let next = match here {
                Node::Object(members) => members.get_mut(segment.as_str()),
                Node::Array(items) => array_index(segment).and_then(|index| items.get_mut(index)),
                Node::Closed(_) => None,
            };
            let Some(next) = next else { return };
            here = next;
        }
        if matches!(here, Node::Closed(Value::Null)) {
            return;
        }
        here.open();
        match here {
            Node::Object(members) => {
                members.remove(last.as_str());
            }
            Node::Array(items) => {
                if let Some(index) = array_index(last).filter(|index| *index < items.len()) {
                    items.remove(index);
                }
            }
            Node::Closed(_) => {}
        }
    }

    /// The value with all edits.
    pub fn finish(self, arena: &impl Arena<'a>) -> Value<'a> {
        self.root.close(arena)
    }
}

impl<'a> Node<'a> {
    /// Makes the members of an object or list reachable; `null` becomes an object.
    fn open(&mut self) {
        let Node::Closed(value) = self else { return };
        let closed = |value: &Value<'a>| Node::Closed(*value);
        match value {
            Value::Null => *self = Node::Object(BTreeMap::new()),
            Value::Object(object) => {
                *self = Node::Object(object.iter().map(|(name, value)| (name, closed(&value))).collect());
            }
            Value::Array(items) => *self = Node::Array(items.iter().map(closed).collect()),
            _ => {}
        }
    }

    fn close(self, arena: &impl Arena<'a>) -> Value<'a> {
        match self {
            Node::Closed(value) => value,
            Node::Object(members) => {
                let members: Vec<_> =
                    members.into_iter().map(|(name, node)| (name, node.close(arena))).collect();
                Value::Object(Object::from_sorted(arena.members(&members)))
            }
            Node::Array(items) => {
                let items: Vec<_> = items.into_iter().map(|node| node.close(arena)).collect();
                Value::Array(arena.array(&items))
            }
        }
    }
}

/// `root` with the place `pointer` set to `value`: one edit of a [`Revision`].
///
/// # Errors
/// As [`Revision::set`].
pub fn set<'a>(
    arena: &impl Arena<'a>,
    root: Value<'a>,
    pointer: &Pointer,
    value: Value<'a>,
) -> Result<Value<'a>, EditError> {
    let mut revision = Revision::new(root);
    revision.set(arena, pointer, value)?;
    Ok(revision.finish(arena))
}

/// `root` without the place `pointer`: one edit of a [`Revision`].
pub fn remove<'a>(arena: &impl Arena<'a>, root: Value<'a>, pointer: &Pointer) -> Value<'a> {
    let mut revision = Revision::new(root);
    revision.remove(pointer);
    revision.finish(arena)
}

/// An empty object as a starting point for [`set`].
impl Default for Value<'_> {
    fn default() -> Self {
        Value::Object(Object::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;
    use bumpalo::Bump;

    fn run(text: &str, path: &str, value: Option<&str>) -> Result<String, EditError> {
        let bump = Bump::new();
        let arena = &&bump;
        let root = parse_json(arena, text.as_bytes()).unwrap();
        let pointer = Pointer::parse(path).unwrap();
        match value {
            Some(value) => set(arena, root, &pointer, parse_json(arena, value.as_bytes()).unwrap())
                .map(|changed| changed.to_string()),
            None => Ok(remove(arena, root, &pointer).to_string()),
        }
    }

    #[test]
    fn parents_are_created() {
        assert_eq!(run("{}", "/a/b", Some("1")), Ok(r#"{"a":{"b":1}}"#.into()));
        assert_eq!(run(r#"{"a":null}"#, "/a/b", Some("1")), Ok(r#"{"a":{"b":1}}"#.into()));
        assert_eq!(run(r#"{"l":[{"x":1}]}"#, "/l/0/y", Some("2")), Ok(r#"{"l":[{"x":1,"y":2}]}"#.into()));
    }

    #[test]
    fn many_edits_of_one_list_are_one_copy_of_it() {
        let bump = Bump::new();
        let arena = &&bump;
        let items: Vec<String> = (0..5_000).map(|number| format!(r#"{{"name":"c{number}"}}"#)).collect();
        let text = format!(r#"{{"l":[{}]}}"#, items.join(","));
        let root = parse_json(arena, text.as_bytes()).unwrap();
        let before = bump.allocated_bytes();
        let mut revision = Revision::new(root);
        for number in 0..5_000 {
            let pointer = Pointer::parse(&format!("/l/{number}/added")).unwrap();
            assert!(!revision.holds(&pointer));
            revision.set(arena, &pointer, Value::Bool(true)).unwrap();
            assert!(revision.holds(&pointer));
        }
        let changed = revision.finish(arena);
        assert_eq!(changed.at(&["l"]).and_then(Value::as_array).map(<[_]>::len), Some(5_000));
        assert!(changed.to_string().starts_with(r#"{"l":[{"added":true,"name":"c0"},{"added":true,"#));
        let taken = bump.allocated_bytes() - before;
        assert!(taken < 4 << 20, "{taken} bytes for one list");
    }

    #[test]
    fn a_failed_edit_changes_nothing() {
        let bump = Bump::new();
        let arena = &&bump;
        let root = parse_json(arena, br#"{"a":null,"l":[{"x":"y"}]}"#).unwrap();
        let mut revision = Revision::new(root);
        for path in ["/l/0/x/z", "/l/1", "/l/-/q"] {
            let pointer = Pointer::parse(path).unwrap();
            assert!(revision.set(arena, &pointer, Value::Null).is_err(), "{path}");
            revision.remove(&pointer);
        }
        revision.remove(&Pointer::parse("/a/b").unwrap());
        assert_eq!(revision.finish(arena).to_string(), root.to_string());
    }

    #[test]
    fn impossible_places_are_errors_that_name_the_path() {
        let through = EditError::NotAContainer { path: "/a/b".into(), found: "string" };
        assert_eq!(run(r#"{"a":"x"}"#, "/a/b", Some("1")), Err(through));
        let missing = EditError::NoSuchElement { path: "/l/1".into() };
        assert_eq!(run(r#"{"l":[1]}"#, "/l/1", Some("1")), Err(missing));
    }

    #[test]
    fn removes_members_and_elements() {
        assert_eq!(run(r#"{"a":{"b":1,"c":2}}"#, "/a/b", None), Ok(r#"{"a":{"c":2}}"#.into()));
        assert_eq!(run(r#"{"l":[1,2]}"#, "/l/0", None), Ok(r#"{"l":[2]}"#.into()));
        assert_eq!(run(r#"{"l":[1,2]}"#, "/x/0", None), Ok(r#"{"l":[1,2]}"#.into()));
    }
}
