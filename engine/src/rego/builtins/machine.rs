//! What the machine does itself: unification, assignment, printing; and what policies may not ask about themselves.

use super::{Body, Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::rego::text::write_term;
use crate::value::Value;

const ABOUT_RULES: &str = "policies are not told their own annotations";

pub(super) const TABLE: &[Builtin] = &[
    machine("eq", &[Type::Any, Type::Any], Type::Boolean),
    machine("assign", &[Type::Any, Type::Any], Type::Boolean),
    machine("print", &[Type::Variadic], Type::Nothing),
    machine("internal.print", &[Type::ARRAY], Type::Nothing),
    // What it notes is for OPA's own tracer; here `print` is heard.
    function("trace", &[Type::String], Type::Boolean, |_, a| {
        operand::string(a, 1).map(|_| Some(Value::Bool(true)))
    }),
    function("internal.template_string", &[Type::ARRAY], Type::String, template_string),
    Builtin { body: Body::Refused(ABOUT_RULES), ..machine("rego.metadata.chain", &[], Type::ARRAY) },
    Builtin { body: Body::Refused(ABOUT_RULES), ..machine("rego.metadata.rule", &[], Type::Any) },
];

const fn machine(name: &'static str, arguments: &'static [Type], result: Type) -> Builtin {
    Builtin { name, arguments, result, body: Body::Machine, nondeterministic: false, deprecated: false }
}

/// The parts of a template string, one after the other; an expression is a set, empty if it is undefined.
fn template_string<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let mut text = String::new();
    for part in operand::array(arguments, 1)? {
        let value = match part {
            Value::Set(set) => match set.items() {
                [] => Value::String("<undefined>"),
                [one] => *one,
                _ => {
                    return Err(BuiltinError::Halt(
                        "eval_conflict_error: template-strings must not produce multiple outputs".into(),
                    ));
                }
            },
            other => *other,
        };
        match value {
            Value::String(string) => text.push_str(string),
            other => write_term(&mut text, other),
        }
        call.claim(text.len())?;
    }
    Ok(Some(call.text(&text)))
}
