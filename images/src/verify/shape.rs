//! The shape of a JSON text before it is parsed: how deep, and how much memory it would take, so that a few megabytes
//! from a registry cannot become hundreds.

use crate::verify::Reason;

/// What a value takes in a list or an object that has grown.
const VALUE: usize = 64;
/// What an object takes that has a member (a leaf of a B-tree), which is most of them.
const OBJECT: usize = 640;

/// Refuses a text that would take more memory, or is nested deeper. It need not be valid JSON; the parser says so
/// afterwards.
pub(super) fn check(text: &[u8], memory: usize, depth: usize) -> Result<(), Reason> {
    let (mut takes, mut open, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text {
        if in_string {
            (in_string, escaped) = match (escaped, byte) {
                (true, _) => (true, false),
                (false, b'\\') => (true, true),
                (false, b'"') => (false, false),
                (false, _) => (true, false),
            };
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b',' | b':' => takes += VALUE,
            b'{' | b'[' => {
                takes += if *byte == b'{' { OBJECT } else { VALUE };
                open += 1;
                if open > depth {
                    return Err(Reason::TooComplex("nested too deeply"));
                }
            }
            b'}' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
        if takes > memory {
            return Err(Reason::TooComplex("of too many values"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_values_are_counted_outside_of_texts() {
        assert_eq!(check(br#"{"a":["[[[[,,,,\"[[[["]}"#, OBJECT + 2 * VALUE, 2), Ok(()));
        assert_eq!(check(b"[[[]]]", 9 * VALUE, 2), Err(Reason::TooComplex("nested too deeply")));
        assert_eq!(check(b"[0,0,0]", 2 * VALUE, 9), Err(Reason::TooComplex("of too many values")));
        assert_eq!(check(b"{}", VALUE, 9), Err(Reason::TooComplex("of too many values")));
        assert_eq!(check(b"]]][", VALUE, 1), Ok(()));
    }
}
