//! Text that is not UTF-8. Rego's strings can hold any bytes (`base64.decode` of a key, half a character cut
//! off); ours are UTF-8. A byte that is no text is kept as one of 128 private characters, U+10FF80 to U+10FFFF,
//! so that hashing or encoding the string again sees the byte, and counting and splitting see one character, as
//! in Go. Writing it as JSON gives U+FFFD, as in Go.

use std::borrow::Cow;
use std::cmp::Ordering;

const FIRST: u32 = 0x10_ff00;

/// The character that stands for a byte that is no text.
fn stand_in(byte: u8) -> char {
    char::from_u32(FIRST + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte that a character stands for.
pub(crate) fn stands_for(character: char) -> Option<u8> {
    u32::from(character)
        .checked_sub(FIRST)
        .and_then(|byte| u8::try_from(byte).ok())
        .filter(|byte| *byte >= 0x80)
}

/// Text from any bytes.
pub(crate) fn text_from(bytes: &[u8]) -> Cow<'_, str> {
    let mut rest = bytes;
    let mut text = String::new();
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) if text.is_empty() => return Cow::Borrowed(valid),
            Ok(valid) => {
                text.push_str(valid);
                return Cow::Owned(text);
            }
            Err(error) => {
                let (valid, broken) = rest.split_at(error.valid_up_to());
                text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                // One byte at a time, as Go reads what is no character.
                let Some((byte, after)) = broken.split_first() else { return Cow::Owned(text) };
                text.push(stand_in(*byte));
                rest = after;
            }
        }
    }
}

/// The bytes of a text, with those that were no text put back.
pub(crate) fn bytes_of(text: &str) -> Cow<'_, [u8]> {
    if !is_broken(text) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match stands_for(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// Whether a text holds a byte that is no text.
pub(crate) fn is_broken(text: &str) -> bool {
    text.as_bytes().contains(&0xf4) && text.chars().any(|character| stands_for(character).is_some())
}

/// The text with U+FFFD for each byte that is no text: what Go makes of a string that it takes apart into runes and
/// puts together again.
pub(crate) fn as_runes(text: &str) -> Cow<'_, str> {
    if !is_broken(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(rune).collect())
}

/// The character that Go reads: U+FFFD for a byte that is no text.
pub(crate) fn rune(character: char) -> char {
    if stands_for(character).is_some() { char::REPLACEMENT_CHARACTER } else { character }
}

/// Texts by their bytes, as Go orders them.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let order = left.cmp(right);
    let greater = match order {
        Ordering::Equal => return order,
        Ordering::Less => right,
        Ordering::Greater => left,
    };
    // Only a stand-in can be out of place, and it is greater than all text.
    if greater.as_bytes().contains(&0xf4) { bytes_of(left).cmp(&bytes_of(right)) } else { order }
}

#[cfg(test)]
mod tests {
    use super::{as_runes, bytes_of, compare, text_from};

    #[test]
    fn what_is_no_text_stands_where_its_byte_stands() {
        let (broken, long) = (text_from(b"a\xeb"), "a\u{ffff}");
        assert!(compare(&broken, long).is_lt() && compare(long, &broken).is_gt());
        assert!(compare("a\u{10fffe}", &text_from(b"a\xff")).is_lt());
        assert_eq!(as_runes(&broken), "a\u{fffd}");
    }

    #[test]
    fn bytes_come_back_as_they_were() {
        for bytes in
            [&b"plain"[..], b"\xff\xfe\x00a", "é\u{10ffff}".as_bytes().split_at(4).0, b"\xe6\x97", b""]
        {
            let text = text_from(bytes);
            assert_eq!(bytes_of(&text), bytes);
        }
        assert_eq!(text_from(b"a\xffb").chars().count(), 3);
    }
}
