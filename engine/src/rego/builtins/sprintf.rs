//! `sprintf`.

use super::{Builtin, BuiltinError, Call, Limit, Outcome, Type, function, operand};
use crate::rego::text::Format;
use crate::value::Value;
use crate::value::bytes::{bytes_of, is_broken, text_from};

pub(super) const TABLE: &[Builtin] =
    &[function("sprintf", &[Type::String, Type::ARRAY], Type::String, sprintf)];

/// Longer results are refused: a width of millions, repeated, is no message.
const MAX_LENGTH: usize = 64 << 20;

fn sprintf<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let format = operand::string(arguments, 1)?;
    let values = operand::array(arguments, 2)?;
    let format = call.caches.format(format);
    write(call, &format, values).map(Some)
}

/// `sprintf` with a format that was read before (a constant one, at load).
pub(in crate::rego) fn write<'a>(
    call: &mut Call<'a, '_>,
    format: &Format,
    values: &[Value<'a>],
) -> Result<Value<'a>, BuiltinError> {
    let mut text = std::mem::take(&mut call.caches.scratch);
    text.clear();
    format.write(&mut text, values);
    if is_broken(&text) {
        // Bytes that are no text by themselves may be a character together.
        text = text_from(&bytes_of(&text)).into_owned();
    }
    let result = if text.len() > MAX_LENGTH {
        Err(BuiltinError::Limit(Limit::Memory))
    } else {
        call.spend(text.len() / 64).and_then(|()| call.claim(text.len())).map(|()| call.text(&text))
    };
    if text.capacity() <= 1 << 16 {
        call.caches.scratch = text;
    }
    result
}
