//! No text harms the parser: it ends, soon, with a tree or with errors that have a place.

use super::tree::Version;
use super::{MAX_DEPTH, SyntaxError, canonical, parse_module, parse_query};
use proptest::prelude::*;

const VERSIONS: [Version; 2] = [Version::V0, Version::V1];

fn refused(text: &str) -> Vec<SyntaxError> {
    parse_module(text, Version::V1).unwrap_err()
}

fn messages(text: &str) -> Vec<String> {
    refused(text).into_iter().map(|error| format!("{}: {}", error.span.start.line, error.message)).collect()
}

#[test]
fn a_hundred_thousand_brackets_are_one_error() {
    for open in [
        "[",
        "{",
        "(",
        "{a:",
        "f(",
        "a[",
        "-",
        "not ",
        "every x in [1] {",
        "$\"{",
        "x with y as ",
        "{x|",
        "[x|",
        "a.b[",
    ] {
        let text = format!("package p\nq := {}", open.repeat(100_000));
        for version in VERSIONS {
            let errors = parse_module(&text, version).unwrap_err();
            assert!(errors.len() <= 2, "{open}: {} errors, first {:?}", errors.len(), errors.first());
        }
        let body = open.repeat(100_000);
        assert!(parse_query(&body, Version::V1).is_err(), "{open}");
    }
}

#[test]
fn long_chains_are_refused_and_long_lists_are_not() {
    for operator in ["+", "|", "==", "in"] {
        let text = format!("package p\nq := {}", vec!["a"; 100_000].join(&format!(" {operator} ")));
        assert!(messages(&text)[0].contains(&format!("more than {MAX_DEPTH} deep")), "{operator}");
    }
    let list = format!("package p\nq := [{}]\n", vec!["1"; 50_000].join(", "));
    assert!(parse_module(&list, Version::V1).is_ok());
    let path = format!("package p\nq := input{}\n", ".a".repeat(50_000));
    assert!(parse_module(&path, Version::V1).is_ok());
    let elses = format!("package p\nq := 1 if a{}\n", " else := 2 if b".repeat(20_000));
    assert!(parse_module(&elses, Version::V1).is_ok());
    let calls = format!("package p\nq := f{}\n", "(1).a".repeat(50_000));
    assert!(messages(&calls)[0].contains("deep"));
    let logical = format!("package p\nimport rego.v2\nq if a{}\n", " and b".repeat(50_000));
    assert!(messages(&logical)[0].contains("deep"));
}

#[test]
fn texts_that_can_be_read_in_too_many_ways_are_refused_soon() {
    for text in [
        format!("package p\nq := {}", "[a | ".repeat(60) + &", x]".repeat(60)),
        format!("package p\nq := {}", "{a: b | ".repeat(60) + &", x: y}".repeat(60)),
        format!("package p\nimport rego.v2\nq if {}", "{ ".repeat(60) + "a" + &" }".repeat(60) + " or"),
        format!("package p\nimport rego.v2\nq if {}", "(".repeat(60) + "a" + &")".repeat(60) + " or"),
        format!("package p\nimport rego.v2\nq if {}", "not {".repeat(60) + "a:"),
    ] {
        assert!(parse_module(&text, Version::V1).is_err());
    }
}

#[test]
fn every_statement_with_an_error_is_reported() {
    let text = "package p\n\na := := 1\n\nb if {\n\tx = = 2\n}\n\nc := 3\n\nd(x := 1\n\ne := \"a\\qb\"\n";
    let lines: Vec<_> = refused(text).iter().map(|error| error.span.start.line).collect();
    assert_eq!(lines, [3, 6, 11, 13]);
}

#[test]
fn errors_say_what_was_expected() {
    assert_eq!(messages("a := 1"), ["1: package expected"]);
    assert_eq!(messages(""), ["1: empty module"]);
    assert_eq!(messages("package p\nq { true }"), ["2: `if` keyword is required before rule body"]);
    assert_eq!(
        messages("package p\nq[x] if x := 1\nr[1]"),
        ["3: `contains` keyword is required for partial set rules"]
    );
    assert_eq!(messages("package p\nq if every x in [] { }"), ["2: found empty body"]);
    assert_eq!(
        messages("package p\nq if { a b }"),
        ["2: unexpected identifier `b`: expected a new line, `;` or `}`"]
    );
    let v0 = parse_module("package p\nq if { true }", Version::V0).unwrap_err();
    assert!(
        v0[0].message.ends_with("(hint: `import future.keywords.if` for `p if { ... }` rules)"),
        "{v0:?}"
    );
    let v0 = parse_module("package p\nq { some x in [1] }", Version::V0).unwrap_err();
    assert!(v0[0].message.contains("hint: `import future.keywords.in` for `some x in xs`"), "{v0:?}");
}

/// Words and signs of Rego in a random order: nearer to the grammar than random characters.
fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "package p\n",
        "import rego.v1\n",
        "import rego.v2\n",
        "import future.keywords\n",
        "\n",
        " ",
        " ",
        "p",
        "x",
        "input",
        "data",
        "_",
        ".a",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "|",
        "&",
        ",",
        ":",
        ":=",
        "=",
        "==",
        "+",
        "-",
        "*",
        ";",
        "not ",
        "some ",
        "every ",
        " in ",
        " if ",
        " contains ",
        "else ",
        "default ",
        " with ",
        " as ",
        " and ",
        " or ",
        "1",
        "1.5e3",
        "\"a\"",
        "`b`",
        "$\"",
        "\"",
        "{x}",
        "#c\n",
        "# METADATA\n",
        "set()",
        "f(",
        "true",
        "null",
    ])
}

proptest! {
    #[test]
    fn any_text_has_an_answer(text in any::<String>()) {
        for version in VERSIONS {
            let _ = parse_module(&text, version);
            let _ = parse_query(&text, version);
        }
    }

    #[test]
    fn any_words_have_an_answer_with_places_in_the_text(words in prop::collection::vec(word(), 0..60)) {
        let text = words.concat();
        for version in VERSIONS {
            match parse_module(&text, version) {
                Ok(module) => {
                    let again = parse_module(&text, version).unwrap();
                    prop_assert_eq!(canonical::module(&module), canonical::module(&again));
                }
                Err(errors) => {
                    prop_assert!(!errors.is_empty());
                    for error in errors {
                        prop_assert!(error.span.start.offset as usize <= text.len());
                        prop_assert!(!error.message.is_empty());
                    }
                }
            }
        }
    }
}
