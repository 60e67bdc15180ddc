//! A template's text to tokens.

/// What a template is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Text(String),
    /// `{{`
    Open,
    /// `}}`
    Close,
    Space,
    Assign,
    Declare,
    Pipe,
    ParenOpen,
    ParenClose,
    Comma,
    Dot,
    /// A name that is no keyword.
    Identifier(String),
    Keyword(Keyword),
    Bool(bool),
    /// `.name`, without the dot.
    Field(String),
    /// `$name`, with the dollar.
    Variable(String),
    /// As written.
    Number(String),
    /// As written, with its quotes.
    Character(String),
    /// Without its quotes, escapes resolved.
    Quoted(String),
    End,
    /// There is no token here, for this reason.
    Wrong(String),
}

/// The words that are not names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

fn keyword(word: &str) -> Option<Keyword> {
    Some(match word {
        "block" => Keyword::Block,
        "break" => Keyword::Break,
        "continue" => Keyword::Continue,
        "define" => Keyword::Define,
        "else" => Keyword::Else,
        "end" => Keyword::End,
        "if" => Keyword::If,
        "nil" => Keyword::Nil,
        "range" => Keyword::Range,
        "template" => Keyword::Template,
        "with" => Keyword::With,
        _ => return None,
    })
}

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

fn is_name(character: char) -> bool {
    character == '_' || character.is_alphabetic() || character.is_numeric()
}

/// Whether text begins with `- `, which trims what stands before it.
fn trims_before(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| rest.starts_with(SPACES))
}

/// What follows ` -}}` or `}}`, and whether what stands behind it is trimmed.
fn closing(text: &str) -> Option<(&str, bool)> {
    let trimmed = text.strip_prefix(SPACES).and_then(|rest| rest.strip_prefix("-}}"));
    trimmed.map(|rest| (rest, true)).or_else(|| text.strip_prefix("}}").map(|rest| (rest, false)))
}

/// The tokens of a template; the last is the end, or what is wrong.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: text, tokens: Vec::new() };
    let end = match lexer.run() {
        Ok(()) => Token::End,
        Err(wrong) => Token::Wrong(wrong),
    };
    lexer.tokens.push(end);
    lexer.tokens
}

struct Lexer<'t> {
    rest: &'t str,
    tokens: Vec<Token>,
}

impl<'t> Lexer<'t> {
    fn run(&mut self) -> Result<(), String> {
        loop {
            let Some((text, after)) = self.rest.split_once("{{") else {
                self.text(self.rest);
                return Ok(());
            };
            let (text, after) = if trims_before(after) {
                (text.trim_end_matches(SPACES), after.get(2..).unwrap_or_default())
            } else {
                (text, after)
            };
            self.text(text);
            if let Some(comment) = after.strip_prefix("/*") {
                let (_, behind) = comment.split_once("*/").ok_or("unclosed comment")?;
                self.close(behind).ok_or("comment ends before closing delimiter")?;
                continue;
            }
            self.rest = after;
            self.tokens.push(Token::Open);
            self.action()?;
        }
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.tokens.push(Token::Text(text.to_owned()));
        }
    }

    /// Goes on behind a closing delimiter, if there is one.
    fn close(&mut self, text: &'t str) -> Option<()> {
        let (rest, trimmed) = closing(text)?;
        self.rest = if trimmed { rest.trim_start_matches(SPACES) } else { rest };
        Some(())
    }

    /// Everything up to the closing delimiter.
    fn action(&mut self) -> Result<(), String> {
        let mut open = 0_usize;
        loop {
            if closing(self.rest).is_some() {
                if open > 0 {
                    return Err("unclosed left paren".to_owned());
                }
                self.close(self.rest);
                self.tokens.push(Token::Close);
                return Ok(());
            }
            let first = self.rest.chars().next().ok_or("unclosed action")?;
            let token = match first {
                ' ' | '\t' | '\r' | '\n' => self.space(),
                '=' => self.plain(1, Token::Assign),
                ':' if self.rest.starts_with(":=") => self.plain(2, Token::Declare),
                ':' => return Err("expected :=".to_owned()),
                '|' => self.plain(1, Token::Pipe),
                ',' => self.plain(1, Token::Comma),
                '(' => {
                    open += 1;
                    self.plain(1, Token::ParenOpen)
                }
                ')' => {
                    open = open.checked_sub(1).ok_or("unexpected right paren")?;
                    self.plain(1, Token::ParenClose)
                }
                '"' => self.quoted()?,
                '`' => self.raw()?,
                '\'' => Token::Character(self.until_quote('\'')?.to_owned()),
                '$' => Token::Variable(self.word(1)?.to_owned()),
                '.' if !self
                    .rest
                    .get(1..2)
                    .is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit())) =>
                {
                    match self.word(1)? {
                        "." => Token::Dot,
                        field => Token::Field(field.get(1..).unwrap_or_default().to_owned()),
                    }
                }
                '.' | '+' | '-' | '0'..='9' => self.number()?,
                _ if is_name(first) => {
                    let word = self.word(0)?;
                    match (word, keyword(word)) {
                        ("true" | "false", _) => Token::Bool(word == "true"),
                        (_, Some(keyword)) => Token::Keyword(keyword),
                        _ => Token::Identifier(word.to_owned()),
                    }
                }
                _ => return Err(format!("unrecognized character in action: {first:?}")),
            };
            self.tokens.push(token);
        }
    }

    fn plain(&mut self, length: usize, token: Token) -> Token {
        self.take(length);
        token
    }

    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Spaces, but for the last before a delimiter that trims.
    fn space(&mut self) -> Token {
        let length = self.rest.len() - self.rest.trim_start_matches(SPACES).len();
        let last = length.saturating_sub(1);
        let trims = self.rest.get(last..).is_some_and(|rest| closing(rest).is_some());
        self.take(if trims && last > 0 { last } else { length });
        Token::Space
    }

    /// A name behind `before` characters, and something that may follow one.
    fn word(&mut self, before: usize) -> Result<&'t str, String> {
        let behind = self.rest.get(before..).unwrap_or_default();
        let length = behind.find(|character| !is_name(character)).unwrap_or(behind.len());
        let after = behind.get(length..).unwrap_or_default();
        let ends = after.is_empty()
            || after.starts_with([' ', '\t', '\r', '\n', '.', ',', '|', ':', ')', '('])
            || after.starts_with("}}");
        if !ends {
            return Err(format!("bad character {:?}", after.chars().next().unwrap_or_default()));
        }
        Ok(self.take(before + length))
    }

    fn number(&mut self) -> Result<Token, String> {
        let text = self.rest;
        let mut length = 0;
        for (at, character) in text.char_indices() {
            let signed = text
                .get(..at)
                .is_some_and(|before| before.ends_with(['e', 'E', 'p', 'P']) || before.is_empty());
            let goes_on = character.is_ascii_alphanumeric()
                || character == '_'
                || character == '.'
                || matches!(character, '+' | '-')
                    && signed
                    && !text
                        .get(..at)
                        .is_some_and(|before| before.starts_with("0x") && before.ends_with(['e', 'E']));
            if !goes_on {
                break;
            }
            length = at + character.len_utf8();
        }
        if text.get(length..).is_some_and(|after| after.starts_with(is_name)) {
            return Err(format!("bad number syntax: {:?}", text.get(..length).unwrap_or_default()));
        }
        Ok(Token::Number(self.take(length).to_owned()))
    }

    /// Text up to the next quote that is not escaped, both quotes included.
    fn until_quote(&mut self, quote: char) -> Result<&'t str, String> {
        let mut escaped = false;
        for (at, character) in self.rest.char_indices().skip(1) {
            match character {
                '\n' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if character == quote => return Ok(self.take(at + 1)),
                _ => {}
            }
        }
        Err(if quote == '"' { "unterminated quoted string" } else { "unterminated character constant" }
            .to_owned())
    }

    fn quoted(&mut self) -> Result<Token, String> {
        let written = self.until_quote('"')?;
        let inside = written.get(1..written.len() - 1).unwrap_or_default();
        unquoted(inside).map(Token::Quoted).ok_or_else(|| "invalid syntax".to_owned())
    }

    fn raw(&mut self) -> Result<Token, String> {
        let behind = self.rest.get(1..).unwrap_or_default();
        let end = behind.find('`').ok_or("unterminated raw quoted string")?;
        let text = self.take(end + 2);
        // Carriage returns are no part of it.
        Ok(Token::Quoted(text.trim_matches('`').replace('\r', "")))
    }
}

/// What escapes stand for, as in Go's strings; `None`: one is wrong.
pub(super) fn unquoted(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let kind = after.chars().next()?;
        let code = |from: usize, length: usize, radix: u32| {
            let digits = after.get(from..from + length)?;
            digits.bytes().all(|byte| char::from(byte).is_digit(radix)).then_some(())?;
            u32::from_str_radix(digits, radix).ok().map(|code| (code, from + length))
        };
        let (found, length) = match kind {
            'x' => code(1, 2, 16)?,
            'u' => code(1, 4, 16)?,
            'U' => code(1, 8, 16)?,
            '0'..='7' => code(0, 3, 8)?,
            'a' => (7, 1),
            'b' => (8, 1),
            'f' => (12, 1),
            'n' => (10, 1),
            'r' => (13, 1),
            't' => (9, 1),
            'v' => (11, 1),
            '\\' | '\'' | '"' => (u32::from(kind), 1),
            _ => return None,
        };
        if matches!(kind, 'u' | 'U') {
            bytes.extend_from_slice(char::from_u32(found)?.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            bytes.push(u8::try_from(found).ok()?);
        }
        rest = after.get(length..)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(crate::value::bytes::text_from(&bytes).into_owned())
}
