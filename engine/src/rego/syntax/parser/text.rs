//! What the escapes in strings stand for: those of JSON, read as Go reads them.

/// The text between the quotes of a string; the offending escape if there is one.
pub(super) fn unescape(inner: &str) -> Result<String, &'static str> {
    if !inner.contains('\\') {
        return Ok(inner.to_owned());
    }
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c < ' ' {
            // OPA allows a tab in a string, unless the string has escapes too.
            return Err("a string with escapes must not hold control characters, write `\\t` for a tab");
        }
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let first = four_digits(&mut chars)?;
                text.push(unit(first, &mut chars)?);
            }
            Some(other) => text.push(other),
            None => return Err("a backslash at the end"),
        }
    }
    Ok(text)
}

/// A character from a UTF-16 unit and, if it is the first half of a pair, the next; a half alone is U+FFFD.
fn unit(first: u32, chars: &mut std::str::Chars<'_>) -> Result<char, &'static str> {
    if let Some(c) = char::from_u32(first) {
        return Ok(c);
    }
    let ahead = chars.as_str();
    if first < 0xdc00 && ahead.starts_with("\\u") {
        let mut after = ahead.get(2..).unwrap_or_default().chars();
        let second = four_digits(&mut after)?;
        if (0xdc00..0xe000).contains(&second) {
            *chars = after;
            let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
    }
    Ok(char::REPLACEMENT_CHARACTER)
}

fn four_digits(chars: &mut std::str::Chars<'_>) -> Result<u32, &'static str> {
    let mut code = 0;
    for _ in 0..4 {
        let digit = chars.next().and_then(|c| c.to_digit(16));
        code = code * 16 + digit.ok_or("`\\u` needs four hexadecimal digits")?;
    }
    Ok(code)
}

/// The text of a piece of a template string, where `\{` is a brace.
pub(super) fn unescape_braces(inner: &str) -> String {
    inner.replace("\\{", "{")
}

/// A piece of a template string between quotes: braces first, then the escapes of JSON, as OPA does.
pub(super) fn unescape_template(inner: &str) -> Result<String, &'static str> {
    // `\\{` is an escaped backslash before an expression, so pairs are stepped over.
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match (c, chars.as_str().chars().next()) {
            ('\\', Some('{')) => {}
            ('\\', Some(escaped)) => {
                plain.push(c);
                plain.push(escaped);
                chars.next();
            }
            _ => plain.push(c),
        }
    }
    unescape(&plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_json_as_go_reads_them() {
        assert_eq!(unescape(r#"a\n\"\\\/\u0041"#).unwrap(), "a\n\"\\/A");
        assert_eq!(unescape(r"\ud83d\ude00").unwrap(), "😀");
        assert_eq!(unescape(r"\ud83dx").unwrap(), "\u{fffd}x");
        assert_eq!(unescape(r"\ud83d\u0041").unwrap(), "\u{fffd}A");
        assert_eq!(unescape(r"\ude00").unwrap(), "\u{fffd}");
        assert_eq!(unescape("a\tb").unwrap(), "a\tb");
        assert!(unescape("a\tb\\n").is_err());
    }

    #[test]
    fn braces_of_templates_lose_their_backslash() {
        assert_eq!(unescape_template(r"a \{b} \n").unwrap(), "a {b} \n");
        assert_eq!(unescape_braces(r"a \{b} \n"), "a {b} \\n");
    }
}
