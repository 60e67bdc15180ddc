//! Who fails first: an expression that fails is only seen if it is reached. OPA reaches it or not by its rule index,
//! by asking sets and objects for single members, and by stopping at the first value where one is enough; all
//! expectations here are what OPA 1.22 answers.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

use bumpalo::Bump;
use wayguard_engine::rego::{CompileOptions, Module, Program, World};
use wayguard_engine::value::Document;

/// One body that fails: both of its values hold for a positive number.
const FAILING: &str = "f(x) := 1 if x > 0\nf(_) := 2\n";

/// What `data.p.a` is: a value, `undefined`, or `error`.
fn ask(text: &str, strict: bool, input: &str) -> String {
    let module = Module { path: "p.rego".into(), text: format!("package p\n{text}\n") };
    let options = CompileOptions { strict_builtin_errors: strict, ..CompileOptions::default() };
    let plain = answer(module.clone(), options, input);
    // Watching what is come to changes nothing.
    assert_eq!(
        answer(module, CompileOptions { marks: true, ..options }, input),
        plain,
        "{text}\ninput: {input}"
    );
    plain
}

fn answer(module: Module, options: CompileOptions, input: &str) -> String {
    let program = Program::compile(vec![module], options).unwrap();
    let input = Document::from_json(input.as_bytes()).unwrap();
    let data = Document::from_json(br#"{"d": {"y": 1}}"#).unwrap();
    let arena = Bump::new();
    let world = World { input: Some(input.value()), data: Some(data.value()), ..World::default() };
    match program.rule("data.p.a", &arena, world, None) {
        Ok(Some(value)) => value.to_string(),
        Ok(None) => "undefined".into(),
        Err(_) => "error".into(),
    }
}

fn check(strict: bool, text: &str, expected: &[(&str, &str)]) {
    for (input, answer) in expected {
        assert_eq!(ask(text, strict, input), *answer, "{text}\ninput: {input}");
    }
}

#[test]
fn a_rule_is_begun_as_the_index_has_it() {
    let check = |text: &str, expected: &[(&str, &str)]| {
        check(false, &text.replace("FAILING", FAILING), expected);
    };
    check(
        "FAILINGa if { f(1); input.x }",
        &[("{}", "undefined"), (r#"{"x":false}"#, "error"), (r#"{"x":true}"#, "error")],
    );
    check(
        r#"FAILINGa if { f(1); input.s == "a" }"#,
        &[("{}", "undefined"), (r#"{"s":"b"}"#, "undefined"), (r#"{"s":"a"}"#, "error")],
    );
    check(
        r#"FAILINGa if { f(1); i := input; i.s == "a" }"#,
        &[("{}", "undefined"), (r#"{"s":"b"}"#, "undefined"), (r#"{"s":"a"}"#, "error")],
    );
    check(
        "FAILINGa if { f(1); n := count(input.xs); n > 1 }",
        &[("{}", "undefined"), (r#"{"xs":[1]}"#, "error")],
    );
    check(
        r#"FAILINGa if { f(1); k := "s"; input[k] == "a" }"#,
        &[(r#"{"s":"b"}"#, "undefined"), (r#"{"s":"a"}"#, "error")],
    );
    check(
        r#"FAILINGa if { f(1); startswith(input.s, "a") }"#,
        &[
            (r#"{"s":"b"}"#, "undefined"),
            (r#"{"s":"ab"}"#, "error"),
            (r#"{"s":["b"]}"#, "undefined"),
            (r#"{"s":["ab"]}"#, "error"),
        ],
    );
    check(
        r#"FAILINGa if { f(1); strings.any_suffix_match(input.s, {"x", "y"}) }"#,
        &[(r#"{"s":"b"}"#, "undefined"), (r#"{"s":"y"}"#, "error")],
    );
    check(
        r#"FAILINGa if { f(1); input.s in {"a", "b"} }"#,
        &[(r#"{"s":"c"}"#, "undefined"), (r#"{"s":"b"}"#, "error"), ("{}", "undefined")],
    );
    check(
        r#"FAILINGa if { f(1); "a" in input.xs }"#,
        &[(r#"{"xs":["b"]}"#, "undefined"), (r#"{"xs":["a"]}"#, "error"), (r#"{"xs":{"k":"a"}}"#, "error")],
    );
    check(
        r#"FAILINGa if { f(1); input.xs[_] == "a" }"#,
        &[(r#"{"xs":["b"]}"#, "undefined"), (r#"{"xs":["a"]}"#, "error")],
    );
    check(
        r#"FAILINGa if { f(1); glob.match("*-y", ["-"], input.s) }"#,
        &[(r#"{"s":"a-x"}"#, "undefined"), (r#"{"s":"a-y"}"#, "error"), (r#"{"s":"a"}"#, "undefined")],
    );
    check(
        r#"FAILINGg(x) if { f(1); x == "a" }
a := g(input.s)"#,
        &[(r#"{"s":"b"}"#, "undefined"), (r#"{"s":"a"}"#, "error")],
    );
    check("FAILINGa if { f(1); [input.x, 1] == [2, 1] }", &[(r#"{"x":3}"#, "error"), ("{}", "undefined")]);
    check("FAILINGa if { f(1); not input.x }", &[(r#"{"x":true}"#, "error")]);
    check("FAILINGa if { f(1); input.x with input.y as 1 }", &[("{}", "error")]);
    check(
        "FAILINGa := 1 if { f(1); input.x } else := 2 if { input.y } else := f(1) if { input.z }",
        &[(r#"{"y":1}"#, "2"), (r#"{"z":1}"#, "error"), ("{}", "undefined")],
    );
    check(
        r"import rego.v2
FAILINGa if { f(1); input.x and input.y == 1 }",
        &[(r#"{"x":1}"#, "undefined"), (r#"{"x":1,"y":2}"#, "undefined"), (r#"{"x":1,"y":1}"#, "error")],
    );
    check(
        r"import rego.v2
FAILINGa if { f(1); input.x == 1 or input.y == 1 }",
        &[(r#"{"x":2}"#, "undefined"), (r#"{"x":2,"y":2}"#, "undefined"), (r#"{"x":2,"y":1}"#, "error")],
    );
    check(
        r"FAILINGa := 1 if { f(1); data.d[input.k] }
a := 2 if { input.z }",
        &[(r#"{"k":"x"}"#, "undefined"), ("{}", "undefined")],
    );
}

#[test]
fn the_first_value_is_enough_where_all_that_are_begun_agree() {
    check(
        true,
        r"a := 1 if { some x in input.xs; 10 / x > 0 }
a := 1 if input.y
a := 2 if input.z",
        &[(r#"{"xs":[1,0]}"#, "1"), (r#"{"xs":[1,0],"z":false}"#, "error"), (r#"{"xs":[0,1]}"#, "error")],
    );
    check(
        true,
        r#"a := {"k": [1]} if { some x in input.xs; 10 / x > 0 }
a := {"k": [1]} if input.y"#,
        &[(r#"{"xs":[1,0]}"#, r#"{"k":[1]}"#), (r#"{"xs":[1,0],"y":1}"#, r#"{"k":[1]}"#)],
    );
}

/// `topdown/eval.go` gives a value on as soon as it has it; only iterations over collections go on after one success.
#[test]
fn other_values_by_way_of_walk_are_not_come_to() {
    let function = "f(x) := v if { walk(x, [_, v]); is_number(v) }\n";
    for (rule, answers) in [
        ("a := 1 if { v := f(input); v == 1 }", ["1", "error"]),
        ("a := 1 if f(input) == 1", ["1", "error"]),
        ("a := 1 if { some i in [0, 1]; v := f([input[i], input[1]]); v == 1 }", ["1", "error"]),
        ("a := 1 if not f(input) == 2", ["1", "error"]),
        ("a := 1 if { v := f(input); w := f(input); v == w; v == 1 }", ["1", "error"]),
        ("a := 1 if { v := f(input); every x in [v] { x == 1 } }", ["1", "error"]),
        ("a := 1 if { v := f(input) + 1; v == 2 }", ["1", "error"]),
        ("c := v if { walk(input, [_, v]); is_number(v) }\na := 1 if c == 1", ["1", "error"]),
        ("a := 1 if { v := f(input); v == 1; false }", ["error", "error"]),
        ("a := v if v := f(input)", ["error", "error"]),
        ("a contains 1 if f(input) == 1", ["error", "error"]),
        ("a := 1 if count({f(input) | true}) == 1", ["error", "error"]),
        ("a := 1 if count({x | x := f(input)}) == 1", ["error", "error"]),
        ("f(x) := 3 if count(x) == 2\na := 1 if f(input) == 1", ["error", "error"]),
    ] {
        let text = format!("{function}{rule}");
        check(true, &text, &[("[1, 2]", answers[0]), ("[2, 1]", answers[1])]);
    }
}

#[test]
fn what_can_fail_is_evaluated_to_the_end() {
    check(
        true,
        r#"a contains "k" if { some x in input.xs; 10 / x > 0 }"#,
        &[(r#"{"xs":[1,0]}"#, "error"), (r#"{"xs":[1]}"#, r#"["k"]"#)],
    );
    check(
        true,
        "a := {1 | some x in input.xs; 10 / x > 0}",
        &[(r#"{"xs":[1,0]}"#, "error"), (r#"{"xs":[1]}"#, "[1]")],
    );
    check(
        true,
        r"import rego.v2
a if not { some x in input.xs; 10 / x > 0 }",
        &[(r#"{"xs":[1,0]}"#, "error"), (r#"{"xs":[1]}"#, "undefined"), (r#"{"xs":[]}"#, "true")],
    );
}

#[test]
fn members_are_asked_for_by_key() {
    check(
        false,
        r#"p[k] := v if { some k in ["b", "c"]; some v in input.xs }
a := p.z"#,
        &[(r#"{"xs":[1,2]}"#, "undefined")],
    );
    check(
        false,
        r#"p[k] := v if { some k in ["b", "c"]; some v in input.xs }
a := [v | some k in input.ks; v := p[k]]"#,
        &[
            (r#"{"xs":[1,2],"ks":["z"]}"#, "[]"),
            (r#"{"xs":[1,2],"ks":["z","b"]}"#, "error"),
            (r#"{"xs":[1],"ks":["z","b"]}"#, "[1]"),
        ],
    );
    check(
        true,
        r"p contains 10 / x if { some x in input.xs }
a if not p[input.k]",
        &[(r#"{"xs":[1,0],"k":"z"}"#, "error"), (r#"{"xs":[1],"k":"z"}"#, "true")],
    );
}

#[test]
fn operands_are_evaluated_in_order() {
    check(true, r#"a := {"b": to_number("x"), "a": upper(input.nope)}"#, &[("{}", "undefined")]);
    check(true, "a if { every x in [1] { input.nope == 1 / 0; x } }", &[("{}", "error")]);
    check(true, r#"a if { every x in [1] { input.nope[to_number("x")]; x } }"#, &[("{}", "error")]);
    check(
        true,
        r#"a if { every x in [1] { input.n == x with input.n as to_number("x") with input.m as input.nope } }"#,
        &[("{}", "error")],
    );
    check(true, r#"a := sprintf("%v", [{input.m, 1e3}])"#, &[(r#"{"m":1000.0}"#, r#""{1e3}""#)]);
}

#[test]
fn what_is_compared_is_evaluated_from_left_to_right() {
    let check = |body: &str, answer: &str| {
        let text = format!(
            "g contains x if {{ o := {{k: v | some v in input.xs; k := 1}}; some x in o }}\na if {{ {body} }}"
        );
        check(false, &text, &[(r#"{"xs":[1,2]}"#, answer)]);
    };
    check("g[_] == input.nope", "error");
    check("g[_] = input.nope", "error");
    check("input.nope == g[_]", "undefined");
    check("x := g[_]; x == input.nope", "undefined");
}

#[test]
fn a_set_as_it_is_written_has_its_constants_first() {
    let text = r#"a if every x in {input.s, "a"} { indexof(x, x) == 1 }"#;
    check(true, text, &[(r#"{"s":""}"#, "undefined")]);
    let text = r#"a if every x in {input.s, "a"} { indexof(x, x) == 0 }"#;
    check(true, text, &[(r#"{"s":""}"#, "error"), (r#"{"s":"b"}"#, "true"), (r#"{"s":"a"}"#, "true")]);
    let input = r#"{"s":"b","n":2}"#;
    check(true, r#"a := [x | some x in {input.s, "z", "c"}]"#, &[(input, r#"["c","z","b"]"#)]);
    check(true, "a := [x | x := {3, input.n, 2}[_]]", &[(input, "[2,3,2]")]);
    check(true, "a := [x | x := {3, input.n, 2}[_]; x > 2]", &[(input, "[3]")]);
}

#[test]
fn a_comprehension_that_cannot_be_equal_is_not_evaluated() {
    let input = r#"{"s":"b","l":[],"o":{}}"#;
    for (body, expected) in [
        ("input.s == [x | x := array.concat([], input.s)]", "undefined"),
        ("[x | x := array.concat([], input.s)] == input.s", "undefined"),
        ("not input.s == [x | x := array.concat([], input.s)]", "true"),
        ("input.l == [x | x := array.concat([], input.s)]", "error"),
        ("input.l == {x | x := array.concat([], input.s)}", "undefined"),
        ("input.o == {x: 1 | x := array.concat([], input.s)}", "error"),
        ("input.o == [x | x := array.concat([], input.s)]", "undefined"),
        ("input.nope == [x | x := array.concat([], input.s)]", "undefined"),
        ("{input.s} == {x | x := array.concat([], input.s)}", "error"),
        ("x := input.s; x == [y | y := array.concat([], input.s)]", "undefined"),
    ] {
        assert_eq!(ask(&format!("a if {{ {body} }}"), true, input), expected, "{body}");
    }
}

#[test]
fn a_number_is_a_place_in_an_array_by_how_it_is_written() {
    let places = r#"{"l":[10,20],"i":[1, 1.0, 1.00, -0, 1e0, 10e-1, 1.5, 2.0]}"#;
    check(true, "a := [v | some i in input.i; v := input.l[i]]", &[(places, "[20,20,20,10]")]);
    check(true, "a := json.marshal({1.0, 2}[1])", &[("{}", r#""1""#)]);
}

#[test]
fn bytes_that_are_no_text_are_runes_and_bytes_as_in_go() {
    // Half of `é`, and the other half.
    let check = |answer: &str, expected: &str| {
        let text = r#"
h := base64url.decode("ww")
t := base64url.decode("qQ")
a := "#;
        assert_eq!(ask(&format!("{text}{answer}"), true, "{}"), expected, "{answer}");
    };
    check(r#"json.marshal(h) == json.marshal("\ufffd")"#, "false");
    check(r#"upper(h) == "\ufffd""#, "true");
    check(r#"substring(h, 0, -1) == "\ufffd""#, "true");
    check("base64.encode(strings.reverse(h))", r#""ww==""#);
    check(r#"concat("", [h, t])"#, r#""é""#);
    check(r#"sprintf("%s%s", [h, t])"#, r#""é""#);
    check(r#"replace(concat("", [h, "x"]), "x", t)"#, r#""é""#);
    check(r#"sprintf("%x", [h])"#, r#""c3""#);
    check(r#"[contains("xéy", t), startswith("é", h), endswith("é", t)]"#, "[true,true,true]");
    check(r#"[strings.any_prefix_match("é", h), strings.any_suffix_match(["é"], [t])]"#, "[true,true]");
    check(r#"base64.encode(trim_suffix("é", t))"#, r#""ww==""#);
    check(r#"[base64.encode(x) | some x in split("éy", t)]"#, r#"["ww==","eQ=="]"#);
    check(r#"strings.count("éé", t)"#, "2");
    check(r#"base64.encode(strings.replace_n({t: "-"}, "é"))"#, r#""wy0=""#);
    check(r#"trim(h, "\ufffd")"#, r#""""#);
    check(r#"[base64.encode(x) | some x in sort(["\ufffd", h])]"#, r#"["ww==","77+9"]"#);
    check("regex.is_valid(h)", "false");
}

#[test]
fn rules_of_several_depths_are_asked_for_by_their_first_key() {
    let text = r#"
o[k].deep := count(v) if some k, v in input.xs
o[k] := v if { some k, v in input.ys; k != "hidden" }
s[k].all contains v if some k, v in input.xs
a := ANSWER"#;
    let ask = |answer: &str, input: &str| ask(&text.replace("ANSWER", answer), true, input);
    let fails = r#"{"xs":{"p":[1],"q":7},"ys":{"y":3}}"#;
    assert_eq!(ask("o", fails), "error", "`count` does not take 7");
    assert_eq!(ask(r#"o[lower("P")]"#, fails), r#"{"deep":1}"#, "the 7 is of another key");
    let text = r#"
o[k].deep := v if { some k in ["p", "q"]; v := input.xs[k]; count(v) > 0 }
o[k] := v if { some k, v in input.ys }
s[k].all contains v if some k, v in input.xs
s[k].all contains v if { some k in ["p", "q"]; v := count(input.xs[k]) }
a := ANSWER"#;
    let check = |answer: &str, expected: &str| {
        check(true, &text.replace("ANSWER", answer), &[(fails, expected)]);
    };
    check(r#"o[lower("P")]"#, r#"{"deep":[1]}"#);
    check(r#"o[lower("Q")]"#, "error");
    check(r#"o[lower("Y")]"#, "3");
    check(r#"o[lower("X")]"#, "undefined");
    check(r#"s[lower("P")]"#, r#"{"all":[1,[1]]}"#);
    check(r#"s[lower("P")].all"#, "[1,[1]]");
    check(r#"s[lower("Q")]"#, "error");
}
