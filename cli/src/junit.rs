//! JUnit XML, as continuous-integration services read it; shared by `check` and `test`.

use std::fmt::Write as _;

/// A group of cases.
pub(crate) struct Suite {
    /// What groups them.
    pub(crate) name: String,
    /// In order.
    pub(crate) cases: Vec<Case>,
}

/// One case.
pub(crate) struct Case {
    /// Unique within its suite.
    pub(crate) name: String,
    /// What services group cases by.
    pub(crate) class: String,
    /// File and line.
    pub(crate) place: Option<(String, usize)>,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// What else is to be said.
    pub(crate) remarks: String,
}

/// How a case ended.
pub(crate) enum Outcome {
    /// Well.
    Passed,
    /// Not as it should; why.
    Failed(String),
    /// It could not be run; why.
    Error(String),
    /// It was not run; why.
    Skipped(String),
}

/// The whole document.
pub(crate) fn document(name: &str, suites: &[Suite]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    // Writing to a String cannot fail.
    let _ = writeln!(xml, "<testsuites name=\"{}\" {}>", escape(name), counts(all()));
    for suite in suites {
        let _ =
            writeln!(xml, "  <testsuite name=\"{}\" {}>", escape(&suite.name), counts(suite.cases.iter()));
        suite.cases.iter().for_each(|case| write_case(&mut xml, case));
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn counts<'c>(cases: impl Iterator<Item = &'c Case>) -> String {
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        tests += 1;
        match case.outcome {
            Outcome::Passed => {}
            Outcome::Failed(_) => failures += 1,
            Outcome::Error(_) => errors += 1,
            Outcome::Skipped(_) => skipped += 1,
        }
    }
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
}

fn write_case(xml: &mut String, case: &Case) {
    let _ =
        write!(xml, "    <testcase name=\"{}\" classname=\"{}\"", escape(&case.name), escape(&case.class));
    if let Some((file, line)) = &case.place {
        let _ = write!(xml, " file=\"{}\" line=\"{line}\"", escape(file));
    }
    let element = |name: &str, text: &str| {
        let first = text.lines().next().unwrap_or_default();
        format!("      <{name} message=\"{}\">{}</{name}>\n", escape(first), escape(text))
    };
    let mut inner = match &case.outcome {
        Outcome::Passed => String::new(),
        Outcome::Failed(text) => element("failure", text),
        Outcome::Error(text) => element("error", text),
        Outcome::Skipped(text) => format!("      <skipped message=\"{}\"/>\n", escape(text)),
    };
    if !case.remarks.is_empty() {
        let _ = writeln!(inner, "      <system-out>{}</system-out>", escape(&case.remarks));
    }
    if inner.is_empty() {
        xml.push_str("/>\n");
    } else {
        let _ = write!(xml, ">\n{inner}    </testcase>\n");
    }
}

/// Text for an element or attribute; characters that XML 1.0 has no way to write become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' => escaped.push(character),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_counted_and_texts_escaped() {
        let case = |name: &str, outcome| Case {
            name: name.into(),
            class: "c".into(),
            place: None,
            outcome,
            remarks: String::new(),
        };
        let suite = Suite {
            name: "s".into(),
            cases: vec![
                case("a", Outcome::Passed),
                case("b<&>\"", Outcome::Failed("first\nsecond \u{1b}[0m".into())),
                case("c", Outcome::Skipped("not here".into())),
            ],
        };
        insta::assert_snapshot!(document("wayguard", &[suite]), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="wayguard" tests="3" failures="1" errors="0" skipped="1">
          <testsuite name="s" tests="3" failures="1" errors="0" skipped="1">
            <testcase name="a" classname="c"/>
            <testcase name="b&lt;&amp;&gt;&quot;" classname="c">
              <failure message="first">first
        second �[0m</failure>
            </testcase>
            <testcase name="c" classname="c">
              <skipped message="not here"/>
            </testcase>
          </testsuite>
        </testsuites>
        "#);
    }
}
