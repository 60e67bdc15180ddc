//! What differs from evaluation to evaluation, and is the same within one: `time.now_ns`, `rand.intn`,
//! `uuid.rfc4122`. And `uuid.parse`, which does not.

use super::{Builtin, Call, Outcome, Type, function, operand};
use crate::rego::text::write_term;
use crate::value::{Object, Value};

pub(super) const TABLE: &[Builtin] = &[
    nondeterministic("time.now_ns", &[], Type::Number, |call, _| Ok(Some(Value::int(call.now_ns)))),
    nondeterministic("rand.intn", &[Type::String, Type::Number], Type::Number, random),
    nondeterministic("uuid.rfc4122", &[Type::String], Type::String, uuid),
    function("uuid.parse", &[Type::String], Type::RECORD, parse_uuid),
];

const fn nondeterministic(
    name: &'static str,
    arguments: &'static [Type],
    result: Type,
    run: super::Function,
) -> Builtin {
    Builtin { nondeterministic: true, ..function(name, arguments, result, run) }
}

/// Bytes that depend on the evaluation's seed and on a text, and on nothing else.
fn drawn(seed: u64, purpose: &str, text: &str) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_derive_key("wayguard rego chance 2026-11");
    hasher.update(&seed.to_le_bytes());
    hasher.update(purpose.as_bytes());
    hasher.update(&[0]);
    hasher.update(text.as_bytes());
    *hasher.finalize().as_bytes()
}

fn random<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (text, bound) = (operand::string(arguments, 1)?, operand::integer(arguments, 2)?);
    let bound = bound.unsigned_abs();
    if bound == 0 {
        return Ok(Some(Value::int(0)));
    }
    let bytes = drawn(call.seed, &format!("rand.intn {bound}"), text);
    let wide = bytes.iter().take(16).fold(0_u128, |value, byte| value << 8 | u128::from(*byte));
    Ok(Some(Value::int(i64::try_from(wide % u128::from(bound)).unwrap_or(0))))
}

fn uuid<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let mut text = String::new();
    write_term(&mut text, operand::at(arguments, 1));
    let bytes = drawn(call.seed, "uuid.rfc4122", &text);
    let mut value = bytes.iter().take(16).fold(0_u128, |value, byte| value << 8 | u128::from(*byte));
    // Version 4, variant of RFC 4122.
    value = value & !(0xf << 76) | 4 << 76;
    value = value & !(3 << 62) | 2 << 62;
    let hex = format!("{value:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    let uuid = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
    Ok(Some(call.text(&uuid)))
}

/// The forms that are read: with dashes, as a URN, in braces, or digits only.
fn uuid_value(text: &str) -> Option<u128> {
    let digits = match text.len() {
        36 => text,
        45 if text.get(..9)?.eq_ignore_ascii_case("urn:uuid:") => text.get(9..)?,
        // What encloses it is not looked at.
        38 => text.get(1..37)?,
        32 => {
            return text
                .bytes()
                .all(|b| b.is_ascii_hexdigit())
                .then(|| u128::from_str_radix(text, 16).ok())?;
        }
        _ => return None,
    };
    let dashes = [8, 13, 18, 23].iter().all(|at| digits.as_bytes().get(*at) == Some(&b'-'));
    let plain = digits.replace('-', "");
    let valid = dashes && plain.len() == 32 && plain.bytes().all(|digit| digit.is_ascii_hexdigit());
    valid.then(|| u128::from_str_radix(&plain, 16).ok())?
}

fn parse_uuid<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let Some(value) = uuid_value(operand::string(arguments, 1)?) else { return Ok(None) };
    let field = |shift: u32, bits: u32| i64::try_from((value >> shift) & ((1 << bits) - 1)).unwrap_or(0);
    let version = field(76, 4);
    let variant = match field(61, 3) {
        0..=3 => "Reserved",
        4 | 5 => "RFC4122",
        6 => "Microsoft",
        _ => "Future",
    };
    let mut members = vec![("version", Value::int(version)), ("variant", Value::String(variant))];
    if matches!(version, 1 | 2) {
        // 100 ns since 15 October 1582.
        let ticks = field(96, 32) | field(80, 16) << 32 | field(64, 12) << 48;
        let since_1970 = ticks.wrapping_sub(122_192_928_000_000_000);
        let (seconds, rest) = (since_1970 / 10_000_000, since_1970 % 10_000_000);
        let nanoseconds = seconds.wrapping_mul(1_000_000_000).wrapping_add(rest * 100);
        let node: Vec<String> = (0..6).rev().map(|at| format!("{:02x}", field(at * 8, 8))).collect();
        let scope = match field(40, 2) {
            3 => "local:multicast",
            1 => "global:multicast",
            2 => "local:unicast",
            _ => "global:unicast",
        };
        members.push(("time", Value::int(nanoseconds)));
        members.push(("nodeid", call.text(&node.join("-"))));
        members.push(("macvariables", Value::String(scope)));
        members.push(("clocksequence", Value::int(field(48, 14))));
        if version == 2 {
            let domain = match field(48, 8) {
                0 => "Person".to_owned(),
                1 => "Group".to_owned(),
                2 => "Org".to_owned(),
                other => format!("Domain{other}"),
            };
            members.push(("id", Value::int(field(96, 32))));
            members.push(("domain", call.text(&domain)));
        }
    }
    Ok(Some(Value::Object(Object::new(&call.arena, members))))
}
