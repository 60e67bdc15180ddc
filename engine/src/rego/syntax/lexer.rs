//! Text to tokens: every token, every comment and everything that is not a token, in one pass.
//!
//! Template strings hold expressions, so the lexer counts brackets to know which `}` goes on with the string.

use super::SyntaxError;
use super::token::{Tok, Token};
use super::tree::{Comment, Position, Span};

/// What was found in a text.
pub(super) struct Lexed {
    /// Ends with [`Tok::Eof`].
    pub(super) tokens: Vec<Token>,
    pub(super) comments: Vec<Comment>,
    pub(super) errors: Vec<SyntaxError>,
}

/// Splits a text of at most `u32::MAX` bytes.
pub(super) fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer {
        text,
        here: Position { offset: 0, line: 1, column: 1 },
        brackets: Vec::new(),
        after_newline: false,
        found: Lexed { tokens: Vec::with_capacity(text.len() / 4), comments: Vec::new(), errors: Vec::new() },
    };
    if lexer.peek() == Some('\u{feff}') {
        // A byte order mark at the start is no part of the text, but of its offsets.
        lexer.here.offset = 3;
    }
    while lexer.token() {}
    lexer.found
}

/// What a closing bracket closes.
#[derive(Clone, Copy, PartialEq)]
enum Bracket {
    Plain,
    Template { raw: bool },
}

struct Lexer<'t> {
    text: &'t str,
    here: Position,
    brackets: Vec<Bracket>,
    after_newline: bool,
    found: Lexed,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.here.offset as usize..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Steps over one character.
    fn next(&mut self) -> Option<char> {
        let found = self.peek()?;
        if found == '\0' {
            self.error(self.here, "illegal null character");
        } else if found == '\u{feff}' {
            self.error(self.here, "illegal byte order mark; one may stand only at the start of a file");
        }
        self.here.offset += u32::try_from(found.len_utf8()).unwrap_or(1);
        if found == '\n' {
            self.here.line += 1;
            self.here.column = 1;
        } else {
            self.here.column += 1;
        }
        Some(found)
    }

    fn next_is(&mut self, wanted: char) -> bool {
        let is = self.peek() == Some(wanted);
        if is {
            self.next();
        }
        is
    }

    fn next_while(&mut self, wanted: impl Fn(char) -> bool) -> bool {
        let start = self.here.offset;
        while self.peek().is_some_and(&wanted) {
            self.next();
        }
        self.here.offset > start
    }

    fn error(&mut self, start: Position, message: impl Into<String>) {
        let mut end = self.here;
        if end == start {
            end.column += 1;
            end.offset += self.peek().map_or(0, |c| u32::try_from(c.len_utf8()).unwrap_or(1));
        }
        self.found.errors.push(SyntaxError { span: Span { start, end }, message: message.into() });
    }

    fn push(&mut self, tok: Tok, start: Position) {
        let span = Span { start, end: self.here };
        self.found.tokens.push(Token { tok, span, after_newline: self.after_newline });
        self.after_newline = false;
    }

    /// Reads what comes next; false at the end.
    fn token(&mut self) -> bool {
        let start = self.here;
        let Some(first) = self.next() else {
            self.push(Tok::Eof, start);
            return false;
        };
        match first {
            ' ' | '\t' | '\r' => {}
            '\n' => self.after_newline = true,
            '#' => self.comment(start),
            'a'..='z' | 'A'..='Z' | '_' => self.word(start),
            '0'..='9' => self.number(start),
            '"' => self.string(start),
            '`' => self.raw_string(start),
            '$' if self.next_is('"') => self.template(start, false),
            '$' if self.next_is('`') => self.template(start, true),
            '(' | '[' | '{' => self.open(first, start),
            ')' | ']' | '}' => self.close(first, start),
            _ => self.symbol(first, start),
        }
        true
    }

    fn comment(&mut self, start: Position) {
        self.next_while(|c| c != '\n');
        let span = Span { start, end: self.here };
        let text = self.slice(start).get(1..).unwrap_or_default().trim_end_matches('\r').to_owned();
        self.found.comments.push(Comment { span, text });
    }

    fn slice(&self, start: Position) -> &'t str {
        self.text.get(start.offset as usize..self.here.offset as usize).unwrap_or_default()
    }

    fn word(&mut self, start: Position) {
        self.next_while(is_word);
        let tok = Tok::keyword(self.slice(start)).unwrap_or(Tok::Ident);
        self.push(tok, start);
    }

    fn number(&mut self, start: Position) {
        self.next_while(|c| c.is_ascii_digit());
        let mut problem = None;
        if self.next_is('.') && !self.next_while(|c| c.is_ascii_digit()) {
            problem = Some("expected a digit after the decimal point");
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.next();
            let _sign = self.next_is('+') || self.next_is('-');
            if !self.next_while(|c| c.is_ascii_digit()) {
                problem = problem.or(Some("expected a digit in the exponent"));
            }
        }
        // `0a2b` is one bad number, not a number and a word.
        if self.peek().is_some_and(|c| c.is_ascii_alphabetic() || c == '_') {
            self.next_while(is_word);
            problem = Some("illegal number format; names cannot start with a digit");
        }
        if let Some(problem) = problem {
            self.error(start, problem);
            self.push(Tok::Illegal, start);
        } else {
            self.push(Tok::Number, start);
        }
    }

    fn string(&mut self, start: Position) {
        loop {
            match self.peek() {
                None | Some('\n') => return self.unterminated(start, "string"),
                Some('"') => {
                    self.next();
                    return self.push(Tok::String, start);
                }
                Some('\\') => self.escape(false),
                Some(_) => {
                    self.next();
                }
            }
        }
    }

    fn raw_string(&mut self, start: Position) {
        self.next_while(|c| c != '`');
        if self.next_is('`') {
            self.push(Tok::RawString, start);
        } else {
            self.unterminated(start, "raw string");
        }
    }

    fn unterminated(&mut self, start: Position, what: &str) {
        self.error(start, format!("non-terminated {what}"));
        self.push(Tok::Illegal, start);
    }

    /// Steps over a backslash and what it escapes.
    fn escape(&mut self, template: bool) {
        let start = self.here;
        self.next();
        match self.peek() {
            Some('\\' | '"' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => {
                self.next();
            }
            Some('{') if template => {
                self.next();
            }
            Some('u') => {
                self.next();
                for _ in 0..4 {
                    // What is not hexadecimal is found when the string is read; it must not swallow its end.
                    if self.peek().is_some_and(|c| c.is_ascii_hexdigit()) {
                        self.next();
                    } else {
                        return self
                            .error(start, "illegal escape sequence: `\\u` needs four hexadecimal digits");
                    }
                }
            }
            _ => self.error(
                start,
                "illegal escape sequence; for text with backslashes use a raw string between backticks",
            ),
        }
    }

    /// A piece of a template string, to its end or to the `{` of an expression.
    fn template(&mut self, start: Position, raw: bool) {
        loop {
            match self.peek() {
                None => return self.unterminated(start, "template string"),
                Some('\n') if !raw => return self.unterminated(start, "template string"),
                Some('{') => {
                    self.next();
                    self.brackets.push(Bracket::Template { raw });
                    return self.push(if raw { Tok::RawTemplatePart } else { Tok::TemplatePart }, start);
                }
                Some('"') if !raw => {
                    self.next();
                    return self.push(Tok::TemplateEnd, start);
                }
                Some('`') if raw => {
                    self.next();
                    return self.push(Tok::RawTemplateEnd, start);
                }
                Some('\\') if !raw => self.escape(true),
                Some('\\') => {
                    self.next();
                    self.next_is('{');
                }
                Some(_) => {
                    self.next();
                }
            }
        }
    }

    fn open(&mut self, first: char, start: Position) {
        self.brackets.push(Bracket::Plain);
        let tok = match first {
            '(' => Tok::LeftParen,
            '[' => Tok::LeftBracket,
            _ => Tok::LeftBrace,
        };
        self.push(tok, start);
    }

    fn close(&mut self, first: char, start: Position) {
        match (first, self.brackets.pop()) {
            ('}', Some(Bracket::Template { raw })) => self.template(start, raw),
            (_, bracket) => {
                // A wrong bracket inside of an expression does not end the string; the parser reports it.
                self.brackets.extend(bracket.filter(|bracket| matches!(bracket, Bracket::Template { .. })));
                let tok = match first {
                    ')' => Tok::RightParen,
                    ']' => Tok::RightBracket,
                    _ => Tok::RightBrace,
                };
                self.push(tok, start);
            }
        }
    }

    fn symbol(&mut self, first: char, start: Position) {
        let tok = match first {
            ',' => Tok::Comma,
            ';' => Tok::Semicolon,
            '.' => Tok::Dot,
            '+' => Tok::Plus,
            '-' => Tok::Minus,
            '*' => Tok::Star,
            '/' => Tok::Slash,
            '%' => Tok::Percent,
            '&' => Tok::Ampersand,
            '|' => Tok::Pipe,
            ':' if self.next_is('=') => Tok::Assign,
            ':' => Tok::Colon,
            '=' if self.next_is('=') => Tok::Equal,
            '=' => Tok::Unify,
            '>' if self.next_is('=') => Tok::GreaterOrEqual,
            '>' => Tok::Greater,
            '<' if self.next_is('=') => Tok::LessOrEqual,
            '<' => Tok::Less,
            '!' if self.next_is('=') => Tok::NotEqual,
            _ => {
                let message = match first {
                    '!' => "illegal `!` character; write `not` to negate, `!=` to compare".to_owned(),
                    '$' => "illegal `$` character; a template string is written `$\"…\"`".to_owned(),
                    '\'' => "illegal `'` character; strings are written between `\"` or backticks".to_owned(),
                    '\u{a0}' => "illegal non-breaking space, use a regular space instead".to_owned(),
                    // Already reported when it was read.
                    '\0' | '\u{feff}' => String::new(),
                    other => format!("illegal character `{}`", other.escape_debug()),
                };
                if !message.is_empty() {
                    self.error(start, message);
                }
                Tok::Illegal
            }
        };
        self.push(tok, start);
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Tok> {
        lex(text).tokens.into_iter().map(|token| token.tok).collect()
    }

    #[test]
    fn template_strings_nest_and_keep_their_braces_apart() {
        use Tok::{Eof, Ident, LeftBrace, RightBrace, TemplateEnd, TemplatePart};
        let found = kinds(r#"$"a {$"b {c}"} \{d} {{e}}""#);
        assert_eq!(
            found,
            [
                TemplatePart,
                TemplatePart,
                Ident,
                TemplateEnd,
                TemplatePart,
                LeftBrace,
                Ident,
                RightBrace,
                TemplateEnd,
                Eof
            ]
        );
    }

    #[test]
    fn columns_count_characters_and_offsets_bytes() {
        let lexed = lex("\t\"é\" x");
        assert_eq!(lexed.tokens[1].span.start, Position { offset: 6, line: 1, column: 6 });
    }

    #[test]
    fn every_error_is_found() {
        let messages: Vec<_> = lex("x := 01a\n! \u{a0}\n\"a\\q\"").errors;
        let lines: Vec<_> = messages.iter().map(|e| e.span.start.line).collect();
        assert_eq!(lines, [1, 2, 2, 3]);
    }
}
