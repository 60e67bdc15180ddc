//! What is told of evaluations: where each body failed, with which values, and what nobody came to.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests, which clippy does not take for tests"
)]

use bumpalo::Bump;
use wayguard_engine::rego::trace::{ClauseTrace, ExprTrace, Outcome, RuleTrace, Trace};
use wayguard_engine::rego::{CompileOptions, Module, Program, World};
use wayguard_engine::value::parse_json;

/// Evaluates `data.p.<rule>` of a module twice: traced, and as admission does. Both must give the same.
fn told(module: &str, input: &str, rule: &str) -> Trace {
    told_with(module, input, rule, false)
}

fn told_with(module: &str, input: &str, rule: &str, hidden: bool) -> Trace {
    let module = Module { path: "p.rego".into(), text: format!("package p\n{module}") };
    let compiled = |traced| {
        let options = CompileOptions { traced, ..CompileOptions::default() };
        Program::compile(vec![module.clone()], options).unwrap()
    };
    let (traced, plain) = (compiled(true), compiled(false));
    assert!(plain.tracer(false).is_none(), "only a traced program can tell");
    let bump = Bump::new();
    let input = parse_json(&&bump, input.as_bytes()).unwrap();
    let world = World { input: Some(input), ..World::default() };
    let path = format!("data.p.{rule}");
    let mut observer = traced.tracer(hidden).unwrap();
    let told = traced.rule(&path, &bump, world, Some(&mut observer));
    let untold = plain.rule(&path, &bump, world, None);
    // What is put together with what uses it fails on that line; a traced program puts nothing together.
    let shown = |answer| match answer {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{error:?}").split(", at:").next().unwrap().to_owned(),
    };
    assert_eq!(shown(told), shown(untold));
    observer.trace().unwrap()
}

fn only(trace: &Trace) -> &RuleTrace {
    assert_eq!(trace.rules.len(), 1, "{trace:#?}");
    assert!(!trace.cut);
    &trace.rules[0]
}

/// A story in a few lines: what tests compare.
fn lines(trace: &Trace) -> String {
    let mut out = String::new();
    trace.rules.iter().for_each(|rule| of_rule(rule, 0, &mut out));
    out
}

fn line(depth: usize, text: &str, out: &mut String) {
    out.push_str(&format!("{}{text}\n", "  ".repeat(depth)));
}

fn of_rule(rule: &RuleTrace, depth: usize, out: &mut String) {
    let value = rule.value.as_ref().map_or("undefined".to_owned(), ToString::to_string);
    let args: Vec<String> = rule.args.iter().map(ToString::to_string).collect();
    let args = if args.is_empty() { String::new() } else { format!("({})", args.join(", ")) };
    let failed = if rule.failed { " FAILED" } else { "" };
    line(depth, &format!("{}{args} = {value}{failed}", rule.rule), out);
    rule.clauses.iter().for_each(|clause| of_clause(clause, depth + 1, out));
}

fn of_clause(clause: &ClauseTrace, depth: usize, out: &mut String) {
    line(depth, &format!("{}: {} {:?}", clause.at.line, clause.at.text, clause.outcome), out);
    body(&clause.body, depth + 1, out);
    for at in &clause.not_reached {
        line(depth + 1, &format!("{}: {} -", at.line, at.text), out);
    }
}

fn body(exprs: &[ExprTrace], depth: usize, out: &mut String) {
    for expr in exprs {
        let values: Vec<String> =
            expr.values.iter().map(|seen| format!("{} = {}", seen.name, seen.value)).collect();
        let values = if values.is_empty() { String::new() } else { format!(" [{}]", values.join("; ")) };
        let outcome = if expr.held { "ok".to_owned() } else { format!("FAILS: {}", expr.why) };
        line(depth, &format!("{}: {}{values} {outcome}", expr.at.line, expr.at.text), out);
        expr.calls.iter().for_each(|rule| of_rule(rule, depth + 1, out));
        for (sign, ways) in [("in", &expr.inside), ("way", &expr.ways)] {
            for way in ways {
                let bound: Vec<String> =
                    way.bindings.iter().map(|seen| format!("{}={}", seen.name, seen.value)).collect();
                let alike = if way.alike > 0 { format!(" and {} more", way.alike) } else { String::new() };
                let held = if way.held { "holds" } else { "fails" };
                line(depth + 1, &format!("{sign} {} {held}{alike}", bound.join(" ")), out);
                body(&way.body, depth + 2, out);
            }
        }
    }
}

/// A module and an input, and what must be among the lines of the story.
fn tells(module: &str, input: &str, rule: &str, wanted: &[&str]) {
    let text = lines(&told(module, input, rule));
    for line in wanted {
        assert!(text.lines().any(|told| told.trim() == *line), "no line `{line}` in:\n{text}");
    }
}

#[test]
fn a_body_is_told_up_to_where_it_fails_and_the_rest_is_named() {
    tells(
        "allow if {\n\tinput.kind == \"Pod\"\n\tinput.spec.hostNetwork == true\n\tinput.never\n}\n",
        r#"{"kind":"Pod","spec":{"hostNetwork":false}}"#,
        "allow",
        &[
            "allow = undefined",
            "2: allow Failed",
            "3: input.kind == \"Pod\" [input.kind = \"Pod\"] ok",
            "4: input.spec.hostNetwork == true [input.spec.hostNetwork = false] FAILS: input.spec.hostNetwork is not true",
            "5: input.never -",
        ],
    );
}

#[test]
fn a_clause_that_the_index_leaves_out_says_what_it_lacks() {
    // A rule that can fail keeps the index; this body is never begun, and its division is never come to.
    let module = "p := x if {\n\tinput.kind == \"Service\"\n\tx := 1 / input.zero\n}\n\np := 2 if input.kind == \"Pod\"\n";
    tells(
        module,
        r#"{"kind":"Pod","zero":0}"#,
        "p",
        &[
            "p = 2",
            "2: p := x NotBegun",
            "3: input.kind == \"Service\" [input.kind = \"Pod\"] FAILS: input.kind is not \"Service\"",
            "4: x := 1 / input.zero -",
            "7: p := 2 Held",
        ],
    );
}

#[test]
fn an_evaluation_that_fails_says_where() {
    let text = lines(&told("p := x if {\n\tx := 1 / input.zero\n}\n", r#"{"zero":0}"#, "p"));
    assert!(text.starts_with("p = undefined FAILED"), "{text}");
    assert!(text.contains("FAILS: 1 / input.zero is undefined"), "{text}");
}

#[test]
fn tests_of_the_input_are_told_where_they_are_written() {
    // Without a story this test is made before the iteration.
    let text = lines(&told(
        "deny contains x if {\n\tsome x in input.xs\n\tinput.on\n}\n",
        r#"{"xs":[1,2],"on":false}"#,
        "deny",
    ));
    assert!(
        text.contains("way x=1 fails\n        4: input.on [input.on = false] FAILS: input.on is false"),
        "{text}"
    );
}

const IMAGES: &str = r#"
deny contains c.name if {
	some c in input.containers
	not pinned(c.image)
}

pinned(image) if contains(image, "@sha256:")

pinned(image) if {
	parts := split(image, ":")
	parts[1] != "latest"
}
"#;

#[test]
fn each_member_is_told_with_what_a_function_said_of_it() {
    let input = r#"{"containers":[{"name":"a","image":"x:1"},{"name":"b","image":"y:latest"}]}"#;
    tells(
        IMAGES,
        input,
        "deny",
        &[
            "deny = [\"b\"]",
            "way c={\"image\":\"x:1\",\"name\":\"a\"} fails",
            "5: not pinned(c.image) [c.image = \"x:1\"] FAILS: what must not hold holds",
            "pinned(\"x:1\") = true",
            "way c={\"image\":\"y:latest\",\"name\":\"b\"} holds",
            "pinned(\"y:latest\") = undefined",
        ],
    );
}

#[test]
fn many_members_are_told_by_a_few() {
    let containers: Vec<String> = (0..40)
        .map(|n| format!(r#"{{"name":"c{n}","image":"x:{}"}}"#, if n == 30 { "latest" } else { "1" }))
        .collect();
    let trace = told(IMAGES, &format!(r#"{{"containers":[{}]}}"#, containers.join(",")), "deny");
    let ways = &only(&trace).clauses[0].body[0].ways;
    let told: Vec<_> = ways.iter().map(|way| (way.held, way.alike)).collect();
    assert_eq!(told, [(false, 34), (false, 0), (false, 0), (false, 0), (false, 0), (true, 0)]);
}

#[test]
fn what_stands_in_braces_is_told_for_each_member() {
    tells(
        "allow if {\n\tevery c in input.cs {\n\t\tc.ok\n\t}\n}\n",
        r#"{"cs":[{"ok":true},{"ok":false},{"ok":true}]}"#,
        "allow",
        &[
            "3: every c in input.cs { c.ok } [input.cs = [{\"ok\":true},{\"ok\":false},{\"ok\":true}]] FAILS: it does not hold for every member of input.cs",
            "in  holds",
            "in  fails",
            "4: c.ok [c.ok = false] FAILS: c.ok is false",
        ],
    );
    tells(
        "allow if {\n\txs := [x | some x in input.xs; x > 2]\n\tcount(xs) > 5\n}\n",
        r#"{"xs":[1,3]}"#,
        "allow",
        &[
            "way x=1 fails",
            "way x=3 holds",
            "4: count(xs) > 5 [xs = [3]; count(xs) = 1] FAILS: count(xs) > 5 is false",
        ],
    );
}

#[test]
fn defaults_elses_and_clauses_of_functions_are_told_in_order() {
    let module = "default size := 0\nsize := 1 if input.small else := 2 if input.large\nsum := f(\"b\")\nf(\"a\") := 1\nf(\"b\") := 2\nf(x) := 2 if x == \"c\"\n";
    tells(
        module,
        r#"{"large":true}"#,
        "size",
        &["3: size := 1 Failed", "3: input.small FAILS: input.small is undefined", "3: else := 2 Held"],
    );
    tells(module, "{}", "size", &["size = 0", "2: default size := 0 Held"]);
    tells(
        module,
        "{}",
        "sum",
        &[
            "f(\"b\") = 2",
            "5: f(\"a\") := 1 Failed",
            "5: f(\"a\") := 1 [argument 1 = \"b\"] FAILS: argument 1 is not \"a\"",
            "6: f(\"b\") := 2 Held",
        ],
    );
}

#[test]
fn what_is_replaced_is_seen_replaced() {
    tells(
        "allow if input.n == 1 with input as {\"n\": 2}\n",
        r#"{"n":1}"#,
        "allow",
        &["2: input.n == 1 with input as {\"n\": 2} [input.n = 2] FAILS: input.n is not 1"],
    );
}

const SECRET: &str = r#"{"review":{"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[
    {"name":"c","image":"nginx","env":[{"name":"TOKEN","value":"s3cr3t-value"}]}]}}}}"#;

#[test]
fn values_that_findings_do_not_show_are_not_shown_either() {
    let module = r#"
deny contains msg if {
	some c in input.review.object.spec.containers
	some variable in c.env
	upper(variable.value) != ""
	parts := split(variable.value, "-")
	msg := sprintf("%s %s %s", [c.image, variable.name, parts[0]])
}
"#;
    let trace = told(module, SECRET, "deny");
    let text = format!("{trace:?}").to_lowercase();
    assert!(!text.contains("s3cr3t"), "{text}");
    let text = lines(&trace);
    assert!(text.contains("\"TOKEN\"") && text.contains("nginx") && text.contains("(not shown)"), "{text}");
}

/// The digits of a secret are the secret, whichever way they take.
#[test]
fn numbers_made_of_what_is_not_shown_are_not_shown() {
    let module = r#"
deny contains msg if {
	some c in input.review.object.spec.containers
	some variable in c.env
	n := to_number(variable.value)
	m := n + 1
	all := [n, sum([n, 2])]
	parsed := json.unmarshal(variable.value)
	keyed := {variable.value: 1}
	text := format_int(m, 10)
	inside := {"k": m}
	many := count(input.review.object.spec.containers)
	m > 17
	msg := sprintf("%d %s %v %v %v %v %d", [n, text, all, parsed, keyed, inside, many])
}
"#;
    let input = SECRET.replace("s3cr3t-value", "12345678");
    let trace = told(module, &input, "deny");
    let all = format!("{trace:?}");
    assert!(!all.contains("1234567") && !all.contains("12345680"), "{all}");
    let text = lines(&trace);
    assert!(text.contains("many = 1") && text.contains("m = \"(not shown)\""), "{text}");
}

#[test]
fn of_a_policy_about_secrets_no_value_is_shown() {
    let module = "deny contains x if {\n\tsome c in input.review.object.spec.containers\n\tx := c.image\n}\n";
    let trace = told_with(module, SECRET, "deny", true);
    assert!(!format!("{:?}", only(&trace).value).contains("nginx"));
    assert_eq!(only(&trace).clauses[0].outcome, Outcome::Held);
}
