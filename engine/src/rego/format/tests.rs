//! What is laid out reads the same, and stays as it is when it is laid out again.

use super::super::syntax::tree::Version;
use super::{FormatError, format};
use proptest::prelude::*;

fn v1(text: &str) -> String {
    let once = format(text, Version::V1).unwrap();
    assert_eq!(format(&once, Version::V1).unwrap(), once, "laid out twice");
    once
}

#[test]
fn rules_are_apart_and_bodies_are_indented() {
    let text = "package a\nimport data.lib.b\nimport data.lib.a   # first\ndeny contains msg if { msg := \"x\"; input.y }\nf(x) := 1 if x==2\nf(x) := 2 if x == 3\n";
    assert_eq!(
        v1(text),
        "package a\n\nimport data.lib.a # first\nimport data.lib.b\n\ndeny contains msg if {\n\tmsg := \"x\"\n\tinput.y\n}\n\nf(x) := 1 if x == 2\nf(x) := 2 if x == 3\n"
    );
}

#[test]
fn comments_stay_where_they_are() {
    let text =
        "# head\npackage a\n\n# of p\np if {\n  # of the line\n  input.x # beside\n\n  input.y\n}\n# last\n";
    assert_eq!(
        v1(text),
        "# head\npackage a\n\n# of p\np if {\n\t# of the line\n\tinput.x # beside\n\n\tinput.y\n}\n\n# last\n"
    );
}

#[test]
fn lists_break_where_they_were_broken() {
    let text = "package a\np := {\n\"a\": [1,2,\n3], \"b\": 2}\nq := f(\n1, 2)\n";
    assert_eq!(
        v1(text),
        "package a\n\np := {\n\t\"a\": [\n\t\t1, 2,\n\t\t3,\n\t],\n\t\"b\": 2,\n}\n\nq := f(1, 2)\n"
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    assert!(matches!(format("package a\np if {", Version::V1), Err(FormatError::Syntax(_))));
}

#[test]
fn older_rego_stays_older_rego() {
    let text = "package a\nviolation[{\"msg\": msg}] { msg := \"x\" }\np { not q[_] }\n";
    let written = format(text, Version::V0).unwrap();
    assert_eq!(
        written,
        "package a\n\nviolation[{\"msg\": msg}] {\n\tmsg := \"x\"\n}\n\np {\n\tnot q[_]\n}\n"
    );
}

#[test]
fn a_key_of_a_rule_needs_no_value() {
    let text = "package a\n\np[x] if x = input.x\n\nf(_)\n";
    assert_eq!(format(text, Version::V1).unwrap(), text);
}

#[test]
fn further_bodies_and_values_that_were_not_written_are_spelled_out() {
    let text = "package a\nf(x) = y { y := x } { y := 1 }\np.q.r[2]\nq { true }\n";
    let written = format(text, Version::V0).unwrap();
    assert_eq!(
        written,
        "package a\n\nf(x) = y {\n\ty := x\n}\n\nf(x) = y {\n\ty := 1\n}\n\np.q.r[2]\n\nq = true\n"
    );
}

#[test]
fn an_else_on_one_line_keeps_its_words() {
    let text = "package a\n\nf(x) := \"z\" if x == \"q\" else := \"a\" if input.x == \"b\"\n";
    assert_eq!(v1(text), "package a\n\nf(x) := \"z\" if x == \"q\"\n\nelse := \"a\" if input.x == \"b\"\n");
}

/// Pieces that may follow one another.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("\n".to_owned()),
        Just("# a comment\n".to_owned()),
        Just(" ".to_owned()),
        "[a-c]{1,2}",
        prop::sample::select(vec![
            "input.x",
            "[1,\n 2]",
            "{\"k\": v}",
            "{1|\n2}",
            "(1 + 2) * 3",
            "not f(x)",
            "some i in xs",
            "x := 1",
            "every y in [1] { y > 0 }",
            "{x | x := 1}",
            "{\"a\": b |\n b := 1}",
            "with input as 1",
            "a | b",
            "\"s\"",
            "`raw`",
            "p.q[_]",
            "x in {1, 2}",
            "{",
            "}",
            "else := 1 if",
            ",",
            ";",
            "if",
            "contains",
            ":=",
            "==",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_can_be_read_is_laid_out_once_and_for_all(pieces in prop::collection::vec(piece(), 1..14)) {
        let text = format!("package a\n\np if {{\n{}\n}}\n", pieces.join(" "));
        match format(&text, Version::V1) {
            Ok(once) => prop_assert_eq!(format(&once, Version::V1), Ok(once.clone()), "{}", text),
            // Where a comment has no place, nothing is done rather than something lost.
            Err(FormatError::Changed) => prop_assert!(text.contains('#'), "{}", text),
            Err(FormatError::Syntax(_)) => {}
        }
    }
}
