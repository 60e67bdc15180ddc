//! Globs as gobwas/glob reads them: `*`, `**`, `?`, `[abc]`, `[!a-z]`, `{a,b}`, with separators that `*` and `?`
//! do not match.

use super::regular::{PatternError, TOO_LARGE, compile};
use regex::Regex;

/// A compiled glob.
#[derive(Clone, Debug)]
pub(in crate::rego) struct Glob {
    regex: Regex,
}

impl Glob {
    /// Compiles a glob.
    ///
    /// # Errors
    /// For what is none, and for what would take too much memory.
    pub(in crate::rego) fn new(pattern: &str, separators: &[char]) -> Result<Self, PatternError> {
        let translated = Translator::new(pattern, separators).run()?;
        Ok(Self { regex: compile(&translated)? })
    }

    /// Whether it matches a whole text.
    pub(in crate::rego) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// Makes every character of a text stand for itself.
pub(in crate::rego) fn quote_meta(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if "*?\\[]{}".contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

struct Translator<'t> {
    text: &'t str,
    at: usize,
    out: String,
    /// One character that is no separator.
    single: String,
    depth: usize,
}

/// Deeper alternatives are refused: nobody writes them.
const MAX_DEPTH: usize = 200;

impl<'t> Translator<'t> {
    fn new(text: &'t str, separators: &[char]) -> Self {
        let single = if separators.is_empty() {
            "(?s:.)".to_owned()
        } else {
            let list: String = separators.iter().map(|separator| hex(*separator)).collect();
            format!("[^{list}]")
        };
        Self { text, at: 0, out: String::from("^(?:"), single, depth: 0 }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn problem<T>(&self, what: &str) -> Result<T, PatternError> {
        Err(PatternError::Syntax(format!("glob: syntax error at {}: {what}", self.at)))
    }

    fn run(mut self) -> Result<String, PatternError> {
        while let Some(next) = self.next() {
            match next {
                '*' if self.peek() == Some('*') => {
                    self.next();
                    self.out.push_str("(?s:.*)");
                }
                '*' => {
                    let star = format!("{}*", self.single);
                    self.out.push_str(&star);
                }
                '?' => {
                    let single = self.single.clone();
                    self.out.push_str(&single);
                }
                '[' => self.class()?,
                '{' => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(TOO_LARGE);
                    }
                    self.out.push_str("(?:");
                }
                ',' if self.depth > 0 => self.out.push('|'),
                '}' if self.depth > 0 => {
                    self.depth -= 1;
                    self.out.push(')');
                }
                '\\' => match self.next() {
                    Some(escaped) => self.out.push_str(&hex(escaped)),
                    None => return self.problem("trailing backslash"),
                },
                literal => self.out.push_str(&hex(literal)),
            }
        }
        if self.depth > 0 {
            return self.problem("unclosed `{`");
        }
        self.out.push_str(")$");
        Ok(self.out)
    }

    /// After `[`: a range of two characters, or a set.
    fn class(&mut self) -> Result<(), PatternError> {
        self.out.push('[');
        if self.peek() == Some('!') {
            self.next();
            self.out.push('^');
        }
        let Some(first) = self.next() else { return self.problem("unexpected end of input") };
        if self.peek() == Some('-') {
            self.next();
            let Some(last) = self.next() else { return self.problem("unexpected end of input") };
            if last < first {
                // Where gobwas's reader stands by then: past the bracket.
                self.next();
                return self.problem("range hi character is less than lo");
            }
            match self.next() {
                Some(']') => {}
                Some(_) => return self.problem("expected close range character"),
                None => return self.problem("unexpected end of input"),
            }
            let range = format!("{}-{}]", hex(first), hex(last));
            self.out.push_str(&range);
            return Ok(());
        }
        let mut next = Some(first);
        let mut members = 0;
        loop {
            let member = match next {
                None => return self.problem("unexpected end of input"),
                Some(']') if members > 0 => break,
                Some(']') => return self.problem("could not parse range"),
                Some('\\') => self.next(),
                other => other,
            };
            let Some(member) = member else { return self.problem("unexpected end of input") };
            self.out.push_str(&hex(member));
            members += 1;
            next = self.next();
        }
        self.out.push(']');
        Ok(())
    }
}

/// A character that stands for itself wherever it is put.
fn hex(character: char) -> String {
    if character.is_ascii_alphanumeric() {
        character.to_string()
    } else {
        format!("\\x{{{:x}}}", u32::from(character))
    }
}
