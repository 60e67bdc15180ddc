//! Text that is not UTF-8. Rego's strings can hold any bytes (`base64.decode` of a key, half a character cut
//! off); ours are UTF-8. A byte that is no text is kept as one of 128 private characters, U+10FF80 to U+10FFFF,
//! so that hashing or encoding the string again sees the byte, and counting and splitting see one character, as
//! in Go. Writing it as JSON gives U+FFFD, as in Go.

use std::borrow::Cow;

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
    if !text.as_bytes().contains(&0xf4) || !text.chars().any(|character| stands_for(character).is_some()) {
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

#[cfg(test)]
mod tests {
    use super::{bytes_of, text_from};

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
