//! JSON bytes to value, once: strict RFC 8259, strings borrowed where they hold no escape, depth capped.

use super::{Arena, Number, Object, Value};

/// The deepest nesting that is read. Kubernetes objects stay under 40 levels; the cap keeps every recursive
/// walk of the engine within a thread's stack.
pub const MAX_DEPTH: usize = 256;

/// Why bytes are not one JSON value.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{problem} at line {line}, column {column}")]
pub struct JsonError {
    /// What is wrong there.
    pub problem: &'static str,
    /// 1-based line.
    pub line: usize,
    /// 1-based column, in bytes.
    pub column: usize,
}

/// Parses one JSON value; trailing white space is allowed, anything else after it is an error.
///
/// # Errors
/// Malformed JSON, invalid UTF-8, an unpaired surrogate escape, or nesting beyond [`MAX_DEPTH`].
pub fn parse_json<'a>(arena: &impl Arena<'a>, bytes: &'a [u8]) -> Result<Value<'a>, JsonError> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| locate(bytes, error.valid_up_to(), "invalid UTF-8"))?;
    let mut parser = Parser { text, bytes, at: 0, arena, scratch: Vec::new(), pool: Vec::new() };
    let outcome = parser.value(0).and_then(|value| {
        parser.skip_space();
        if parser.at == bytes.len() { Ok(value) } else { Err("unexpected text after the value") }
    });
    outcome.map_err(|problem| locate(bytes, parser.at, problem))
}

fn locate(bytes: &[u8], at: usize, problem: &'static str) -> JsonError {
    let before = bytes.get(..at.min(bytes.len())).unwrap_or_default();
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    JsonError {
        problem,
        line: before.split(|byte| *byte == b'\n').count(),
        column: before.len() - line_start + 1,
    }
}

struct Parser<'a, 'p, A> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    arena: &'p A,
    scratch: Vec<Value<'a>>,
    pool: Vec<(&'a str, Value<'a>)>,
}

type Parsed<T> = Result<T, &'static str>;

impl<'a, A: Arena<'a>> Parser<'a, '_, A> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn expect_word(&mut self, word: &str, value: Value<'a>) -> Parsed<Value<'a>> {
        if self.text.get(self.at..self.at + word.len()) == Some(word) {
            self.at += word.len();
            Ok(value)
        } else {
            Err("expected `true`, `false` or `null`")
        }
    }

    fn value(&mut self, depth: usize) -> Parsed<Value<'a>> {
        if depth > MAX_DEPTH {
            return Err("nested too deeply");
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::String),
            Some(b't') => self.expect_word("true", Value::Bool(true)),
            Some(b'f') => self.expect_word("false", Value::Bool(false)),
            Some(b'n') => self.expect_word("null", Value::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err("expected a value"),
            None => Err("unexpected end"),
        }
    }

    fn array(&mut self, depth: usize) -> Parsed<Value<'a>> {
        self.at += 1;
        let start = self.scratch.len();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(&[]));
        }
        loop {
            let item = self.value(depth + 1)?;
            self.scratch.push(item);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    let items = self.arena.array(self.scratch.get(start..).unwrap_or_default());
                    self.scratch.truncate(start);
                    return Ok(Value::Array(items));
                }
                Some(_) => return Err("expected `,` or `]`"),
                None => return Err("unexpected end of an array"),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Parsed<Value<'a>> {
        self.at += 1;
        let start = self.pool.len();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::EMPTY);
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err("expected a quoted key");
            }
            let key = self.string()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err("expected `:`");
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            self.pool.push((key, value));
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    let members = self.pool.split_off(start);
                    return Ok(Value::Object(Object::new(self.arena, members)));
                }
                Some(_) => return Err("expected `,` or `}`"),
                None => return Err("unexpected end of an object"),
            }
        }
    }

    fn number(&mut self) -> Parsed<Value<'a>> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err("expected a digit"),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        let token = self.text.get(start..self.at).ok_or("expected a number")?;
        // The largest integers of real objects have 19 digits; a megabyte of digits is an attack.
        if token.len() > 400 {
            return Err("number too long");
        }
        Ok(Value::Number(Number::from_token(token)))
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Parsed<()> {
        let start = self.at;
        self.digits();
        if self.at > start { Ok(()) } else { Err("expected a digit") }
    }

    fn string(&mut self) -> Parsed<&'a str> {
        self.at += 1;
        let start = self.at;
        self.skip_plain();
        match self.peek() {
            Some(b'"') => {
                let text = self.text.get(start..self.at).ok_or("broken string")?;
                self.at += 1;
                Ok(text)
            }
            Some(b'\\') => self.escaped_string(start),
            Some(_) => Err("control character in a string"),
            None => Err("unexpected end of a string"),
        }
    }

    /// Goes to the next byte that ends or escapes a string, or may not be in one.
    fn skip_plain(&mut self) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        self.at += plain.unwrap_or(rest.len());
    }

    fn escaped_string(&mut self, start: usize) -> Parsed<&'a str> {
        let mut buffer = String::with_capacity(64);
        let mut plain = start;
        loop {
            self.skip_plain();
            match self.peek() {
                Some(b'"') => {
                    buffer.push_str(self.text.get(plain..self.at).ok_or("broken string")?);
                    self.at += 1;
                    return Ok(self.arena.text(&buffer));
                }
                Some(b'\\') => {
                    buffer.push_str(self.text.get(plain..self.at).ok_or("broken string")?);
                    self.at += 1;
                    self.escape(&mut buffer)?;
                    plain = self.at;
                }
                Some(_) => return Err("control character in a string"),
                None => return Err("unexpected end of a string"),
            }
        }
    }

    fn escape(&mut self, buffer: &mut String) -> Parsed<()> {
        let escaped = match self.peek() {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                buffer.push(self.unicode_escape()?);
                return Ok(());
            }
            _ => return Err("unknown escape"),
        };
        self.at += 1;
        buffer.push(escaped);
        Ok(())
    }

    fn unicode_escape(&mut self) -> Parsed<char> {
        let high = self.hex4()?;
        if let Some(character) = char::from_u32(high) {
            return Ok(character);
        }
        if (0xd800..0xdc00).contains(&high) && self.text.get(self.at..self.at + 2) == Some("\\u") {
            self.at += 2;
            let low = self.hex4()?;
            if (0xdc00..0xe000).contains(&low) {
                let combined = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return char::from_u32(combined).ok_or("unpaired surrogate");
            }
        }
        Err("unpaired surrogate")
    }

    fn hex4(&mut self) -> Parsed<u32> {
        let digits = self.text.get(self.at..self.at + 4).ok_or("expected four hex digits")?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("expected four hex digits");
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| "expected four hex digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bumpalo::Bump;

    fn problem(text: &[u8]) -> &'static str {
        parse_json(&&Bump::new(), text).map(|_| ()).expect_err("must not parse").problem
    }

    #[test]
    fn reads_what_the_api_server_writes() {
        let bump = Bump::new();
        let value =
            parse_json(&&bump, br#" {"b":[1,2.50,-0,1e3],"a":"\u003cx\ud83d\ude00","a":null} "#).unwrap();
        assert_eq!(value.to_string(), r#"{"a":null,"b":[1,2.50,-0,1e3]}"#);
        let value = parse_json(&&bump, br#""\u003cx\ud83d\ude00""#).unwrap();
        assert_eq!(value, Value::String("<x😀"));
    }

    #[test]
    fn names_the_problem_and_the_place() {
        assert_eq!(
            parse_json(&&Bump::new(), b"{\n  \"a\": tru\n}"),
            Err(JsonError { problem: "expected `true`, `false` or `null`", line: 2, column: 8 })
        );
        assert_eq!(problem(b"{} x"), "unexpected text after the value");
        assert_eq!(problem(b"[1,]"), "expected a value");
        assert_eq!(problem(b"NaN"), "expected a value");
        assert_eq!(problem(b"01"), "unexpected text after the value");
        assert_eq!(problem(b"\"\\ud800\""), "unpaired surrogate");
        assert_eq!(problem(b"\"\\u+123\""), "expected four hex digits");
        assert_eq!(problem(b"\"a\nb\""), "control character in a string");
        assert_eq!(problem(b"\"\xff\""), "invalid UTF-8");
        assert_eq!(problem(b""), "unexpected end");
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_crash() {
        assert_eq!(problem("[".repeat(100_000).as_bytes()), "nested too deeply");
        assert_eq!(problem("{\"a\":".repeat(100_000).as_bytes()), "nested too deeply");
    }
}
