//! `external_data`: what a provider of Gatekeeper's says of keys. Nobody is asked from here: answers lie in the facts of
//! the request, and what is not there is named, so that the host asks before the next attempt.

use super::{Body, Builtin, BuiltinError, Call, Outcome, Type};
use crate::facts::{Fact, FactKey};
use crate::gatekeeper::external::Answer;
use crate::value::Value;

/// The function's name.
pub(in crate::rego) const NAME: &str = "external_data";

/// Why policies other than templates are refused.
pub(in crate::rego) const ONLY_TEMPLATES: &str =
    "only templates of Gatekeeper ask providers; a native policy names what it needs in `custom.facts`";

pub(super) const TABLE: &[Builtin] = &[Builtin {
    name: NAME,
    arguments: &[Type::Any],
    result: Type::Any,
    body: Body::Function(external_data),
    nondeterministic: true,
    deprecated: false,
}];

fn external_data<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (provider, keys) = request(super::operand::at(arguments, 1))?;
    let Some(facts) = call.facts else { return Err(BuiltinError::Halt(ONLY_TEMPLATES.into())) };
    let told = |answer: &Answer| {
        let document = answer.document();
        document.value().get("answer").map(|value| value.copy_into(&call.arena))
    };
    if keys.is_empty() {
        // Nothing is asked then, not even whether there is such a provider.
        return Ok(told(&Answer::nothing()));
    }
    let key = FactKey::External { provider, keys };
    match facts.get(&key) {
        Some(Fact::Known(document)) => Ok(document.value().get("answer")),
        Some(Fact::Unavailable(reason)) => Ok(told(&Answer::failed(Answer::NOT_REACHED, reason))),
        Some(Fact::Absent) => Ok(told(&Answer::failed(Answer::UNKNOWN, "there is no such provider"))),
        Some(Fact::OutOfReach(reason)) => Err(BuiltinError::OutOfReach(reason.clone())),
        None => Err(BuiltinError::Wanting(Box::new(key))),
    }
}

/// `{"provider", "keys"}` as Go reads it into a struct: names in any case, what is absent or `null` is empty, others are
/// ignored; a set is no list.
fn request(value: Value<'_>) -> Result<(String, Vec<String>), BuiltinError> {
    let wrong = |what: &'static str| BuiltinError::operand(1, what);
    let (mut provider, mut keys) = (String::new(), Vec::new());
    let members = match value {
        Value::Null => return Ok((provider, keys)),
        Value::Object(object) => object,
        _ => return Err(wrong("must be an object with `provider` and `keys`")),
    };
    let text = |value: Value<'_>, what| match value {
        Value::String(text) => Ok(text.to_owned()),
        Value::Null => Ok(String::new()),
        _ => Err(wrong(what)),
    };
    for (name, value) in members.iter() {
        if name.eq_ignore_ascii_case("provider") && !value.is_null() {
            provider = text(value, "must have a string `provider`")?;
        } else if name.eq_ignore_ascii_case("keys") {
            keys = match value {
                Value::Null => Vec::new(),
                Value::Array(items) => {
                    let each = items.iter().map(|item| text(*item, "must have strings as `keys`"));
                    each.collect::<Result<_, _>>()?
                }
                _ => return Err(wrong("must have an array `keys`")),
            };
        }
    }
    Ok((provider, keys))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::parse_json;
    use bumpalo::Bump;

    fn read(json: &str) -> Result<(String, Vec<String>), String> {
        let bump = Bump::new();
        request(parse_json(&&bump, bump.alloc_str(json).as_bytes()).unwrap())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_request_is_read_as_go_reads_it() {
        let both = Ok(("p".to_owned(), vec!["a".to_owned(), String::new(), "a".to_owned()]));
        assert_eq!(read(r#"{"provider":"p","keys":["a",null,"a"]}"#), both);
        assert_eq!(read(r#"{"Provider":"p","KEYS":["a",null,"a"],"more":1}"#), both);
        assert_eq!(read("null"), Ok((String::new(), Vec::new())));
        assert_eq!(read(r#"{"provider":"p","keys":null}"#), Ok(("p".to_owned(), Vec::new())));
        for (wrong, why) in [
            ("[]", "operand 1 must be an object with `provider` and `keys`"),
            (r#"{"provider":1}"#, "operand 1 must have a string `provider`"),
            (r#"{"provider":"p","keys":"a"}"#, "operand 1 must have an array `keys`"),
            (r#"{"provider":"p","keys":[1]}"#, "operand 1 must have strings as `keys`"),
        ] {
            assert_eq!(read(wrong).unwrap_err(), why);
        }
    }
}
