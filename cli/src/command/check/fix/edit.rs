//! One operation of a patch as a change of text.

use super::render::{block, block_member, flow};
use super::spots::{Spot, Style, spots};
use std::collections::BTreeMap;
use wayguard_engine::value::PatchOperation;

/// The text after one operation. `path` points into the document (the operation's own path into the object).
///
/// # Errors
/// If the place cannot be found or changed safely; why, in words.
pub(super) fn apply(
    text: &str,
    document: usize,
    path: &str,
    operation: &PatchOperation,
) -> Result<String, String> {
    let spots = spots(text, document).ok_or("its text could not be followed")?;
    let mut page = Page::new(text);
    match operation {
        PatchOperation::Add { value, .. } => add(&mut page, &spots, path, value)?,
        PatchOperation::Replace { value, .. } => {
            let spot = spots.get(path).ok_or_else(|| behind_alias(path))?;
            replace(&mut page, spot, value)?;
        }
        PatchOperation::Remove { .. } => remove(&mut page, &spots, path)?,
    }
    Ok(page.text())
}

fn behind_alias(path: &str) -> String {
    format!("`{path}` stands behind an alias or a merge")
}

/// The text as characters, cut and joined.
struct Page {
    characters: Vec<char>,
    newline: &'static str,
}

impl Page {
    fn new(text: &str) -> Self {
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Self { characters: text.chars().collect(), newline }
    }

    fn text(&self) -> String {
        self.characters.iter().collect()
    }

    /// Puts `new` in the place of the characters from `start` to before `end`.
    fn put(&mut self, start: usize, end: usize, new: &str) {
        let new = new.replace('\n', self.newline);
        let end = end.min(self.characters.len());
        self.characters.splice(start.min(end)..end, new.chars());
    }

    /// The index of the first character of a line (0-based); the end of the text if there is no such line.
    fn line_start(&self, line: usize) -> usize {
        if line == 0 {
            return 0;
        }
        let mut breaks = self.characters.iter().enumerate().filter(|(_, character)| **character == '\n');
        breaks.nth(line - 1).map_or(self.characters.len(), |(index, _)| index + 1)
    }

    /// Inserts lines after a line.
    fn insert_after(&mut self, line: usize, lines: &str) {
        let at = self.line_start(line + 1);
        let unfinished =
            at == self.characters.len() && self.characters.last().is_some_and(|last| *last != '\n');
        let text = if unfinished { format!("\n{lines}") } else { format!("{lines}\n") };
        self.put(at, at, &text);
    }

    /// The white space that a line begins with.
    fn indent(&self, line: usize) -> usize {
        let start = self.line_start(line);
        self.characters.iter().skip(start).take_while(|character| **character == ' ').count()
    }
}

fn add(
    page: &mut Page,
    spots: &BTreeMap<String, Spot>,
    path: &str,
    value: &serde_json::Value,
) -> Result<(), String> {
    let (parent, key) = path.rsplit_once('/').unwrap_or(("", path));
    let key = key.replace("~1", "/").replace("~0", "~");
    let spot = spots.get(parent).ok_or_else(|| behind_alias(parent))?;
    match (spot.style, spot.first_key) {
        (Style::BlockMap, Some(first)) => {
            page.insert_after(spot.last_line, &block_member(&key, value, first.column));
            Ok(())
        }
        (Style::FlowMap, first) => {
            let shown =
                |value: &serde_json::Value| if is_json(page, spot) { value.to_string() } else { flow(value) };
            let member = format!("{}: {}", shown(&key.into()), shown(value));
            let Some(first) = first else {
                page.put(spot.start + 1, spot.end.saturating_sub(1), &member);
                return Ok(());
            };
            let last =
                spots.iter().filter(|(child, _)| is_child(child, parent)).map(|(_, child)| child.end).max();
            let at = last.ok_or("a flow mapping could not be followed")?;
            let own_lines = first.line != spot.first_line;
            let separator =
                if own_lines { format!(",\n{}", " ".repeat(first.column)) } else { ", ".to_owned() };
            page.put(at, at, &format!("{separator}{member}"));
            Ok(())
        }
        _ => Err(format!("`{parent}` is not written as a mapping")),
    }
}

/// Whether a flow mapping is written as JSON, which wants every text quoted.
fn is_json(page: &Page, spot: &Spot) -> bool {
    let quoted_key = page.characters.iter().skip(spot.start + 1).find(|it| !it.is_whitespace()) == Some(&'"');
    quoted_key || page.characters.iter().find(|it| !it.is_whitespace()) == Some(&'{')
}

fn is_child(path: &str, parent: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(above, _)| above == parent)
}

fn replace(page: &mut Page, spot: &Spot, value: &serde_json::Value) -> Result<(), String> {
    match spot.style {
        Style::Scalar | Style::FlowMap | Style::FlowList => {
            let json = page.characters.get(spot.start) == Some(&'"');
            let new = if json { value.to_string() } else { flow(value) };
            page.put(spot.start, spot.end, &new);
            Ok(())
        }
        Style::Nothing => {
            let key = spot.key.ok_or("an empty place without a key cannot be filled")?;
            let filled = |value: &serde_json::Value| match value {
                serde_json::Value::Object(members) => !members.is_empty(),
                serde_json::Value::Array(items) => !items.is_empty(),
                _ => false,
            };
            if filled(value) {
                page.insert_after(key.line, &block(value, key.column + 2));
                return Ok(());
            }
            let colon = page.characters.iter().skip(key.end).position(|character| *character == ':');
            let at = key.end + colon.ok_or("a key without a colon")? + 1;
            page.put(at, at, &format!(" {}", flow(value)));
            Ok(())
        }
        Style::BlockList | Style::BlockMap => {
            if spot.key.is_none_or(|key| key.line == spot.first_line) {
                return Err("a value that begins on its key's line cannot be replaced whole".to_owned());
            }
            let (start, end) = (page.line_start(spot.first_line), page.line_start(spot.last_line + 1));
            let indent = page.indent(spot.first_line);
            page.put(start, end, &format!("{}\n", block(value, indent)));
            Ok(())
        }
        Style::Alias => Err("it is written as an alias".to_owned()),
    }
}

fn remove(page: &mut Page, spots: &BTreeMap<String, Spot>, path: &str) -> Result<(), String> {
    let spot = spots.get(path).ok_or_else(|| behind_alias(path))?;
    let key = spot.key.ok_or_else(|| format!("`{path}` is no member of a mapping"))?;
    let own_line = page.indent(key.line) == key.column;
    let parent = path.rsplit_once('/').map(|(parent, _)| parent).unwrap_or_default();
    let siblings = spots.keys().filter(|child| is_child(child, parent)).count();
    let block = spots.get(parent).is_some_and(|parent| parent.style == Style::BlockMap);
    if !own_line || siblings < 2 || !block {
        return Err(format!("`{path}` does not stand on lines of its own"));
    }
    let last = spot.last_line.max(key.line);
    let (start, end) = (page.line_start(key.line), page.line_start(last + 1));
    page.put(start, end, "");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn add(text: &str, path: &str, value: serde_json::Value) -> Result<String, String> {
        apply(text, 0, path, &PatchOperation::Add { path: path.into(), value })
    }

    fn replace(text: &str, path: &str, value: serde_json::Value) -> Result<String, String> {
        apply(text, 0, path, &PatchOperation::Replace { path: path.into(), value })
    }

    fn remove(text: &str, path: &str) -> Result<String, String> {
        apply(text, 0, path, &PatchOperation::Remove { path: path.into() })
    }

    #[test]
    fn members_are_added_after_the_last_one_and_comments_stay() {
        let text = "# head\nmetadata:\n  name: a # why\n  labels:\n    # ours\n    app: x\n\n# tail\nspec:\n  containers:\n  - name: web\n    image: i\n";
        assert_eq!(
            add(text, "/metadata/labels/team", json!("alpha")).unwrap(),
            "# head\nmetadata:\n  name: a # why\n  labels:\n    # ours\n    app: x\n    team: alpha\n\n# tail\nspec:\n  containers:\n  - name: web\n    image: i\n"
        );
        assert_eq!(
            add(text, "/spec/containers/0/resources", json!({"requests": {"cpu": "250m"}})).unwrap(),
            format!("{text}    resources:\n      requests:\n        cpu: 250m\n")
        );
    }

    #[test]
    fn a_block_text_keeps_its_lines() {
        let text = "data:\n  a: |\n    x\n\n    y\nz: 1";
        assert_eq!(
            add(text, "/data/b", json!(true)).unwrap(),
            "data:\n  a: |\n    x\n\n    y\n  b: true\nz: 1"
        );
        assert_eq!(add(text, "/w", json!("v")).unwrap(), format!("{text}\nw: v"));
    }

    #[test]
    fn flow_mappings_and_json_grow_in_place() {
        assert_eq!(add("a: {b: c}\n", "/a/d", json!({"e": 1})).unwrap(), "a: {b: c, d: {\"e\":1}}\n");
        assert_eq!(add("a: {}\n", "/a/d", json!(1)).unwrap(), "a: {d: 1}\n");
        let json = "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n";
        assert_eq!(
            add(json, "/a/c", json!("x")).unwrap(),
            "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": \"x\"\n  }\n}\n"
        );
    }

    #[test]
    fn values_are_replaced_and_members_removed() {
        assert_eq!(replace("a: true # b\n", "/a", json!(false)).unwrap(), "a: false # b\n");
        assert_eq!(replace("a:\nb: 1\n", "/a", json!({"c": 1})).unwrap(), "a:\n  c: 1\nb: 1\n");
        assert_eq!(replace("a:\n- 1\n- 2\nb: 1\n", "/a", json!([3])).unwrap(), "a:\n- 3\nb: 1\n");
        assert_eq!(remove("a:\n  b: 1\n  c: 2\n", "/a/b").unwrap(), "a:\n  c: 2\n");
        assert_eq!(
            remove("- b: 1\n  c: 2\n", "/0/b").unwrap_err(),
            "`/0/b` does not stand on lines of its own"
        );
    }

    #[test]
    fn windows_line_ends_stay() {
        assert_eq!(add("a:\r\n  b: 1\r\n", "/a/c", json!(2)).unwrap(), "a:\r\n  b: 1\r\n  c: 2\r\n");
    }

    #[test]
    fn what_stands_behind_an_alias_is_not_touched() {
        let text = "x: &a\n  b: 1\ny: *a\n";
        assert_eq!(add(text, "/y/c", json!(2)).unwrap_err(), "`/y` is not written as a mapping");
    }
}

#[cfg(test)]
mod laws {
    use super::super::render::block;
    use super::*;
    use proptest::prelude::*;
    use wayguard_engine::value::{Pointer, diff, from_serde, parse_yaml, set};

    fn any_object() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            "[a-zA-Z0-9 :#'\"~.-]{0,6}".prop_map(Into::into),
        ];
        let value = leaf.prop_recursive(4, 24, 3, |inner| {
            prop_oneof![prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into), object_of(inner),]
        });
        object_of(value)
    }

    fn object_of(
        inner: impl Strategy<Value = serde_json::Value>,
    ) -> impl Strategy<Value = serde_json::Value> {
        prop::collection::btree_map("[a-d]{1,2}", inner, 1..4)
            .prop_map(|members| serde_json::Value::Object(members.into_iter().collect()))
    }

    fn read(text: &str) -> Option<serde_json::Value> {
        let bump = bumpalo::Bump::new();
        let documents = parse_yaml(&&bump, text).ok()?;
        documents.first().map(|document| document.value.to_serde())
    }

    /// The pointers of all mappings in a value.
    fn mappings(value: &serde_json::Value, at: &str, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(members) => {
                found.push(at.to_owned());
                members.iter().for_each(|(key, value)| mappings(value, &format!("{at}/{key}"), found));
            }
            serde_json::Value::Array(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(index, item)| mappings(item, &format!("{at}/{index}"), found));
            }
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn whatever_is_added_to_a_mapping_is_there_and_nothing_else_changes(
            from in any_object(), new in any_object(), which in any::<prop::sample::Index>()
        ) {
            let text = format!("# before\n{} # after\n", block(&from, 0));
            prop_assert_eq!(read(&text), Some(from.clone()));
            let mut places = Vec::new();
            mappings(&from, "", &mut places);
            let path = format!("{}/new", which.get(&places));
            let bump = bumpalo::Bump::new();
            let arena = &&bump;
            let pointer = Pointer::parse(&path).unwrap();
            let target = set(arena, from_serde(arena, &from), &pointer, from_serde(arena, &new)).unwrap();
            let mut changed = text;
            for operation in diff(from_serde(arena, &from), target) {
                changed = apply(&changed, 0, operation.path(), &operation).unwrap();
            }
            prop_assert_eq!(read(&changed), Some(target.to_serde()), "{}", changed);
            prop_assert!(changed.starts_with("# before\n") && changed.contains(" # after\n"));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[a-c:{}\\[\\]\\- \n\"'#&*|>]{0,60}", path in "(/[a-c0-2]){0,3}") {
            let value = serde_json::json!({"x": 1});
            for operation in [
                PatchOperation::Add { path: path.clone(), value: value.clone() },
                PatchOperation::Replace { path: path.clone(), value },
                PatchOperation::Remove { path: path.clone() },
            ] {
                let _ = apply(&text, 0, &path, &operation);
            }
        }
    }
}
