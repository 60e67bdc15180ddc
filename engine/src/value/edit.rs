//! Changing one place of a value: everything else is shared with the original.

use super::pointer::array_index;
use super::{Arena, Object, Pointer, Value};

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

/// `root` with the place `pointer` set to `value`; missing parents become objects (`null` counts as missing).
///
/// # Errors
/// If the path leads through a scalar or names a list element that is not there.
pub fn set<'a>(
    arena: &impl Arena<'a>,
    root: Value<'a>,
    pointer: &Pointer,
    value: Value<'a>,
) -> Result<Value<'a>, EditError> {
    set_at(arena, root, pointer.segments(), pointer, value)
}

fn set_at<'a>(
    arena: &impl Arena<'a>,
    here: Value<'a>,
    rest: &[String],
    whole: &Pointer,
    value: Value<'a>,
) -> Result<Value<'a>, EditError> {
    let Some((segment, rest)) = rest.split_first() else { return Ok(value) };
    match here {
        Value::Null => {
            set_at(arena, Value::EMPTY, &[std::slice::from_ref(segment), rest].concat(), whole, value)
        }
        Value::Object(object) => {
            let child = object.get(segment).unwrap_or(Value::Null);
            let changed = set_at(arena, child, rest, whole, value)?;
            Ok(Value::Object(object.with(arena, arena.text(segment), changed)))
        }
        Value::Array(items) => {
            let missing = || EditError::NoSuchElement { path: whole.to_string() };
            let index = array_index(segment).ok_or_else(missing)?;
            let child = items.get(index).copied().ok_or_else(missing)?;
            let changed = set_at(arena, child, rest, whole, value)?;
            let mut items = items.to_vec();
            if let Some(slot) = items.get_mut(index) {
                *slot = changed;
            }
            Ok(Value::Array(arena.array(&items)))
        }
        scalar => Err(EditError::NotAContainer { path: whole.to_string(), found: scalar.type_name() }),
    }
}

/// `root` without the place `pointer`; a place that is not there leaves `root` as it is.
pub fn remove<'a>(arena: &impl Arena<'a>, root: Value<'a>, pointer: &Pointer) -> Value<'a> {
    remove_at(arena, root, pointer.segments()).unwrap_or(root)
}

/// `None`: there is nothing to remove.
fn remove_at<'a>(arena: &impl Arena<'a>, here: Value<'a>, rest: &[String]) -> Option<Value<'a>> {
    let (segment, rest) = rest.split_first()?;
    match here {
        Value::Object(object) => {
            let child = object.get(segment)?;
            let changed = if rest.is_empty() {
                object.without(arena, segment)
            } else {
                object.with(arena, arena.text(segment), remove_at(arena, child, rest)?)
            };
            Some(Value::Object(changed))
        }
        Value::Array(items) => {
            let index = array_index(segment)?;
            let child = items.get(index).copied()?;
            let mut items = items.to_vec();
            if rest.is_empty() {
                items.remove(index);
            } else if let Some(slot) = items.get_mut(index) {
                *slot = remove_at(arena, child, rest)?;
            }
            Some(Value::Array(arena.array(&items)))
        }
        _ => None,
    }
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
