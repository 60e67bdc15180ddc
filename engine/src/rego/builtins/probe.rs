//! Calls of builtins for tests: arguments from JSON (sets as `{"$set": […]}`, objects with any key as
//! `{"$map": [[key, value], …]}`), answers as OPA prints them.

use super::{Builtin, BuiltinError, Caches, Call, Limit, Meter, Outcome, find};
use crate::rego::text::write_term;
use crate::value::{Value, parse_json};
use bumpalo::Bump;

/// A limit that long loops run into.
struct Steps(u64);

impl Meter for Steps {
    fn spend(&mut self, steps: u64) -> Result<(), Limit> {
        self.0 = self.0.checked_sub(steps).ok_or(Limit::Steps)?;
        Ok(())
    }

    fn claim(&mut self, bytes: usize) -> Result<(), Limit> {
        if bytes > 256 << 20 { Err(Limit::Memory) } else { Ok(()) }
    }
}

fn decode<'a>(arena: &'a Bump, value: Value<'a>) -> Value<'a> {
    let all = |items: Value<'a>| -> Vec<_> {
        items.as_array().unwrap().iter().map(|item| decode(arena, *item)).collect()
    };
    match value {
        Value::Object(object) if object.get("$set").is_some() => {
            Value::set(&arena, all(object.get("$set").unwrap()))
        }
        Value::Object(object) if object.get("$map").is_some() => {
            let pairs = object.get("$map").unwrap().as_array().unwrap();
            let pair = |pair: &Value<'a>| {
                let pair = pair.as_array().unwrap();
                (decode(arena, pair[0]), decode(arena, pair[1]))
            };
            Value::object(&arena, pairs.iter().map(pair).collect())
        }
        Value::Object(object) => Value::object(
            &arena,
            object.iter().map(|(key, value)| (Value::String(key), decode(arena, value))).collect(),
        ),
        Value::Array(_) => Value::Array(arena.alloc_slice_copy(&all(value))),
        scalar => scalar,
    }
}

/// The outcome of a call, at a fixed time, within limits.
pub(super) fn call_values<'a>(arena: &'a Bump, builtin: &Builtin, arguments: &[Value<'a>]) -> Outcome<'a> {
    let mut call = Call {
        arena,
        now_ns: 1_700_000_000_123_456_789,
        seed: 7,
        meter: &mut Steps(10_000_000),
        caches: &mut Caches::default(),
        facts: None,
    };
    builtin.call(&mut call, arguments)
}

/// The answer of a builtin to arguments in JSON: `OK term`, `UNDEFINED` or `ERR text`.
pub(super) fn answer(name: &str, arguments: &str) -> String {
    let bump = Bump::new();
    let arguments = parse_json(&&bump, arguments.as_bytes()).unwrap();
    let arguments = decode(&bump, arguments).as_array().unwrap();
    let Some(builtin) = find(name) else { return "NOBUILTIN".into() };
    match call_values(&bump, builtin, arguments) {
        Ok(Some(value)) => {
            let mut text = String::from("OK ");
            write_term(&mut text, value);
            text
        }
        Ok(None) => "UNDEFINED".into(),
        Err(error @ BuiltinError::Operand(_)) => format!("ERR eval_type_error: {name}: {error}"),
        Err(error @ BuiltinError::Failed(_)) => format!("ERR eval_builtin_error: {name}: {error}"),
        Err(error) => format!("HALT {error}"),
    }
}

/// For comparisons with OPA: answers the calls of the file `PROBE_CALLS` (lines of `{"name", "args"}`) into the
/// file `PROBE_ANSWERS`.
#[test]
fn answers_a_file_of_calls() {
    let (Ok(calls), Ok(answers)) = (std::env::var("PROBE_CALLS"), std::env::var("PROBE_ANSWERS")) else {
        println!("skipped: PROBE_CALLS and PROBE_ANSWERS are not set");
        return;
    };
    let mut out = String::new();
    for line in std::fs::read_to_string(calls).unwrap().lines() {
        let bump = Bump::new();
        let call = parse_json(&&bump, line.as_bytes()).unwrap();
        let name = call.get("name").and_then(Value::as_str).unwrap();
        let arguments = call.get("args").unwrap().to_string();
        let answer = std::panic::catch_unwind(|| answer(name, &arguments)).unwrap_or_else(|_| "PANIC".into());
        out.push_str(&answer.replace('\n', "\\n"));
        out.push('\n');
    }
    std::fs::write(answers, out).unwrap();
}
