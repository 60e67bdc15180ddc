//! `yaml.marshal`: YAML as go-yaml v3 lays it out on OPA's behalf: blocks, indented by two, keys in their natural
//! order, strings plain where they would be read back as strings.

use super::yaml::{number_text, reads_as_string};
use super::{Builtin, BuiltinError, Call, Outcome, Type, function, json_schema, operand};
use crate::value::Value;

pub(super) const TABLE: &[Builtin] = &[function("yaml.marshal", &[Type::Any], Type::String, marshal)];

/// Longer keys are written with a `?`.
const MAX_SIMPLE_KEY: usize = 128;

/// Longer keys cannot be read back, by the reader that OPA sends them through.
const MAX_KEY: usize = 1000;

fn marshal<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let value = json_schema::as_json(call, operand::at(arguments, 1), 0)?;
    let mut writer = Writer { call, out: String::new() };
    writer.node(value, 0, true)?;
    let text = writer.out;
    Ok(Some(call.text(&text)))
}

struct Writer<'l, 'a, 'c> {
    call: &'l mut Call<'a, 'c>,
    out: String,
}

impl<'a> Writer<'_, 'a, '_> {
    fn indent(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    /// A node where the line has begun already; `column` is where its own lines begin. Ends the line.
    fn node(&mut self, value: Value<'a>, column: usize, at_root: bool) -> Result<(), BuiltinError> {
        self.call.spend(3)?;
        let before = self.out.len();
        match value {
            Value::Array(items) if !items.is_empty() => {
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.indent(column);
                    }
                    self.out.push_str("- ");
                    self.node(*item, column + 2, false)?;
                }
            }
            Value::Object(object) if !object.is_empty() => {
                let members: Vec<_> = object.iter().collect();
                for (at, (key, value)) in self.sorted(members)?.into_iter().enumerate() {
                    if at > 0 {
                        self.indent(column);
                    }
                    self.member(key, value, column)?;
                }
            }
            scalar => {
                let text = self.scalar(scalar, if at_root { 2 } else { column }, false)?;
                self.out.push_str(&text);
                if !text.ends_with('\n') {
                    self.out.push('\n');
                }
            }
        }
        self.call.spend((self.out.len() - before) / 64)?;
        self.call.claim(self.out.len() * 2)
    }

    fn member(&mut self, key: &str, value: Value<'a>, column: usize) -> Result<(), BuiltinError> {
        if key.len() > MAX_KEY {
            let words = "yaml.marshal: keys of more than 1000 bytes are not written here";
            return Err(BuiltinError::Halt(words.into()));
        }
        let has_lines = key.contains(is_break);
        if has_lines || key.len() > MAX_SIMPLE_KEY {
            self.out.push_str("? ");
            let text = self.string(key, column + 2, false)?;
            self.out.push_str(&text);
            if !text.ends_with('\n') {
                self.out.push('\n');
            }
            self.indent(column);
            self.out.push_str(": ");
            return self.node(value, column + 2, false);
        }
        let key = self.string(key, column, true)?;
        self.out.push_str(&key);
        self.out.push(':');
        let is_block = match value {
            Value::Array(items) => !items.is_empty(),
            Value::Object(object) => !object.is_empty(),
            _ => false,
        };
        if is_block {
            self.out.push('\n');
            self.indent(column + 2);
        } else {
            self.out.push(' ');
        }
        self.node(value, column + 2, false)
    }

    fn scalar(&mut self, value: Value<'a>, column: usize, is_key: bool) -> Result<String, BuiltinError> {
        Ok(match value {
            Value::Null => "null".to_owned(),
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => number_text(&number.to_string()),
            Value::String(text) => return self.string(text, column, is_key),
            Value::Array(_) => "[]".to_owned(),
            _ => "{}".to_owned(),
        })
    }

    fn string(&mut self, text: &str, column: usize, is_key: bool) -> Result<String, BuiltinError> {
        self.call.spend(1 + text.len() / 8)?;
        let shown = Value::String(text).to_serde();
        let text = shown.as_str().unwrap_or_default();
        if text.contains('\u{85}') {
            // The reader that OPA sends it through takes it for the end of a line.
            return Err(BuiltinError::Halt("yaml.marshal: text with U+0085 is not written here".into()));
        }
        if text.chars().any(is_refused) {
            return Err(BuiltinError::failed("yaml: control characters are not allowed"));
        }
        let allowed = Allowed::of(text);
        if text.contains('\n') {
            return Ok(if is_key || !allowed.block { double_quoted(text) } else { literal(text, column) });
        }
        let plain = reads_as_string(text) && !is_old_bool(text) && !is_base_sixty(text);
        Ok(if !plain {
            double_quoted(text)
        } else if allowed.plain && !(is_key && text.is_empty()) {
            text.to_owned()
        } else if allowed.single {
            format!("'{}'", text.replace('\'', "''"))
        } else {
            double_quoted(text)
        })
    }

    /// Members in the natural order of their keys. (The order is Go's, and not one that sorting may rely on.)
    fn sorted(
        &mut self,
        members: Vec<(&'a str, Value<'a>)>,
    ) -> Result<Vec<(&'a str, Value<'a>)>, BuiltinError> {
        if members.len() < 2 {
            return Ok(members);
        }
        let mut left = members;
        let right = left.split_off(left.len() / 2);
        let (left, right) = (self.sorted(left)?, self.sorted(right)?);
        self.call.spend(left.len() + right.len())?;
        let mut merged = Vec::with_capacity(left.len() + right.len());
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        while let (Some((one, _)), Some((other, _))) = (left.peek(), right.peek()) {
            merged.extend(if is_before(other, one) { right.next() } else { left.next() });
        }
        merged.extend(left);
        merged.extend(right);
        Ok(merged)
    }
}

/// Whether a key comes before another: digits as numbers, letters behind what is neither.
fn is_before(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let is_digit = char::is_ascii_digit;
    let Some(at) = one.iter().zip(&other).position(|(one, other)| one != other) else {
        return one.len() < other.len();
    };
    let (Some(a), Some(b)) = (one.get(at), other.get(at)) else { return false };
    let same = one.get(..at).unwrap_or_default();
    let digits = same.last().is_some_and(is_digit);
    match (a.is_alphabetic(), b.is_alphabetic()) {
        (true, true) => return a < b,
        (a_is_letter, b_is_letter) if a_is_letter || b_is_letter => {
            return if digits { a_is_letter } else { b_is_letter };
        }
        _ => {}
    }
    // What stands before a zero makes it count.
    let counts = (*a == '0' || *b == '0')
        && same.iter().rev().take_while(|character| is_digit(character)).any(|digit| *digit != '0');
    let number = |text: &[char]| {
        let digits: Vec<char> = text.iter().skip(at).copied().take_while(is_digit).collect();
        let value = digits.iter().fold(i64::from(counts), |value, digit| {
            value.wrapping_mul(10).wrapping_add(i64::from(digit.to_digit(10).unwrap_or_default()))
        });
        (value, digits.len())
    };
    let (ours, theirs) = (number(&one), number(&other));
    if ours == theirs { a < b } else { ours < theirs }
}

fn is_break(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What no YAML may hold, even in quotes; JSON escapes what is below the space.
fn is_refused(character: char) -> bool {
    matches!(character, '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// What is written as it is.
fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && character != '\u{feff}'
}

/// The styles that a text may have in a block.
struct Allowed {
    plain: bool,
    single: bool,
    block: bool,
}

impl Allowed {
    fn of(text: &str) -> Self {
        if text.is_empty() {
            return Self { plain: true, single: true, block: false };
        }
        let characters: Vec<char> = text.chars().collect();
        let at = |place: usize| characters.get(place).copied();
        let is_blank =
            |character: Option<char>| character.is_none_or(|character| matches!(character, ' ' | '\t'));
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut special, mut tabs, mut breaks) = (false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        for (place, character) in characters.iter().copied().enumerate() {
            let before = place.checked_sub(1).and_then(at);
            let blank_behind = is_blank(at(place + 1));
            indicators |= match (place, character) {
                (
                    0,
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
                    | '`',
                ) => true,
                (0, '?' | ':' | '-') | (_, ':') => blank_behind,
                (_, '#') => before.is_some_and(|before| matches!(before, ' ' | '\t') || is_break(before)),
                _ => false,
            };
            if character == '\t' {
                tabs = true;
            } else if !is_printable(character) {
                special = true;
            }
            breaks |= is_break(character);
            break_space |= character == ' ' && before.is_some_and(is_break);
            space_break |= is_break(character) && before == Some(' ');
        }
        let edge = |character: Option<char>| {
            character.is_some_and(|character| character == ' ' || is_break(character))
        };
        let trailing_space = at(characters.len() - 1) == Some(' ');
        let edges = edge(at(0)) || edge(at(characters.len() - 1));
        let single = !(break_space || space_break || tabs || special);
        Self {
            plain: single && !(edges || breaks || indicators),
            single,
            block: !(trailing_space || space_break || special),
        }
    }
}

/// `|`, what the end is like, and the lines.
fn literal(text: &str, column: usize) -> String {
    let mut out = String::from("|");
    if text.starts_with(|first: char| first == ' ' || is_break(first)) {
        out.push('2');
    }
    let trimmed = text.strip_suffix(is_break);
    out.push_str(match trimmed {
        None => "-",
        Some(before) if before.is_empty() || before.ends_with(is_break) => "+",
        Some(_) => "",
    });
    out.push('\n');
    let lines: Vec<&str> = trimmed.unwrap_or(text).split('\n').collect();
    for line in lines {
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', column));
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        if is_printable(character) && !is_break(character) && !matches!(character, '"' | '\\') {
            out.push(character);
            continue;
        }
        match character {
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            _ => {
                let code = u32::from(character);
                out.push_str(&match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                });
            }
        }
    }
    out.push('"');
    out
}

/// Words that YAML 1.1 takes for booleans.
fn is_old_bool(text: &str) -> bool {
    matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}

/// Numbers to the base of sixty, of YAML 1.1: `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base_sixty(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    let Some((last, middle)) = rest.split_last() else { return false };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    let is_place = |text: &str| match text.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [b'0'..=b'5', digit] => digit.is_ascii_digit(),
        _ => false,
    };
    first.starts_with(|first: char| first.is_ascii_digit())
        && is_digits(first)
        && middle.iter().all(|part| is_place(part))
        && is_place(last)
        && is_digits(fraction)
}

#[cfg(test)]
mod tests {
    use crate::rego::builtins::probe::answer;

    fn written(value: &str) -> String {
        let given = answer("yaml.marshal", &format!("[{value}]"));
        let text = given.strip_prefix("OK ").unwrap_or(&given).to_owned();
        serde_json::from_str(&text).unwrap_or(text)
    }

    #[test]
    fn values_are_laid_out() {
        for (value, expected) in [
            (
                r#"{"b": [1, {"c": null, "d": []}], "a": {"x": true}, "a10": 1.50, "a9": "s"}"#,
                "a:\n  x: true\na9: s\na10: 1.5\nb:\n  - 1\n  - c: null\n    d: []\n",
            ),
            (
                r##"[[1, 2], {}, "", "yes", "1", "a: b", "- x", " s", "#c", "1:20"]"##,
                "- - 1\n  - 2\n- {}\n- \"\"\n- \"yes\"\n- \"1\"\n- 'a: b'\n- '- x'\n- ' s'\n- '#c'\n- \"1:20\"\n",
            ),
            (
                r#"{"t": "a\nb", "u": "a\n", "v": " a\nb\n\n", "w": "a \nb"}"#,
                "t: |-\n  a\n  b\nu: |\n  a\nv: |2+\n   a\n  b\n\nw: \"a \\nb\"\n",
            ),
            (r#""😀\t""#, "\"\\U0001F600\\t\"\n"),
        ] {
            assert_eq!(written(value), expected, "{value}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_an_error() {
        assert!(written("\"\u{7f}\"").starts_with("ERR eval_builtin_error: yaml.marshal: yaml: control"));
        assert!(written("\"\u{85}\"").starts_with("HALT yaml.marshal: text with U+0085"));
    }
}
