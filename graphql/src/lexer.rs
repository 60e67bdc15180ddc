//! Text to tokens. What is no token is [`Kind::Invalid`]: the parser says what it expected instead.

use crate::problem::{Position, Source};
use std::fmt;

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Invalid,
    End,
    Bang,
    Dollar,
    Ampersand,
    ParenLeft,
    ParenRight,
    Spread,
    Colon,
    Equals,
    At,
    BracketLeft,
    BracketRight,
    BraceLeft,
    BraceRight,
    Pipe,
    Name,
    Int,
    Float,
    String,
    BlockString,
    Comment,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Kind::Invalid => "<Invalid>",
            Kind::End => "<EOF>",
            Kind::Bang => "!",
            Kind::Dollar => "$",
            Kind::Ampersand => "&",
            Kind::ParenLeft => "(",
            Kind::ParenRight => ")",
            Kind::Spread => "...",
            Kind::Colon => ":",
            Kind::Equals => "=",
            Kind::At => "@",
            Kind::BracketLeft => "[",
            Kind::BracketRight => "]",
            Kind::BraceLeft => "{",
            Kind::BraceRight => "}",
            Kind::Pipe => "|",
            Kind::Name => "Name",
            Kind::Int => "Int",
            Kind::Float => "Float",
            Kind::String => "String",
            Kind::BlockString => "BlockString",
            Kind::Comment => "Comment",
        })
    }
}

/// One token.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// A name, a number as written, a string's value, a comment with its `#`; else empty.
    pub(crate) value: String,
    pub(crate) position: Position,
}

/// Reads tokens one after the other.
pub(crate) struct Lexer<'t> {
    text: &'t str,
    source: Source,
    /// In bytes.
    at: usize,
    /// In characters.
    characters: i64,
    line: i64,
    /// Where the line began, in characters.
    line_start: i64,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str, source: Source) -> Self {
        Self { text, source, at: 0, characters: 0, line: 1, line_start: 0 }
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn slice(&self, from: usize) -> &'t str {
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// Takes ASCII characters.
    fn take(&mut self, count: usize) {
        self.at += count;
        self.characters += i64::try_from(count).unwrap_or(i64::MAX);
    }

    /// Takes one character, whichever it is.
    fn take_character(&mut self) -> Option<char> {
        let character = self.rest().chars().next()?;
        self.at += character.len_utf8();
        self.characters += 1;
        Some(character)
    }

    fn new_line(&mut self) {
        self.line += 1;
        self.line_start = self.characters;
    }

    fn token(&self, kind: Kind, value: impl Into<String>, start: i64) -> Token {
        let column = start - self.line_start + 1;
        Token {
            kind,
            value: value.into(),
            position: Position { line: self.line, column, source: self.source },
        }
    }

    fn invalid(&self) -> Token {
        self.token(Kind::Invalid, "", self.characters)
    }

    /// White space, commas and byte order marks.
    fn skip_ignored(&mut self) {
        while let Some(byte) = self.byte(0) {
            match byte {
                b'\t' | b' ' | b',' => self.take(1),
                b'\n' => {
                    self.take(1);
                    self.new_line();
                }
                b'\r' => {
                    self.take(1);
                    self.new_line();
                    if self.byte(0) == Some(b'\n') {
                        self.take(1);
                    }
                }
                0xef if self.rest().starts_with('\u{feff}') => {
                    self.take_character();
                }
                _ => return,
            }
        }
    }

    /// The next token.
    pub(crate) fn next(&mut self) -> Token {
        self.skip_ignored();
        let (start, from) = (self.characters, self.at);
        let Some(byte) = self.byte(0) else { return self.token(Kind::End, "", start) };
        let kind = match byte {
            b'!' => Kind::Bang,
            b'$' => Kind::Dollar,
            b'&' => Kind::Ampersand,
            b'(' => Kind::ParenLeft,
            b')' => Kind::ParenRight,
            b':' => Kind::Colon,
            b'=' => Kind::Equals,
            b'@' => Kind::At,
            b'[' => Kind::BracketLeft,
            b']' => Kind::BracketRight,
            b'{' => Kind::BraceLeft,
            b'}' => Kind::BraceRight,
            b'|' => Kind::Pipe,
            b'.' if self.rest().starts_with("...") => {
                self.take(3);
                return self.token(Kind::Spread, "", start);
            }
            b'#' => {
                while self.rest().starts_with(|character: char| character > '\u{1f}' || character == '\t') {
                    self.take_character();
                }
                return self.token(Kind::Comment, self.slice(from), start);
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                while self.byte(0).is_some_and(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
                    self.take(1);
                }
                return self.token(Kind::Name, self.slice(from), start);
            }
            b'-' | b'0'..=b'9' => return self.number(),
            b'"' if self.rest().starts_with("\"\"\"") => return self.block_string(),
            b'"' => return self.string(),
            _ => return self.invalid(),
        };
        self.take(1);
        self.token(kind, "", start)
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while self.byte(0).is_some_and(|byte| byte.is_ascii_digit()) {
            self.take(1);
        }
        self.at - from
    }

    fn takes(&mut self, bytes: &[u8]) -> bool {
        let found = self.byte(0).is_some_and(|byte| bytes.contains(&byte));
        if found {
            self.take(1);
        }
        found
    }

    fn number(&mut self) -> Token {
        let (start, from) = (self.characters, self.at);
        self.takes(b"-");
        if self.takes(b"0") {
            if self.byte(0).is_some_and(|byte| byte.is_ascii_digit()) {
                return self.invalid();
            }
        } else if self.digits() == 0 {
            return self.invalid();
        }
        let mut kind = Kind::Int;
        if self.takes(b".") {
            kind = Kind::Float;
            if self.digits() == 0 {
                return self.invalid();
            }
        }
        if self.takes(b"eE") {
            kind = Kind::Float;
            self.takes(b"-+");
            if self.digits() == 0 {
                return self.invalid();
            }
        }
        self.token(kind, self.slice(from), start)
    }

    fn string(&mut self) -> Token {
        self.take(1);
        let (start, mut value) = (self.characters, String::new());
        loop {
            match self.byte(0) {
                Some(b'"') => {
                    let token = self.token(Kind::String, value, start);
                    self.take(1);
                    return token;
                }
                Some(b'\\') => {
                    let Some(character) = self.escape() else {
                        // The place of a wrong escape is behind its backslash.
                        self.take(1);
                        return self.invalid();
                    };
                    value.push(character);
                }
                Some(b'\t' | b' '..) => value.extend(self.take_character()),
                // A line's end, a control character, or the text's end.
                _ => return self.invalid(),
            }
        }
    }

    /// What an escape stands for; `None`: it is none, and stays.
    fn escape(&mut self) -> Option<char> {
        let character = match self.byte(1)? {
            byte @ (b'"' | b'/' | b'\\') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                // There must be something behind it, too.
                self.byte(6)?;
                let digits = self.rest().get(2..6)?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                let code = u32::from_str_radix(digits, 16).ok()?;
                self.take(6);
                // Half a surrogate pair is no character.
                return Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            _ => return None,
        };
        self.take(2);
        Some(character)
    }

    fn block_string(&mut self) -> Token {
        self.take(3);
        let (start, mut raw) = (self.characters, String::new());
        loop {
            match self.byte(0) {
                Some(b'"') => {
                    let quotes = self.rest().bytes().take_while(|byte| *byte == b'"').count();
                    if quotes >= 3 {
                        (3..quotes).for_each(|_| raw.push('"'));
                        let token = self.token(Kind::BlockString, block_value(&raw), start);
                        self.take(quotes);
                        return token;
                    }
                    (0..quotes).for_each(|_| raw.push('"'));
                    self.take(quotes);
                }
                Some(b'\\') if self.rest().starts_with("\\\"\"\"") => {
                    raw.push_str("\"\"\"");
                    self.take(4);
                }
                Some(b'\r') => {
                    self.take(if self.byte(1) == Some(b'\n') { 2 } else { 1 });
                    raw.push('\n');
                    self.new_line();
                }
                Some(b'\n') => {
                    self.take(1);
                    raw.push('\n');
                    self.new_line();
                }
                Some(b'\t' | b' '..) => raw.extend(self.take_character()),
                _ => return self.invalid(),
            }
        }
    }
}

/// The value of a block string: without the indentation that its lines share (the first line counts, but keeps
/// its own), and without empty lines at either end.
fn block_value(raw: &str) -> String {
    let indent = |line: &str| line.find(|character| character != ' ' && character != '\t');
    let mut lines: Vec<&str> = raw.split('\n').collect();
    if let Some(common) = lines.iter().filter_map(|line| indent(line)).min() {
        for line in lines.iter_mut().skip(1) {
            *line = line.get(common..).unwrap_or_default();
        }
    }
    let first = lines.iter().position(|line| indent(line).is_some()).unwrap_or(lines.len());
    let end = lines.iter().rposition(|line| indent(line).is_some()).map_or(first, |last| last + 1);
    lines.get(first..end).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, String, i64, i64)> {
        let mut lexer = Lexer::new(text, Source::Given);
        let mut found = Vec::new();
        loop {
            let token = lexer.next();
            let kind = token.kind;
            found.push((kind, token.value, token.position.line, token.position.column));
            if matches!(kind, Kind::End | Kind::Invalid) {
                return found;
            }
        }
    }

    fn value(text: &str) -> String {
        kinds(text).swap_remove(0).1
    }

    #[test]
    fn tokens_have_places() {
        let found = kinds("\u{feff}{ a(x: -1.5e3) # c\n ...on é");
        let shown: Vec<_> = found.iter().map(|(kind, value, ..)| format!("{kind} {value}")).collect();
        assert_eq!(
            shown,
            [
                "{ ",
                "Name a",
                "( ",
                "Name x",
                ": ",
                "Float -1.5e3",
                ") ",
                "Comment # c",
                "... ",
                "Name on",
                "<Invalid> "
            ]
        );
        assert_eq!((found[8].2, found[8].3), (2, 2));
        assert_eq!((found[10].2, found[10].3), (2, 8));
    }

    #[test]
    fn strings_are_unescaped() {
        assert_eq!(value(r#""a\n\u00e9\ud800\"" "#), "a\né\u{fffd}\"");
        assert_eq!(value("\"\"\"\n   a\n     b \\\"\"\"\n   \"\"\""), "a\n  b \"\"\"");
        assert_eq!(value("\"\"\"x\n   y\"\"\""), "x\n   y");
        assert_eq!(value("\"\"\"say \"hi\"\"\"\""), "say \"hi\"");
        for wrong in
            [r#""\q""#, r#""\u12g4" "#, r#""\u1234"#, "\"a\nb\"", "\"\"\"a", "01", "1.", "1e", "-", "."]
        {
            assert_eq!(kinds(wrong)[0].0, Kind::Invalid, "{wrong}");
        }
    }
}
