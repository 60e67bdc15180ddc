//! Mutants that change nothing, as the author of a policy declares them in its test file:
//!
//! ```text
//! # equivalent:
//! #   line: count(names) > 0
//! #   becomes: count(names) >= 0
//! #   because: the next line iterates over the names, and there is none if there are none
//! #   shownBy: test_no_names_no_finding
//! ```

use crate::excerpt;
use serde::Deserialize;
use wayguard_engine::rego::{LoadError, Module};
use wayguard_engine::value::parse_yaml;

/// One declaration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Declared {
    /// The changed line of the policy as it is, blanks around it left out; of several, the first.
    pub(super) line: String,
    /// The same after the change; empty if nothing is left of it.
    pub(super) becomes: String,
    /// The rule, where the line is in several.
    #[serde(default)]
    pub(super) rule: Option<String>,
    /// Why no test can tell.
    pub(super) because: String,
    /// The test that shows it.
    pub(super) shown_by: String,
    /// The line of the declaration, from 1.
    #[serde(skip)]
    pub(super) at: usize,
}

/// The declarations of a test file.
///
/// # Errors
/// For each that cannot be read, where and why.
pub(super) fn read(tests: &Module) -> Result<Vec<Declared>, Vec<LoadError>> {
    let lines: Vec<&str> = tests.text.lines().collect();
    let (mut declared, mut errors) = (Vec::new(), Vec::new());
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| line.trim_end() == "# equivalent:") {
        let below = lines.get(at + 1..).unwrap_or_default();
        let yaml: Vec<&str> = below.iter().map_while(|line| line.strip_prefix("#   ")).collect();
        match one(&yaml.join("\n")) {
            Ok(found) => declared.push(Declared { at: at + 1, ..found }),
            Err(problem) => {
                let message = format!("an equivalent mutant: {problem}");
                errors.push(excerpt::problem(&tests.path, &tests.text, at + 1, 1, &message));
            }
        }
    }
    if errors.is_empty() { Ok(declared) } else { Err(errors) }
}

fn one(yaml: &str) -> Result<Declared, String> {
    let bump = bumpalo::Bump::new();
    let documents = parse_yaml(&&bump, yaml).map_err(|error| error.to_string())?;
    let [document] = documents.as_slice() else { return Err("it says nothing".to_owned()) };
    let mut declared: Declared =
        serde_json::from_value(document.value.to_serde()).map_err(|error| error.to_string())?;
    for text in [&mut declared.line, &mut declared.becomes] {
        *text = text.trim().to_owned();
    }
    if declared.because.trim().is_empty() {
        return Err("`because` is empty".to_owned());
    }
    Ok(declared)
}

impl Declared {
    /// Whether it is about this change.
    pub(super) fn is_about(&self, rule: &str, before: &str, after: &str) -> bool {
        let first = |text: &str| text.trim().lines().next().unwrap_or_default().trim_end().to_owned();
        self.rule.as_ref().is_none_or(|it| it == rule)
            && first(before) == self.line
            && first(after) == self.becomes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(text: &str) -> Module {
        Module { path: "p_test.rego".into(), text: text.into() }
    }

    #[test]
    fn declarations_are_read_where_they_stand() {
        let text = "package p_test\n\n# equivalent:\n#   line: count(x) > 0\n#   becomes: count(x) >= 0\n#   because: nothing\n#     follows\n#   shownBy: test_a\ntest_a if true\n";
        let declared = read(&module(text)).unwrap();
        assert_eq!(declared.len(), 1);
        assert_eq!((declared[0].at, declared[0].shown_by.as_str()), (3, "test_a"));
        assert!(declared[0].is_about("a", "\tcount(x) > 0", "\tcount(x) >= 0"));
        assert!(!declared[0].is_about("a", "\tcount(x) > 0", "\tcount(x) > 1"));
    }

    #[test]
    fn what_lacks_a_reason_is_refused() {
        let text = "package p_test\n\n# equivalent:\n#   line: a\n#   becomes: b\n#   shownBy: test_a\n";
        let errors = read(&module(text)).unwrap_err();
        assert!(errors[0].to_string().contains("missing field `because`"), "{}", errors[0]);
        let text = "# equivalent:\n#   line: a\n#   becomes: b\n#   shownBy: test_a\n#   because: ''\n";
        assert_eq!(read(&module(text)).unwrap_err()[0].line, 1);
    }
}
