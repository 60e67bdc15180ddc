//! The JSON Patch (RFC 6902) that turns one value into another.

use super::{Value, escape_segment};
use serde::Serialize;

/// One operation of a JSON Patch.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum PatchOperation {
    /// Adds a member that was absent.
    Add {
        /// JSON Pointer.
        path: String,
        /// What is added.
        value: serde_json::Value,
    },
    /// Replaces what was there.
    Replace {
        /// JSON Pointer.
        path: String,
        /// What replaces it.
        value: serde_json::Value,
    },
    /// Removes a member.
    Remove {
        /// JSON Pointer.
        path: String,
    },
}

impl PatchOperation {
    /// The JSON Pointer that this operation touches.
    pub fn path(&self) -> &str {
        match self {
            Self::Add { path, .. } | Self::Replace { path, .. } | Self::Remove { path } => path,
        }
    }
}

/// The operations that turn `from` into `to`, smallest places first met in key order. Lists of equal length
/// are compared element by element, others replaced whole.
pub fn diff(from: Value<'_>, to: Value<'_>) -> Vec<PatchOperation> {
    let mut operations = Vec::new();
    walk(from, to, &mut String::new(), &mut operations);
    operations
}

fn walk(from: Value<'_>, to: Value<'_>, path: &mut String, operations: &mut Vec<PatchOperation>) {
    match (from, to) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, _) in old.iter().filter(|(key, _)| new.get(key).is_none()) {
                within(path, &escape_segment(key), |path| {
                    operations.push(PatchOperation::Remove { path: path.clone() });
                });
            }
            for (key, value) in new.iter() {
                within(path, &escape_segment(key), |path| match old.get(key) {
                    Some(before) => walk(before, value, path, operations),
                    None => {
                        operations.push(PatchOperation::Add { path: path.clone(), value: value.to_serde() });
                    }
                });
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (before, after)) in old.iter().zip(new).enumerate() {
                within(path, &index.to_string(), |path| walk(*before, *after, path, operations));
            }
        }
        _ if from == to => {}
        _ => operations.push(PatchOperation::Replace { path: path.clone(), value: to.to_serde() }),
    }
}

fn within(path: &mut String, segment: &str, visit: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push('/');
    path.push_str(segment);
    visit(path);
    path.truncate(length);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Pointer, parse_json, remove, set};
    use bumpalo::Bump;
    use proptest::prelude::*;

    /// Applies a patch as RFC 6902 says, by the engine's own edits.
    fn apply(from: &serde_json::Value, patch: &[PatchOperation]) -> serde_json::Value {
        let bump = Bump::new();
        let arena = &&bump;
        let mut value = super::super::from_serde(arena, from);
        for operation in patch {
            let pointer = Pointer::parse(operation.path()).unwrap();
            value = match operation {
                PatchOperation::Add { value: new, .. } | PatchOperation::Replace { value: new, .. } => {
                    set(arena, value, &pointer, super::super::from_serde(arena, new)).unwrap()
                }
                PatchOperation::Remove { .. } => remove(arena, value, &pointer),
            };
        }
        value.to_serde()
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "[a-c~/]{0,3}".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::btree_map("[a-c~/]{1,2}", inner, 0..4)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn applying_the_diff_gives_the_target(from in any_json(), to in any_json()) {
            let bump = Bump::new();
            let patch = diff(super::super::from_serde(&&bump, &from), super::super::from_serde(&&bump, &to));
            prop_assert_eq!(apply(&from, &patch), to);
        }
    }

    #[test]
    fn says_the_least() {
        let bump = Bump::new();
        let read = |text: &'static str| parse_json(&&bump, text.as_bytes()).unwrap();
        let patch = diff(read(r#"{"a":1,"b":{"c":[1,2]}}"#), read(r#"{"b":{"c":[1,3]},"d/e":{}}"#));
        assert_eq!(
            serde_json::to_string(&patch).unwrap(),
            r#"[{"op":"remove","path":"/a"},{"op":"replace","path":"/b/c/1","value":3},{"op":"add","path":"/d~1e","value":{}}]"#
        );
        assert!(diff(read("[1]"), read("[1]")).is_empty());
    }
}
