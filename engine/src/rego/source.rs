//! Source text before parsing: caps on size and nesting, and the two things that regorus's parser gets wrong,
//! found on its tokens and refused.

use super::LoadError;
use regorus::unstable::{Lexer, Source, Token, TokenKind};

/// A file of Rego.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The path shown in errors.
    pub path: String,
    /// The text.
    pub text: String,
}

/// No policy of a person is larger; what is, was generated to hurt.
const MAX_BYTES: usize = 512 * 1024;
/// Brackets of all kinds together. The parser recurses and stops at 32 itself, with a less helpful text.
const MAX_NESTING: usize = 30;

/// Checks one file before it is parsed.
pub(super) fn check(module: &Module) -> Result<(), Vec<LoadError>> {
    if module.text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", module.text.len());
        return Err(vec![LoadError::whole(&module.path, message)]);
    }
    let shown = |error: &dyn std::fmt::Display| {
        vec![LoadError::from_regorus(&module.path, &module.text, &(error.to_string()).into())]
    };
    let source = Source::from_contents(module.path.clone(), module.text.clone()).map_err(|e| shown(&e))?;
    let mut tokens = Tokens { module, depth: 0, previous: None, errors: Vec::new() };
    let mut lexer = Lexer::new(&source);
    loop {
        let token = lexer.next_token().map_err(|e| shown(&e))?;
        if token.0 == TokenKind::Eof || !tokens.errors.is_empty() {
            break;
        }
        tokens.look_at(token);
    }
    if tokens.errors.is_empty() { Ok(()) } else { Err(tokens.errors) }
}

struct Tokens<'m> {
    module: &'m Module,
    depth: usize,
    previous: Option<Token>,
    errors: Vec<LoadError>,
}

impl Tokens<'_> {
    fn look_at(&mut self, token: Token) {
        let text = token.1.text().to_owned();
        if token.0 == TokenKind::Symbol {
            match text.as_str() {
                "(" | "[" | "{" => self.open(&text, &token),
                ")" | "]" | "}" => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        self.previous = Some(token);
    }

    fn open(&mut self, text: &str, token: &Token) {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            self.refuse(token, format!("brackets are nested more than {MAX_NESTING} deep"));
        }
        let Some(previous) = self.previous.clone() else { return };
        let adjacent = previous.1.end == token.1.start;
        let callable = matches!(previous.0, TokenKind::Ident) || matches!(previous.1.text(), "]" | ")");
        let keyword = matches!(
            previous.1.text(),
            "if" | "in" | "not" | "some" | "every" | "else" | "contains" | "with" | "as" | "default"
        );
        if text == "(" && callable && !keyword && !adjacent {
            self.refuse(
                token,
                "a parenthesis that starts an expression must not directly follow another one; name the value with `:=` first",
            );
        }
        if text == "{" && previous.1.text() == "}" && self.depth == 1 {
            self.refuse(token, "chained rule bodies are not supported; write the rule once per body");
        }
    }

    fn refuse(&mut self, token: &Token, message: impl Into<String>) {
        let (line, column) = (token.1.line, token.1.col);
        self.errors.push(LoadError::at(&self.module.path, &self.module.text, line, column, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> Vec<String> {
        let module = Module { path: "p.rego".into(), text: text.into() };
        check(&module).err().unwrap_or_default().iter().map(|error| error.message.clone()).collect()
    }

    #[test]
    fn ordinary_text_passes() {
        assert_eq!(
            errors(
                "package a\n\ndeny contains \"x\" if {\n\tnot (input.a)\n\tf(input.b) == {\"a\": [1]}\n}\n"
            ),
            [""; 0]
        );
    }

    #[test]
    fn what_the_parser_misreads_is_refused() {
        let call = "package a\np if {\n\tx := input.a\n\t(x - 1) > 0\n}\n";
        assert!(errors(call)[0].starts_with("a parenthesis that starts an expression"), "{:?}", errors(call));
        let chained = "package a\nf(x) := y { y := 1 } { y := 2 }\n";
        assert_eq!(errors(chained), ["chained rule bodies are not supported; write the rule once per body"]);
    }

    #[test]
    fn a_hundred_thousand_brackets_are_an_error() {
        for bracket in ["[", "(", "{"] {
            let text = format!("package a\nx := {}", bracket.repeat(100_000));
            assert_eq!(errors(&text), [format!("brackets are nested more than {MAX_NESTING} deep")]);
        }
        assert!(errors(&"a".repeat(MAX_BYTES + 1))[0].starts_with("the file has 524289 bytes"));
    }
}
