//! The language: small policies and what they must answer, each as OPA 1.22 does.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

use bumpalo::Bump;
use wayguard_engine::rego::{CompileOptions, Module, Program, World};
use wayguard_engine::value::Document;

fn compile(text: &str) -> Result<Program, Vec<String>> {
    compile_as(text, false)
}

fn compile_as(text: &str, marks: bool) -> Result<Program, Vec<String>> {
    let module = Module { path: "p.rego".into(), text: text.into() };
    let options = CompileOptions { strict_builtin_errors: false, marks, ..CompileOptions::default() };
    Program::compile(vec![module], options)
        .map_err(|errors| errors.iter().map(|error| format!("{}: {}", error.line, error.message)).collect())
}

fn ask(text: &str, rule: &str, input: &str) -> String {
    let plain = answer(&compile(text).unwrap(), rule, input);
    // Watching what is come to changes nothing.
    assert_eq!(answer(&compile_as(text, true).unwrap(), rule, input), plain, "{rule}");
    plain
}

/// The lines and columns of what is come to, and of what is not.
fn marks(text: &str, rule: &str, input: &str) -> [String; 2] {
    let program = compile_as(text, true).unwrap();
    answer(&program, rule, input);
    [true, false].map(|wanted| {
        let marks = program.marks().filter(|(_, reached)| *reached == wanted);
        let places = marks.map(|(mark, _)| format!("{}:{}", mark.span.start.line, mark.span.start.column));
        places.collect::<Vec<_>>().join(" ")
    })
}

fn answer(program: &Program, rule: &str, input: &str) -> String {
    let input = Document::from_json(input.as_bytes()).unwrap();
    let arena = Bump::new();
    let world = World { input: Some(input.value()), ..World::default() };
    match program.rule(rule, &arena, world, None) {
        Ok(Some(value)) => value.to_string(),
        Ok(None) => "undefined".into(),
        Err(error) => format!("error: {error}"),
    }
}

#[test]
fn rules_and_comprehensions() {
    let text = r#"package p
import data.q.x as y
deny contains msg if {
	some c in input.containers
	not c.ok
	msg := c.name
}
names := [n | n := input.containers[_].name]
by_name[c.name] := c.ok if some c in input.containers
f(x) := x + 1 if x > 1
else := 0
one := f(1)
two := f(2)
first := c.name if { c := input.containers[0] }
every_ok if every c in input.containers { c.name != "z" }
pair := [a, b] if [a, b] = [input.containers[0].name, 1]
idx contains i if input.containers[i].ok
default d := 7
d := 8 if input.nope
"#;
    let input = r#"{"containers":[{"name":"a","ok":true},{"name":"b"},{"name":"c","ok":false}]}"#;
    let ask = |rule: &str| ask(text, rule, input);
    assert_eq!(ask("data.p.deny"), r#"["b","c"]"#);
    assert_eq!(ask("data.p.names"), r#"["a","b","c"]"#);
    assert_eq!(ask("data.p.by_name"), r#"{"a":true,"c":false}"#);
    assert_eq!(ask("data.p.one"), "0");
    assert_eq!(ask("data.p.two"), "3");
    assert_eq!(ask("data.p.first"), r#""a""#);
    assert_eq!(ask("data.p.every_ok"), "true");
    assert_eq!(ask("data.p.pair"), r#"["a",1]"#);
    assert_eq!(ask("data.p.idx"), "[0]");
    assert_eq!(ask("data.p.d"), "7");
    assert_eq!(
        ask("data.p"),
        r#"{"by_name":{"a":true,"c":false},"d":7,"deny":["b","c"],"every_ok":true,"first":"a","idx":[0],"names":["a","b","c"],"one":0,"pair":["a",1],"two":3}"#
    );
}

#[test]
fn operands_of_not_are_evaluated_before_it() {
    let text = r#"package p
f(x) := true if x == 1
a if not f(input.missing)
b if not input.missing
c if not startswith(input.missing, "x")
d if not input.a == input.b
"#;
    for (rule, expected) in [("a", "undefined"), ("b", "true"), ("c", "undefined"), ("d", "true")] {
        assert_eq!(ask(text, &format!("data.p.{rule}"), "{}"), expected, "{rule}");
    }
}

#[test]
fn with_replaces_documents_and_functions() {
    let text = r#"package p
v := input.x
r := data.base.y
g(x) := x
h(x) := x + 1
a := x if x := v with input.x as 5
b := x if x := r with data.base.y as 6
c := x if x := use_g with g as h
use_g := g(1)
d := x if x := use_g with g as 9
e := [x, v] if x := v with input as {"x": 3}
f := x if x := count([1]) with count as 4
"#;
    for (rule, expected) in [("a", "5"), ("b", "6"), ("c", "2"), ("d", "9"), ("e", "[3,1]"), ("f", "4")] {
        assert_eq!(ask(text, &format!("data.p.{rule}"), r#"{"x":1}"#), expected, "{rule}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let wrong = |text: &str| compile(text).err().unwrap_or_default();
    assert_eq!(
        wrong("package p\na := nope(1)\nb := count(1, 2, 3)\n"),
        ["2: undefined function nope", "3: function count has arity 1, got 3 arguments"]
    );
    assert_eq!(wrong("package p\na := x\n"), ["2: var x is unsafe"]);
    assert_eq!(wrong("package p\na if { not x }\n"), ["2: var x is unsafe"]);
    assert_eq!(wrong("package p\na if { x := 1; x := 2 }\n"), ["2: var x assigned above"]);
    assert_eq!(wrong("package p\na := b\nb := a\n").len(), 2);
}

#[test]
fn what_is_come_to_is_told_in_spite_of_what_is_made_faster() {
    // The test that costs nothing is made first, but it is not come to before what stands above it.
    let text = "package p\n\na if {\n\tcount(input.xs) > 3\n\tinput.y == 1\n}\n";
    assert_eq!(marks(text, "data.p.a", r#"{"xs": [], "y": 1}"#), ["4:2", "3:1 5:2"]);
    assert_eq!(marks(text, "data.p.a", r#"{"y": 1}"#), ["4:2", "3:1 5:2"]);
    assert_eq!(marks(text, "data.p.a", r#"{"xs": [1, 2, 3, 4], "y": 1}"#), ["3:1 4:2 5:2", ""]);
    // What is bound and used once is put where it is used, and still evaluated before what follows.
    let text = "package p\n\na if {\n\tx := f(input.x)\n\ty := g(x)\n\ty == 2\n}\n\nf(x) := x if x > 0\n\ng(x) := x if x > 1\n";
    assert_eq!(marks(text, "data.p.a", r#"{"x": 1}"#), ["4:2 5:2 9:1 9:14 11:14", "3:1 6:2 11:1"]);
    // One success is enough for the answer, and each member is still looked at.
    let text =
        "package p\n\na if {\n\tsome x in input.xs\n\tok(x)\n}\n\nok(x) if x == 1\n\nok(x) if x == 2\n";
    assert_eq!(marks(text, "data.p.a", r#"{"xs": [3, 1]}"#)[1], "10:1");
    // Values that nobody needs are evaluated all the same.
    let text = "package p\n\na if {\n\txs := [x | some x in input.xs; x > 1]\n\tnot input.z\n\tevery x in xs { x < 3 }\n} else := 7 if input.y\n\ndefault a := 8\n";
    assert_eq!(
        marks(text, "data.p.a", r#"{"xs": [1, 5]}"#),
        ["4:2 4:13 4:33 5:2 6:2 6:18 7:16 9:1", "3:1 7:3"]
    );
    assert_eq!(marks(text, "data.p.a", r#"{"xs": [2]}"#)[1], "7:3 7:16 9:1");
    assert_eq!(marks(text, "data.p.a", r#"{"y": true, "z": 1}"#)[1], "3:1 4:33 6:2 6:18 9:1");
}

#[test]
fn the_first_word_of_a_function_is_in_use() {
    for name in ["object", "count", "plus", "equal", "internal", "eq"] {
        let body =
            format!("x := object.union({{}}, {{}}); count(x) + 1 == 1; 1 in [1]; x = {{}}; {name} := 1");
        let wrong = compile(&format!("package p\na if {{ {body} }}\n")).err().unwrap_or_default();
        assert_eq!(wrong, [format!("2: var {name} referenced above")]);
    }
    let wrong = compile("package p\na if { object := object.union({}, {}) }\n").err().unwrap_or_default();
    assert_eq!(wrong, ["2: var object referenced above"]);
    let wrong = compile("package p\nf(count) := count([1])\n").err().unwrap_or_default();
    assert_eq!(wrong, ["2: called function count shadowed"]);
    // What a comprehension uses is in use there alone.
    assert_eq!(
        ask("package p\na := count if { x := [1 | count([1])]; count := 2 }\n", "data.p.a", "{}"),
        "2"
    );
}

#[test]
fn a_rule_takes_the_place_of_the_operator_of_its_name() {
    let wrong = |text: &str| compile(text).err().unwrap_or_default();
    assert_eq!(ask("package p\nplus(a, b) := 7\nr := 1 + 1\n", "data.p.r", "{}"), "7");
    assert_eq!(ask("package p\nequal(a, b) := false\nr if 1 == 1\n", "data.p.r", "{}"), "undefined");
    assert_eq!(
        wrong("package p\nequal(a, b, c) := 1\nr if 1 == 1\ns if 1 == 2\n"),
        [
            "3: function data.p.equal has arity 3, got 2 arguments",
            "4: function data.p.equal has arity 3, got 2 arguments"
        ]
    );
    assert_eq!(
        wrong("package p\ninternal := 1\nr if 1 in [1]\n"),
        ["3: undefined function data.p.internal.member_2"]
    );
    assert_eq!(wrong("package p\nassign(a) := 7\nr if x := 1\n").len(), 1, "OPA has no sense for it either");
}
