//! Tokens to trees: what the parts of the grammar share.

mod executable;
mod system;
mod value;

use crate::lexer::{Kind, Lexer, Token};
use crate::limits::{Host, MAX_LENGTH, MAX_NESTING};
use crate::problem::{Failure, Position, Problem, Source};
use crate::tree::{Comment, CommentGroup, QueryDocument, SystemDocument};

type Parsed<T> = Result<T, Failure>;

/// Parses operations and fragments.
///
/// # Errors
/// The first thing that is wrong; or a limit.
pub fn parse_query(text: &str, host: &mut dyn Host) -> Result<QueryDocument, Failure> {
    Parser::new(text, Source::Given, host)?.query_document()
}

/// Parses definitions. They are not checked: [`crate::Schema::load`] does that.
///
/// # Errors
/// The first thing that is wrong; or a limit.
pub fn parse_schema(text: &str, host: &mut dyn Host) -> Result<SystemDocument, Failure> {
    Parser::new(text, Source::Given, host)?.system_document()
}

/// As [`parse_schema`], for what every schema begins with.
pub(crate) fn parse_prelude(text: &str, host: &mut dyn Host) -> Result<SystemDocument, Failure> {
    let mut document = Parser::new(text, Source::Prelude, host)?.system_document()?;
    for definition in &mut document.definitions {
        definition.built_in = true;
    }
    Ok(document)
}

struct Parser<'t, 'h> {
    lexer: Lexer<'t>,
    host: &'h mut dyn Host,
    /// The next token.
    next: Token,
    /// The last one taken: a comment, if one stands before the next.
    previous: Token,
    /// The comments before the next token.
    comment: Option<CommentGroup>,
    /// Whether `next` has been looked at since it was reached: comments before it are known only then.
    looked: bool,
    depth: usize,
}

impl<'t, 'h> Parser<'t, 'h> {
    fn new(text: &'t str, source: Source, host: &'h mut dyn Host) -> Parsed<Self> {
        if text.len() > MAX_LENGTH {
            return Err(Failure::TooLarge("GraphQL of more than 1 MiB is not read here"));
        }
        host.spend(text.len() / 2)?;
        let nothing = Token {
            kind: Kind::Invalid,
            value: String::new(),
            position: Position { line: 0, column: 0, source },
        };
        Ok(Self {
            lexer: Lexer::new(text, source),
            host,
            next: nothing.clone(),
            previous: nothing,
            comment: None,
            looked: false,
            depth: 0,
        })
    }

    /// The next token, comments passed over and kept.
    fn peek(&mut self) -> &Token {
        if !self.looked {
            self.looked = true;
            self.next = self.lexer.next();
            if self.next.kind == Kind::Comment {
                let mut list = Vec::new();
                while self.next.kind == Kind::Comment {
                    let following = self.lexer.next();
                    self.previous = std::mem::replace(&mut self.next, following);
                    list.push(Comment { value: self.previous.value.clone() });
                }
                self.comment = Some(CommentGroup { list });
            }
        }
        &self.next
    }

    fn kind(&mut self) -> Kind {
        self.peek().kind
    }

    /// Whether the next token is that name.
    fn is_word(&mut self, word: &str) -> bool {
        self.peek().value == word
    }

    #[expect(clippy::unnecessary_wraps, reason = "trees that come from JSON have no positions")]
    fn position(&mut self) -> Option<Position> {
        Some(self.peek().position)
    }

    /// The comments before the next token, which must have been looked at.
    fn comment(&mut self) -> Option<CommentGroup> {
        self.peek();
        self.comment.clone()
    }

    /// Takes the next token.
    fn take(&mut self) -> Token {
        self.peek();
        self.looked = false;
        self.comment = None;
        self.previous = self.next.clone();
        self.previous.clone()
    }

    fn fail<T>(&mut self, message: String) -> Parsed<T> {
        let position = self.peek().position;
        Err(Problem { message, position: Some(position) }.into())
    }

    /// A token with its value, for a message.
    fn shown(&self, token: &Token) -> String {
        if token.value.is_empty() {
            return token.kind.to_string();
        }
        format!("{} {}", token.kind, self.host.quote(&token.value))
    }

    fn unexpected<T>(&mut self) -> Parsed<T> {
        let token = self.peek().clone();
        self.unexpected_token(&token)
    }

    fn unexpected_token<T>(&mut self, token: &Token) -> Parsed<T> {
        let message = format!("Unexpected {}", self.shown(token));
        Err(Problem { message, position: Some(token.position) }.into())
    }

    fn expect(&mut self, kind: Kind) -> Parsed<Token> {
        let found = self.kind();
        if found == kind { Ok(self.take()) } else { self.fail(format!("Expected {kind}, found {found}")) }
    }

    fn keyword(&mut self, word: &str) -> Parsed<()> {
        let token = self.peek().clone();
        if token.kind == Kind::Name && token.value == word {
            self.take();
            return Ok(());
        }
        let message = format!("Expected {}, found {}", self.host.quote(word), self.shown(&token));
        self.fail(message)
    }

    fn name(&mut self) -> Parsed<String> {
        Ok(self.expect(Kind::Name)?.value)
    }

    fn skip(&mut self, kind: Kind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.take();
        }
        found
    }

    /// Something within something, as deep as it may be.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_NESTING {
            return Err(Failure::TooLarge("GraphQL that nests more than 80 deep is not read here"));
        }
        self.depth += 1;
        let outcome = read(self);
        self.depth -= 1;
        outcome
    }

    /// What stands between two brackets, if the first is there: at least one thing. And the comments before the
    /// second bracket.
    fn some<T>(
        &mut self,
        open: Kind,
        close: Kind,
        mut read: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<(Vec<T>, Option<CommentGroup>)> {
        if !self.skip(open) {
            return Ok((Vec::new(), None));
        }
        let mut found = Vec::new();
        while self.kind() != close {
            found.push(read(self)?);
        }
        if found.is_empty() {
            return self.fail(format!("expected at least one definition, found {close}"));
        }
        let comment = self.comment();
        self.take();
        Ok((found, comment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Free;
    use crate::tree::JsonTree;

    fn query(text: &str) -> String {
        match parse_query(text, &mut Free) {
            Ok(document) => document.to_json().unwrap().to_string(),
            Err(Failure::Problem(problem)) => problem.to_string(),
            Err(other) => format!("{other:?}"),
        }
    }

    fn schema(text: &str) -> String {
        match parse_schema(text, &mut Free) {
            Ok(document) => document.to_json().unwrap().to_string(),
            Err(Failure::Problem(problem)) => problem.to_string(),
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn queries_become_trees() {
        assert_eq!(
            query("{ a: b(x: # l\n [1 $v]) # c\n ... X @d ... on T { c } }"),
            concat!(
                r#"{"Operations":[{"Name":"","Operation":"query","SelectionSet":["#,
                r#"{"Alias":"a","Arguments":[{"Name":"x","Value":{"Children":["#,
                r#"{"Name":"","Value":{"ExpectedTypeHasDefault":false,"Kind":1,"Raw":"1"}},"#,
                r#"{"Name":"","Value":{"ExpectedTypeHasDefault":false,"Kind":0,"Raw":"v"}}],"#,
                r##""Comment":{"List":[{"Value":"# l"}]},"ExpectedTypeHasDefault":false,"Kind":8,"Raw":""}}],"Name":"b"},"##,
                r##"{"Comment":{"List":[{"Value":"# c"}]},"Directives":[{"Location":"","Name":"d"}],"Name":"X"},"##,
                r#"{"SelectionSet":[{"Alias":"c","Name":"c"}],"TypeCondition":"T"}]}]}"#,
            )
        );
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        for (text, problem) in [
            ("{", "input:1:2: Expected Name, found <EOF>"),
            ("{}", "input:1:2: expected at least one definition, found }"),
            ("{a(x:é)}", "input:1:6: Unexpected <Invalid>"),
            ("query A($x: Int = [$y]) { a }", "input:1:20: Unexpected $"),
            ("fragment on on A { b }", "input:1:10: Unexpected Name \"on\""),
            ("fragment A B", "input:1:12: Expected \"on\", found Name \"B\""),
            ("query A", "input:1:8: Expected {, found <EOF>"),
        ] {
            assert_eq!(query(text), problem, "{text}");
        }
        for (text, problem) in [
            ("type A { b }", "input:1:12: Expected :, found }"),
            ("\"x\"\n#q\n extend type A {b:C}", "input:2:1: Unexpected Comment \"#q\""),
            ("extend type A", "input:1:14: Unexpected <EOF>"),
            ("directive @a on QUERY | NOWHERE", "input:1:25: Unexpected Name \"NOWHERE\""),
            ("\"\"\"a\nb\"\"\" {", "input:2:6: Unexpected {"),
        ] {
            assert_eq!(schema(text), problem, "{text}");
        }
    }

    #[test]
    fn what_nests_too_deep_is_not_read() {
        let deep = format!("{}{}", "{a".repeat(100_000), "}".repeat(100_000));
        assert_eq!(
            parse_query(&deep, &mut Free),
            Err(Failure::TooLarge("GraphQL that nests more than 80 deep is not read here"))
        );
        for deep in ["{a(b:", "{a(b:[", "{a(b:{c:"] {
            let deep = deep.to_owned() + &"[".repeat(100_000);
            assert!(matches!(parse_query(&deep, &mut Free), Err(Failure::TooLarge(_))));
        }
        let deep = format!("type A {{ b: {}", "[".repeat(100_000));
        assert!(matches!(parse_schema(&deep, &mut Free), Err(Failure::TooLarge(_))));
        assert!(matches!(parse_schema(&" ".repeat(MAX_LENGTH + 1), &mut Free), Err(Failure::TooLarge(_))));
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read_or_refused(text in "[a-z{}()\\[\\]$@!|&.:=# \"\\\\\n0-9é-]{0,80}") {
            let _ = (parse_query(&text, &mut Free), parse_schema(&text, &mut Free));
            let _ = parse_schema(&format!("type A {{ a: {text}"), &mut Free);
            let _ = parse_query(&format!("{{ a(b: {text}"), &mut Free);
        }
    }
}
