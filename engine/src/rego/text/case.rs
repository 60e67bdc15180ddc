//! Upper and lower case as Go maps them: each character by itself, to one character; a byte that is no text becomes
//! U+FFFD.

use crate::value::bytes::rune;

/// Each character in lower case.
pub(in crate::rego) fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // The one character whose lower case is longer is the dotted capital I.
    text.chars()
        .map(rune)
        .map(|character| if character == 'İ' { 'i' } else { single(character, character.to_lowercase()) })
        .collect()
}

/// Each character in upper case.
pub(in crate::rego) fn upper(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_uppercase();
    }
    text.chars().map(rune).map(upper_character).collect()
}

fn upper_character(character: char) -> char {
    match character {
        // Greek with iota below: Unicode's simple mapping is the title case.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
            char::from_u32(u32::from(character) + 8).unwrap_or(character)
        }
        '\u{1fb3}' => '\u{1fbc}',
        '\u{1fc3}' => '\u{1fcc}',
        '\u{1ff3}' => '\u{1ffc}',
        _ => single(character, character.to_uppercase()),
    }
}

/// The mapping if it is one character, else the character itself.
fn single(character: char, mut mapped: impl ExactSizeIterator<Item = char>) -> char {
    if mapped.len() == 1 { mapped.next().unwrap_or(character) } else { character }
}
