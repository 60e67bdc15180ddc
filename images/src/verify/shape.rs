//! The shape of a JSON text before it is parsed: how deep and of how many values, so that a few megabytes from a
//! registry cannot become hundreds in memory.

use crate::verify::Reason;

/// Refuses a text with more values or deeper nesting. It need not be valid JSON; the parser says so afterwards.
pub(super) fn check(text: &[u8], values: usize, depth: usize) -> Result<(), Reason> {
    let (mut found, mut open, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
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
            b',' | b':' => found += 1,
            b'{' | b'[' => {
                found += 1;
                open += 1;
                if open > depth {
                    return Err(Reason::TooComplex("nested too deeply"));
                }
            }
            b'}' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    if found > values { Err(Reason::TooComplex("of too many values")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_values_are_counted_outside_of_texts() {
        assert_eq!(check(br#"{"a":["[[[[,,,,\"[[[["]}"#, 3, 2), Ok(()));
        assert_eq!(check(b"[[[]]]", 9, 2), Err(Reason::TooComplex("nested too deeply")));
        assert_eq!(check(b"[0,0,0]", 2, 9), Err(Reason::TooComplex("of too many values")));
        assert_eq!(check(b"]]][", 9, 1), Ok(()));
    }
}
