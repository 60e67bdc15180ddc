//! The language: small policies and what they must answer, each as OPA 1.22 does.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, which clippy does not take for tests")]

use bumpalo::Bump;
use wayguard_engine::rego::{CompileOptions, Module, Program, World};
use wayguard_engine::value::Document;

fn compile(text: &str) -> Result<Program, Vec<String>> {
    let module = Module { path: "p.rego".into(), text: text.into() };
    let options = CompileOptions { strict_builtin_errors: false, ..CompileOptions::default() };
    Program::compile(vec![module], options)
        .map_err(|errors| errors.iter().map(|error| format!("{}: {}", error.line, error.message)).collect())
}

fn ask(text: &str, rule: &str, input: &str) -> String {
    let program = compile(text).unwrap();
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
