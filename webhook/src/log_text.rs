//! Text from outside, made fit for one line of a log: no line breaks, no terminal sequences, no megabytes.

/// The longest name of anything in Kubernetes (a DNS subdomain, RFC 1123) is 253 characters.
pub(crate) const LONGEST_NAME: usize = 253;

/// `text` with control and direction-changing characters escaped, cut after `longest` characters.
pub(crate) fn clean(text: &str, longest: usize) -> String {
    let mut line = String::with_capacity(text.len().min(longest));
    for (count, character) in text.chars().enumerate() {
        if count == longest {
            line.push('…');
            break;
        }
        if misleads(character) { line.extend(character.escape_default()) } else { line.push(character) }
    }
    line
}

/// Controls (C0, C1, DEL), line and paragraph separators, and what reorders or hides text on a terminal.
fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_forge_a_log_line() {
        assert_eq!(clean("web\n2026 INFO admitted", 100), "web\\n2026 INFO admitted");
        assert_eq!(clean("\u{1b}[2Jweb\u{9b}", 100), "\\u{1b}[2Jweb\\u{9b}");
        assert_eq!(clean("a\u{202e}b\u{2028}", 100), "a\\u{202e}b\\u{2028}");
        assert_eq!(clean("grün", 100), "grün");
        assert_eq!(clean(&"x".repeat(1 << 20), 3), "xxx…");
    }
}
