//! What holds for every function, whatever it is given; and OPA's own answers to many calls.

use super::probe::{answer, call_values};
use super::{Body, BuiltinError, all, find};
use crate::value::{Number, Value};
use bumpalo::Bump;
use proptest::prelude::*;

/// A value before it has an arena.
#[derive(Clone, Debug)]
enum Plan {
    Null,
    Bool(bool),
    Int(i64),
    Number(String),
    String(String),
    Array(Vec<Plan>),
    Set(Vec<Plan>),
    Object(Vec<(Plan, Plan)>),
}

impl Plan {
    fn build<'a>(&self, arena: &'a Bump) -> Value<'a> {
        let every = |plans: &[Plan]| plans.iter().map(|plan| plan.build(arena)).collect::<Vec<_>>();
        match self {
            Plan::Null => Value::Null,
            Plan::Bool(value) => Value::Bool(*value),
            Plan::Int(value) => Value::int(*value),
            Plan::Number(text) => Value::Number(Number::from_token(arena.alloc_str(text))),
            Plan::String(text) => Value::String(arena.alloc_str(text)),
            Plan::Array(items) => Value::Array(arena.alloc_slice_copy(&every(items))),
            Plan::Set(items) => Value::set(&arena, every(items)),
            Plan::Object(pairs) => Value::object(
                &arena,
                pairs.iter().map(|(key, value)| (key.build(arena), value.build(arena))).collect(),
            ),
        }
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,12}",
        "[%vdsqxXobcUeEfgGtT0-9#+ .*\\[\\]-]{0,12}",
        "[a-z0-9.:/*?+{}()\\[\\]|^$\\\\-]{0,14}",
        "[0-9]{1,4}(\\.[0-9]{1,3})?(e[0-9]{1,3})?(m|k|Ki|Mi|G|h|s|d)?",
        Just("é\u{10ff80}\u{10ffff}日".to_owned()),
        Just("10.0.0.0/8".to_owned()),
        Just("2006-01-02T15:04:05Z07:00".to_owned()),
        Just("{\"a\": [1, 2.5e3, \"\\ud800\"]}".to_owned()),
        Just("eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.AAAA".to_owned()),
    ]
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let leaf = prop_oneof![
        Just(Plan::Null),
        any::<bool>().prop_map(Plan::Bool),
        (-20_i64..20).prop_map(Plan::Int),
        any::<i64>().prop_map(Plan::Int),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?".prop_map(Plan::Number),
        any_text().prop_map(Plan::String),
        any_text().prop_map(Plan::String),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Plan::Array),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Plan::Set),
            prop::collection::vec((any_text().prop_map(Plan::String), inner.clone()), 0..4)
                .prop_map(Plan::Object),
            prop::collection::vec((inner.clone(), inner), 0..3).prop_map(Plan::Object),
        ]
    })
}

/// OPA declares an array and an object as their results, and gives null where the text holds no key: `""`, or
/// base64 of anything that is not PEM.
const NULL_WHERE_THERE_IS_NO_KEY: [&str; 2] =
    ["crypto.parse_private_keys", "crypto.x509.parse_rsa_private_key"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// No function panics, and none gives what it does not declare.
    #[test]
    fn functions_answer_anything(plans in prop::collection::vec(any_plan(), 4)) {
        for builtin in all() {
            let bump = Bump::new();
            let values: Vec<_> = plans.iter().take(builtin.arguments.len()).map(|plan| plan.build(&bump)).collect();
            if let Ok(Some(value)) = call_values(&bump, builtin, &values) {
                let many = matches!(builtin.body, Body::Relation(_));
                let null = value == Value::Null && NULL_WHERE_THERE_IS_NO_KEY.contains(&builtin.name);
                let declared = many || null || builtin.result.admits(value);
                prop_assert!(declared, "{} gave {value} for {plans:?}", builtin.name);
            }
        }
    }
}

/// Each line is a call and OPA's answer, separated by tabs; of errors only that there is one.
#[test]
fn answers_are_opas() {
    let mut wrong = Vec::new();
    for line in include_str!("answers.tsv").lines() {
        let mut fields = line.split('\t');
        let (name, arguments, expected) =
            (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap());
        let given = answer(name, arguments).replace('\n', "\\n");
        if given != expected && !(expected == "ERR" && given.starts_with("ERR ")) {
            wrong.push(format!("{name}{arguments}\n  OPA:  {expected}\n  ours: {given}"));
        }
    }
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_would_take_all_memory_is_refused_in_time() {
    let long = format!("[\"{}\", \"a\", \"{}\"]", "a".repeat(100_000), "b".repeat(100_000));
    for (name, arguments) in [
        ("numbers.range", "[1, 1000000000000]"),
        ("numbers.range", "[1, 1e40]"),
        ("numbers.range_step", "[0, 1000000000000, 3]"),
        ("bits.lsh", "[1, 100000000]"),
        ("mul", "[1e29000, 1e29000]"),
        ("net.cidr_expand", "[\"::/0\"]"),
        ("net.cidr_expand", "[\"10.0.0.0/4\"]"),
        ("replace", long.as_str()),
        ("sprintf", "[\"%9999999d%9999999d%9999999d%9999999d%9999999d%9999999d%9999999d\", [1,1,1,1,1,1,1]]"),
    ] {
        let started = std::time::Instant::now();
        let given = answer(name, arguments);
        let refused =
            given.starts_with("HALT evaluation took more") || (name == "mul" && given.starts_with("OK"));
        assert!(refused, "{name}: {}", given.get(..80).unwrap_or(&given));
        assert!(started.elapsed().as_secs() < 10, "{name} took {:?}", started.elapsed());
    }
}

/// OPA's list of its functions, where the Go module is there.
#[test]
fn every_function_of_opa_is_known_with_its_arguments() {
    let cache = std::env::var("GOMODCACHE")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/go/pkg/mod")))
        .unwrap_or_default();
    let path = format!("{cache}/github.com/open-policy-agent/opa@v1.22.2/capabilities.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: OPA's capabilities are not at {path}");
        return;
    };
    let capabilities: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut wrong = Vec::new();
    for known in capabilities["builtins"].as_array().unwrap() {
        let name = known["name"].as_str().unwrap();
        let Some(ours) = find(name) else {
            wrong.push(format!("{name} is missing"));
            continue;
        };
        let declared = known["decl"]["args"].as_array().map_or(0, Vec::len)
            + usize::from(known["decl"].get("variadic").is_some());
        if ours.arguments.len() != declared {
            wrong.push(format!("{name} takes {declared}, not {}", ours.arguments.len()));
        }
        // OPA fetches what a schema refers to; here nothing is fetched.
        let fetches = ["json.match_schema", "json.verify_schema"].contains(&name);
        let flags = [("nondeterministic", ours.nondeterministic || fetches), ("deprecated", ours.deprecated)];
        for (flag, ours) in flags {
            let refused = matches!(find(name).unwrap().body, Body::Refused(_));
            if known[flag].as_bool().unwrap_or(false) != ours && !refused {
                wrong.push(format!("{name}: {flag} is not {ours}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn errors_are_told_apart() {
    assert_eq!(answer("abs", "[\"x\"]"), "ERR eval_type_error: abs: operand 1 must be number but got string");
    assert_eq!(answer("div", "[1, 0]"), "ERR eval_builtin_error: div: divide by zero");
    assert_eq!(answer("max", "[[]]"), "UNDEFINED");
    let bump = Bump::new();
    let refused = call_values(&bump, find("http.send").unwrap(), &[Value::EMPTY]);
    assert!(matches!(refused, Err(BuiltinError::Failed(why)) if why.contains("no network")));
}
