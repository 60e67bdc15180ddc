//! What is refused for its types when it is loaded, and what is not: as OPA 1.22 has both, beyond its own cases.

use wayguard_engine::rego::{CompileOptions, Module, Program};

/// The errors of a load, each with its line.
fn refused(body: &str) -> Vec<String> {
    let module = Module { path: "p.rego".into(), text: format!("package p\n\n{body}\n") };
    match Program::compile(vec![module], CompileOptions::default()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(|error| format!("{}: {}", error.line, error.message)).collect(),
    }
}

#[test]
fn what_can_never_work_is_refused_at_its_line() {
    for (body, expected) in [
        ("a := count(1)", "3: count: invalid argument(s)"),
        (r#"a if 1 == "a""#, "3: match error"),
        ("a := 1\nb := a.c", "4: undefined ref"),
        ("f(x) := x + 1\nb := f(\"a\")", "4: data.p.f: invalid argument(s)"),
        (r#"b := [x | x := 1; x == "a"]"#, "3: match error"),
        (r#"b if "a" in [1, 2]"#, "3: match error"),
        (r#"a := ["x", "y"][2]"#, "3: undefined ref"),
        (r#"a := ["x", "y"][1.0]"#, "3: undefined ref"),
        (r#"a := {"x": 1}.y"#, "3: undefined ref"),
        (r#"a := {"x": {"y": 1}}.x.z"#, "3: undefined ref"),
        ("a contains 1\nb := a[\"x\"]", "4: undefined ref"),
        ("a := upper(1)", "3: upper: invalid argument(s)"),
        ("a := upper(lower(2))", "3: lower: invalid argument(s)"),
        ("f(x) := 1 if x == 1\nf(x) := 2 if x == \"s\"\na := f(1).z", "5: undefined ref"),
        ("a := b.c if b := [1]", "3: undefined ref"),
        ("a := {k: v | some k, v in {\"a\": 1}}\nb := a.a.c", "4: undefined ref"),
        ("a := 1 if { x := {1, 2}; x[_].y }", "3: undefined ref"),
        (r#"a := sum(["a"])"#, "3: sum: invalid argument(s)"),
        (r#"a if { x := 1; x == {"a"} }"#, "3: match error"),
        (r#"a := x if { [x, 1] = ["a", "b"] }"#, "3: match error"),
        (r#"a if {"a": 1} == {"b": 1}"#, "3: match error"),
        ("a if [1, 2] == [1]", "3: match error"),
        ("r[k] := 1 if some k in [\"a\"]\nb := r.a.b", "4: undefined ref"),
        (r#"a := concat(",", [1])"#, "3: concat: invalid argument(s)"),
        ("a := 1\nb := upper(a)", "4: upper: invalid argument(s)"),
        ("a := \"s\"\na := 1 if input.x\nb := a.c", "5: undefined ref"),
        (r#"a := max({"a": 1})"#, "3: max: invalid argument(s)"),
        ("a := {1, 2} + 1", "3: plus: invalid argument(s)"),
        (r#"a := object.get(1, "a", 2)"#, "3: object.get: invalid argument(s)"),
        ("a := [1] | {2}", "3: or: invalid argument(s)"),
        (r#"a if 1 < upper("x")[_]"#, "3: undefined ref"),
    ] {
        let errors = refused(body);
        assert!(
            errors.iter().any(|error| error.starts_with(expected)),
            "{body}\nwanted: {expected}\nours: {errors:?}"
        );
    }
}

#[test]
fn what_can_work_for_some_input_is_not() {
    let none: [String; 0] = [];
    for body in [
        "r.a := 1\nr.b := \"x\"\nc := r.d",
        "a if every x in 1 { x }",
        r#"a if every x in ["a"] { x > 1; x == 2 }"#,
        "a := walk(1)",
        "a := count(input.x) + input.y.z",
        "a := 1\nb if { a.c == 2 with data.p.a as {\"c\": 2} }",
        "a := input.x[_]\nb if { some k, v in a; k != v }",
        "a := []\nb := [x | some x in a]",
        "a := 1 if input.x\na := \"s\" if input.y\nb := a + 1",
        "a := object.get({\"x\": 1}, \"y\", \"z\")\nb := upper(a)",
        r#"a if 1 < "x""#,
        r#"a if {1} != ["a"]"#,
        r#"a := {"x": 1}[input.k]"#,
        "a := [\"x\", 2][input.i]\nb := upper(a)",
        "f(x) := x\nb := f(1).c",
        "a := {k: v | some k, v in input}\nb := a.x.y.z",
        "a contains x if some x in [\"a\", 1]\nb := a[\"a\"]",
        "a := {\"x\": 1, \"y\": \"s\"}[_]\nb := upper(a)",
        r#"a if { x := input.a; x == 1; x == "s" }"#,
        r#"a := json.unmarshal("1").x"#,
        "a if { some x in {}; x.y.z }",
        r#"a if [1, input.x] == [1, "a"]"#,
        "a if every x in [] { x.y }",
        "r[input.k] := 1\nb := r.x",
        "p.q.r := 1\nb := p.q.r",
        r#"a := {"b": input.x}.b.c"#,
        "a := data.q.x.y.z",
        "a := upper(data.cfg.x)",
        "a := 1 if input.x",
        r#"a := input.x == {"a": "x"}"#,
    ] {
        assert_eq!(refused(body), none, "{body}");
    }
}
