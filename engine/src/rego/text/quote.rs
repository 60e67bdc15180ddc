//! Go's quoting of strings and characters (`strconv.Quote` and its like).

use crate::value::bytes::stands_for;
use std::fmt::Write;
use std::sync::LazyLock;

/// Letters, marks, numbers, punctuation and symbols: what Go prints as it is. (The space is the one more, and
/// is met before.)
static PRINTABLE: LazyLock<Option<regex::Regex>> =
    LazyLock::new(|| regex::Regex::new(r"^[\p{L}\p{M}\p{N}\p{P}\p{S}]$").ok());

/// Whether Go prints a character as it is.
pub(in crate::rego) fn is_print(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\u{a0}' | '\u{ad}' => false,
        _ => {
            PRINTABLE.as_ref().is_some_and(|printable| printable.is_match(character.encode_utf8(&mut [0; 4])))
        }
    }
}

/// Writes a string in double quotes.
pub(in crate::rego) fn write_quoted(out: &mut String, text: &str, ascii_only: bool) {
    out.push('"');
    if text.bytes().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~')) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        let usual = matches!(character, ' ' | '!' | '#'..='[' | ']'..='~');
        if usual || (!character.is_ascii() && !ascii_only && is_print(character)) {
            continue;
        }
        out.push_str(text.get(plain..at).unwrap_or_default());
        write_escaped(out, character, '"', ascii_only);
        plain = at + character.len_utf8();
    }
    out.push_str(text.get(plain..).unwrap_or_default());
    out.push('"');
}

/// Writes a character in single quotes.
pub(super) fn write_quoted_character(out: &mut String, character: char, ascii_only: bool) {
    out.push('\'');
    write_escaped(out, character, '\'', ascii_only);
    out.push('\'');
}

fn write_escaped(out: &mut String, character: char, quote: char, ascii_only: bool) {
    match character {
        '\\' => out.push_str("\\\\"),
        _ if stands_for(character).is_some() => {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\x{:02x}", stands_for(character).unwrap_or_default());
        }
        _ if character == quote => {
            out.push('\\');
            out.push(quote);
        }
        _ if (!ascii_only || character.is_ascii()) && is_print(character) => out.push(character),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{b}' => out.push_str("\\v"),
        _ => {
            let code = u32::from(character);
            let _ = match code {
                0..0x20 | 0x7f => write!(out, "\\x{code:02x}"),
                0..0x10000 => write!(out, "\\u{code:04x}"),
                _ => write!(out, "\\U{code:08x}"),
            };
        }
    }
}

/// Whether Go would put a string between backquotes unchanged.
pub(super) fn can_backquote(text: &str) -> bool {
    text.chars().all(|character| match character {
        '\t' => true,
        '\u{feff}' | '`' | '\u{7f}' => false,
        _ => character >= ' ',
    })
}
