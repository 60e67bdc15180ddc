//! Where a mutator writes: `spec.containers[name: *].image`, the syntax of Gatekeeper's `location`.

use serde_json::Value as Json;

/// A parsed location.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Location {
    pub(crate) steps: Vec<Step>,
}

/// One step into an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// A member.
    Member(String),
    /// The elements of a list whose `key` has this value (a text or a number); without one, all elements.
    Element { key: String, value: Option<Json> },
}

/// Parses a location.
///
/// # Errors
/// What is wrong and where.
pub(crate) fn parse(text: &str) -> Result<Location, String> {
    let mut scanner = Scanner { rest: text, whole: text };
    let mut steps = Vec::new();
    loop {
        match scanner.next()? {
            Token::Name(name) => steps.push(Step::Member(name)),
            other => return Err(scanner.unexpected("a field name", &other)),
        }
        let mut token = scanner.next()?;
        if token == Token::Open {
            steps.push(element(&mut scanner)?);
            token = scanner.next()?;
        }
        match token {
            Token::Dot => {}
            Token::End => return Ok(Location { steps }),
            other => return Err(scanner.unexpected("`.` or the end", &other)),
        }
    }
}

fn element(scanner: &mut Scanner<'_>) -> Result<Step, String> {
    let key = match scanner.next()? {
        Token::Name(key) => key,
        other => return Err(scanner.unexpected("the key of a list's elements", &other)),
    };
    match scanner.next()? {
        Token::Colon => {}
        other => return Err(scanner.unexpected("`:`", &other)),
    }
    let value = match scanner.next()? {
        Token::Star => None,
        Token::Name(text) => Some(Json::String(text)),
        Token::Number(number) => Some(number.into()),
        other => return Err(scanner.unexpected("a value or `*`", &other)),
    };
    match scanner.next()? {
        Token::Close => Ok(Step::Element { key, value }),
        other => Err(scanner.unexpected("`]`", &other)),
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Name(String),
    Number(i64),
    Dot,
    Open,
    Close,
    Colon,
    Star,
    End,
}

struct Scanner<'t> {
    rest: &'t str,
    whole: &'t str,
}

impl Scanner<'_> {
    fn next(&mut self) -> Result<Token, String> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let Some(first) = self.rest.chars().next() else { return Ok(Token::End) };
        let token = match first {
            '.' => Token::Dot,
            '[' => Token::Open,
            ']' => Token::Close,
            ':' => Token::Colon,
            '*' => Token::Star,
            '"' | '\'' => return self.quoted(first),
            // What begins with a digit is a number, as in Gatekeeper; other names are quoted.
            '0'..='9' => {
                let digits = self.take(|character| character.is_ascii_digit());
                return digits
                    .parse()
                    .map(Token::Number)
                    .map_err(|_| self.at(&format!("`{digits}` is too large")));
            }
            'a'..='z' | 'A'..='Z' | '_' | '-' => {
                let name =
                    self.take(|character| character.is_ascii_alphanumeric() || "_-".contains(character));
                return Ok(Token::Name(name));
            }
            other => return Err(self.at(&format!("unexpected `{other}`"))),
        };
        self.skip(first.len_utf8());
        Ok(token)
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|character| !belongs(character)).unwrap_or(self.rest.len());
        let taken = self.rest.get(..end).unwrap_or_default().to_owned();
        self.skip(end);
        taken
    }

    fn quoted(&mut self, quote: char) -> Result<Token, String> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
                _ if character == quote => {
                    self.skip(at + 1);
                    return Ok(Token::Name(text));
                }
                _ => text.push(character),
            }
        }
        Err(self.at("a quote is not closed"))
    }

    fn at(&self, problem: &str) -> String {
        format!(
            "location `{}`: {problem} at character {}",
            self.whole,
            self.whole.len() - self.rest.len() + 1
        )
    }

    fn unexpected(&self, wanted: &str, found: &Token) -> String {
        let found = match found {
            Token::Name(name) => format!("`{name}`"),
            Token::Number(number) => format!("`{number}`"),
            Token::Dot => "`.`".into(),
            Token::Open => "`[`".into(),
            Token::Close => "`]`".into(),
            Token::Colon => "`:`".into(),
            Token::Star => "`*`".into(),
            Token::End => "the end".into(),
        };
        format!("location `{}`: expected {wanted}, found {found}", self.whole)
    }
}

impl Location {
    /// Whether it begins with `metadata`.
    pub(crate) fn is_metadata(&self) -> bool {
        matches!(self.steps.first(), Some(Step::Member(name)) if name == "metadata")
    }

    /// Whether it ends at an element of a list.
    pub(crate) fn ends_in_list(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Element { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str) -> Step {
        Step::Member(name.into())
    }

    #[test]
    fn members_elements_and_quotes() {
        assert_eq!(parse("spec.replicas").unwrap().steps, [member("spec"), member("replicas")]);
        assert_eq!(
            parse(r#"spec.containers[name: "a.b"]."x\"y"[port: 80].z[k:*]"#).unwrap().steps,
            [
                member("spec"),
                member("containers"),
                Step::Element { key: "name".into(), value: Some("a.b".into()) },
                member("x\"y"),
                Step::Element { key: "port".into(), value: Some(80.into()) },
                member("z"),
                Step::Element { key: "k".into(), value: None },
            ]
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (text, problem) in [
            ("", "expected a field name, found the end"),
            ("spec.", "expected a field name, found the end"),
            ("spec[name]", "expected `:`, found `]`"),
            ("spec[name:", "expected a value or `*`, found the end"),
            ("spec spec", "expected `.` or the end, found `spec`"),
            ("spec.0a", "expected a field name, found `0`"),
            ("a.\"b", "a quote is not closed at character 3"),
            ("a/b", "unexpected `/` at character 2"),
        ] {
            assert_eq!(parse(text).unwrap_err(), format!("location `{text}`: {problem}"));
        }
    }
}
