//! Rewriting what the head of a sample expects: what still holds stays as it was written, comments too; what was not
//! found goes, what was found and not expected comes.

/// A list of the head, as it is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct List {
    /// The key, such as `expect`.
    pub(super) key: &'static str,
    /// For each of its items whether it stays.
    pub(super) stays: Vec<bool>,
    /// The same items in short, for a list that is written on one line.
    pub(super) items: Vec<String>,
    /// What is added, as YAML on one line each.
    pub(super) added: Vec<String>,
    /// Whether the key is there with an empty list, too.
    pub(super) even_empty: bool,
}

impl List {
    /// Whether it is as it should be.
    pub(super) fn is_right(&self) -> bool {
        self.added.is_empty() && self.stays.iter().all(|stays| *stays)
    }

    fn is_empty(&self) -> bool {
        self.added.is_empty() && !self.stays.contains(&true)
    }
}

/// The text of a sample with these lists in its head.
pub(super) fn rewrite(text: &str, lists: &[List]) -> String {
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    for list in lists.iter().filter(|list| !list.is_right()) {
        put(&mut lines, list);
    }
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

/// What stands in a line of the head, and how far in; `None`: nothing, or a comment.
fn content(line: &str) -> Option<(usize, &str)> {
    let inner = line.strip_prefix('#')?;
    let trimmed = inner.trim_start();
    let depth = inner.len() - trimmed.len();
    (!trimmed.is_empty() && !trimmed.starts_with('#')).then_some((depth, trimmed))
}

fn put(lines: &mut Vec<String>, list: &List) {
    let head = lines.iter().position(|line| line.trim_end() == "# test:").unwrap_or_else(|| {
        // After what the author says of the sample.
        let at = lines.iter().take_while(|line| line.starts_with('#')).count();
        lines.insert(at, "# test:".to_owned());
        at
    });
    let end = head + 1 + lines.iter().skip(head + 1).take_while(|line| line.starts_with('#')).count();
    let within = lines.get(head + 1..end).unwrap_or_default();
    let depth = within.iter().find_map(|line| content(line)).map_or(3, |(depth, _)| depth);
    let named = |line: &String| {
        content(line).is_some_and(|(at, text)| {
            at == depth && text.strip_prefix(list.key).is_some_and(|rest| rest.starts_with(':'))
        })
    };
    let start = within.iter().position(named).map(|at| head + 1 + at);
    let indent = " ".repeat(depth);
    let Some(start) = start else {
        if !list.is_empty() {
            let new = std::iter::once(format!("#{indent}{}:", list.key)).chain(added(list, &indent));
            lines.splice(end..end, new.collect::<Vec<_>>());
        }
        return;
    };
    let below = lines.get(start + 1..end).unwrap_or_default();
    let own = below.iter().take_while(|line| content(line).is_none_or(|(at, _)| at > depth)).count();
    let stop = start + 1 + own;
    let is_block = lines.get(start).is_some_and(|line| line.trim_end().ends_with(':'));
    let mut new = Vec::new();
    if list.is_empty() {
        if list.even_empty {
            new.push(format!("#{indent}{}: []", list.key));
        }
    } else if is_block {
        new.extend(lines.get(start).cloned());
        new.extend(kept(lines.get(start + 1..stop).unwrap_or_default(), &list.stays));
        new.extend(added(list, &indent));
    } else {
        let kept = list.items.iter().zip(&list.stays).filter(|(_, stays)| **stays).map(|(item, _)| item);
        let items: Vec<&str> = kept.chain(&list.added).map(String::as_str).collect();
        new.push(format!("#{indent}{}:", list.key));
        new.extend(items.iter().map(|item| format!("#{indent}  - {item}")));
    }
    lines.splice(start..stop, new);
}

fn added<'l>(list: &'l List, indent: &'l str) -> impl Iterator<Item = String> + 'l {
    list.added.iter().map(move |item| format!("#{indent}  - {item}"))
}

/// The lines of the items that stay; a comment belongs to the item that it stands before.
fn kept(lines: &[String], stays: &[bool]) -> Vec<String> {
    let depth = lines.iter().find_map(|line| content(line)).map(|(depth, _)| depth);
    let (mut kept, mut waiting, mut stays, mut now) = (Vec::new(), Vec::new(), stays.iter(), true);
    for line in lines {
        match content(line) {
            None => waiting.push(line.clone()),
            Some((at, text)) => {
                if Some(at) == depth && text.starts_with('-') {
                    now = stays.next().copied().unwrap_or(true);
                }
                if now {
                    kept.append(&mut waiting);
                    kept.push(line.clone());
                }
                waiting.clear();
            }
        }
    }
    kept.append(&mut waiting);
    kept
}

/// A mapping on one line.
pub(super) fn flow(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// A text as YAML has it within a mapping on one line.
pub(super) fn scalar(text: &str) -> String {
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "/_.~-".contains(letter))
        && !matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off");
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(key: &'static str, stays: &[bool], added: &[&str]) -> List {
        let items = stays.iter().map(|_| "{rule: known}".to_owned()).collect();
        let added = added.iter().map(|&it| it.to_owned()).collect();
        List { key, stays: stays.to_vec(), items, added, even_empty: key == "defaults" }
    }

    #[test]
    fn what_holds_stays_as_it_was_written() {
        let text = "# Why.\n# test:\n#   expect:\n#     # the first\n#     - {rule: a}\n#     # the second\n#     - rule: b\n#       path: /x\n#   operation: UPDATE\na: 1\n";
        assert_eq!(
            rewrite(text, &[list("expect", &[false, true], &["{rule: c}"])]),
            "# Why.\n# test:\n#   expect:\n#     # the second\n#     - rule: b\n#       path: /x\n#     - {rule: c}\n#   operation: UPDATE\na: 1\n"
        );
        assert_eq!(rewrite(text, &[list("expect", &[true, true], &[])]), text);
    }

    #[test]
    fn keys_come_and_go() {
        let text = "# Why.\na: 1\n";
        let with = rewrite(text, &[list("warnings", &[], &["{rule: c}"])]);
        assert_eq!(with, "# Why.\n# test:\n#   warnings:\n#     - {rule: c}\na: 1\n");
        assert_eq!(rewrite(&with, &[list("warnings", &[false], &[])]), "# Why.\n# test:\na: 1\n");
        let one_line = "# test:\n#   defaults: [{rule: known}]\n#   expect: []\na: 1\n";
        assert_eq!(
            rewrite(one_line, &[list("defaults", &[false], &[]), list("expect", &[], &["{rule: c}"])]),
            "# test:\n#   defaults: []\n#   expect:\n#     - {rule: c}\na: 1\n"
        );
    }

    #[test]
    fn texts_are_quoted_where_they_must_be() {
        assert_eq!(scalar("/spec/a~1b-c"), "/spec/a~1b-c");
        assert_eq!(scalar("a: b"), "\"a: b\"");
        assert_eq!(scalar("true"), "\"true\"");
        assert_eq!(flow(&[("rule", scalar("x")), ("path", scalar(""))]), "{rule: x, path: \"\"}");
    }
}
