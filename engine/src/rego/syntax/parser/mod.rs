//! The parser: a hand-written descent over the tokens, with a place to go back to where Rego is ambiguous.
//!
//! OPA reads some texts twice (`{a | b, c}` first as a comprehension); so do we, and for that the tokens are kept
//! and every step is counted: a text that makes us go back too often is refused.

mod body;
mod collection;
mod head;
mod infix;
mod logical;
mod reference;
mod rule;
mod statement;
mod template;
mod term;
mod text;
mod version;

use super::lexer::lex;
use super::token::{Tok, Token};
use super::tree::{Body, Module, Position, Span, Version};
use super::{MAX_BYTES, MAX_DEPTH, SyntaxError};

/// An error was recorded; the caller goes back, or gives up.
#[derive(Clone, Copy, Debug)]
struct Stop;

type Parsed<T> = Result<T, Stop>;

/// Errors of one file that are worth reading.
const MAX_ERRORS: usize = 50;

/// Which of the later keywords are keywords here.
#[derive(Clone, Copy, Debug, Default)]
struct Keywords {
    r#in: bool,
    every: bool,
    contains: bool,
    r#if: bool,
    and: bool,
    or: bool,
    /// `not { … }` has a body.
    not_bodies: bool,
}

impl Keywords {
    /// Those that Rego v1 made keywords.
    fn add_v1(&mut self) {
        (self.r#in, self.every, self.contains, self.r#if) = (true, true, true, true);
    }

    /// Those that come after v1.
    fn add_v2(&mut self) {
        (self.and, self.or, self.not_bodies) = (true, true, true);
    }

    /// Turns on one by its name; false if there is none of that name.
    fn add(&mut self, word: &str) -> bool {
        match word {
            "in" => self.r#in = true,
            // Without `in` it could not be used.
            "every" => (self.every, self.r#in) = (true, true),
            "contains" => self.contains = true,
            "if" => self.r#if = true,
            "and" => self.and = true,
            "or" => self.or = true,
            "not" => self.not_bodies = true,
            _ => return false,
        }
        true
    }

    fn logical(self) -> bool {
        self.and || self.or
    }
}

/// A place to go back to.
#[derive(Clone, Copy)]
struct Mark {
    at: usize,
    as_ident: Option<usize>,
    errors: usize,
    depth: usize,
}

struct Parser<'t> {
    source: &'t str,
    tokens: Vec<Token>,
    /// The token that comes next.
    at: usize,
    /// A keyword that stands for a name, by its place.
    as_ident: Option<usize>,
    keywords: Keywords,
    /// What the file is read as.
    version: Version,
    errors: Vec<SyntaxError>,
    /// Brackets and bodies around.
    depth: usize,
    /// The height of the node read last.
    height: usize,
    /// Tokens that may still be stepped over, those read again included.
    budget: usize,
    /// A limit was exceeded: nothing more is tried.
    given_up: bool,
}

/// Reads a file.
pub(super) fn module(text: &str, version: Version) -> Result<Module, Vec<SyntaxError>> {
    let mut parser = Parser::new(text, version)?;
    let (comments, lexical) = (std::mem::take(&mut parser.1), std::mem::take(&mut parser.2));
    let mut parser = parser.0;
    let module = parser.module(comments);
    match module {
        Some(module) if lexical.is_empty() && parser.errors.is_empty() => Ok(module),
        _ => Err(parser.all_errors(lexical)),
    }
}

/// Reads a query.
pub(super) fn query(text: &str, version: Version) -> Result<Body, Vec<SyntaxError>> {
    let (mut parser, _, lexical) = Parser::new(text, version)?;
    match parser.whole_query() {
        Ok(body) if lexical.is_empty() && parser.errors.is_empty() => Ok(body),
        _ => Err(parser.all_errors(lexical)),
    }
}

type Prepared<'t> = (Parser<'t>, Vec<super::tree::Comment>, Vec<SyntaxError>);

impl<'t> Parser<'t> {
    fn new(source: &'t str, version: Version) -> Result<Prepared<'t>, Vec<SyntaxError>> {
        if source.len() > MAX_BYTES {
            let message = format!("the file has {} bytes; at most {MAX_BYTES} are read", source.len());
            return Err(vec![SyntaxError { span: Span::default(), message }]);
        }
        let lexed = lex(source);
        let mut keywords = Keywords::default();
        if version >= Version::V1 {
            keywords.add_v1();
        }
        if version >= Version::V2 {
            keywords.add_v2();
        }
        let budget = lexed.tokens.len().saturating_mul(64) + 4096;
        let parser = Self {
            source,
            tokens: lexed.tokens,
            at: 0,
            as_ident: None,
            keywords,
            version,
            errors: Vec::new(),
            depth: 0,
            height: 0,
            budget,
            given_up: false,
        };
        Ok((parser, lexed.comments, lexed.errors))
    }

    /// What was found by the lexer and here, in order, each place once.
    fn all_errors(self, lexical: Vec<SyntaxError>) -> Vec<SyntaxError> {
        let mut all = lexical;
        all.extend(self.errors);
        all.sort_by_key(|error| error.span.start);
        all.dedup_by_key(|error| error.span.start);
        all.truncate(MAX_ERRORS);
        if all.is_empty() {
            // Cannot happen: every `Stop` comes with an error. An unexplained refusal is still better than a pass.
            all.push(SyntaxError {
                span: Span::default(),
                message: "this cannot be read as Rego".to_owned(),
            });
        }
        all
    }

    // Tokens.

    fn token_at(&self, at: usize) -> Token {
        let end = Token { tok: Tok::Eof, span: Span::default(), after_newline: true };
        self.tokens.get(at).or(self.tokens.last()).copied().unwrap_or(end)
    }

    /// What comes next.
    fn tok(&self) -> Tok {
        self.tok_at(self.at)
    }

    fn tok_at(&self, at: usize) -> Tok {
        if self.as_ident == Some(at) {
            return Tok::Ident;
        }
        let keywords = self.keywords;
        match self.token_at(at).tok {
            Tok::In if !keywords.r#in => Tok::Ident,
            Tok::Every if !keywords.every => Tok::Ident,
            Tok::Contains if !keywords.contains => Tok::Ident,
            Tok::If if !keywords.r#if => Tok::Ident,
            Tok::LogicalAnd if !keywords.and => Tok::Ident,
            Tok::LogicalOr if !keywords.or => Tok::Ident,
            other => other,
        }
    }

    fn is(&self, tok: Tok) -> bool {
        self.tok() == tok
    }

    fn span(&self) -> Span {
        self.token_at(self.at).span
    }

    /// The text of the token that comes next.
    fn word(&self) -> &'t str {
        self.text_of(self.span())
    }

    fn text_of(&self, span: Span) -> &'t str {
        self.source.get(span.start.offset as usize..span.end.offset as usize).unwrap_or_default()
    }

    fn start(&self) -> Position {
        self.span().start
    }

    /// Just after the token read last.
    fn last_end(&self) -> Position {
        match self.at.checked_sub(1) {
            Some(before) => self.token_at(before).span.end,
            None => Position { offset: 0, line: 1, column: 1 },
        }
    }

    /// From a place to the end of the token read last.
    fn since(&self, start: Position) -> Span {
        Span { start, end: self.last_end() }
    }

    /// Whether a token follows the one before it without a space: only then `(`, `.` and `[` belong to that.
    fn adjoins(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|before| {
            self.token_at(before).span.end.offset == self.token_at(at).span.start.offset
        })
    }

    fn advance(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        if let Some(left) = self.budget.checked_sub(1) {
            self.budget = left;
        } else if !self.given_up {
            self.give_up("this text can be read in too many ways; simplify nested `{`, `[` and `|`");
        }
    }

    fn take(&mut self, tok: Tok) -> bool {
        let there = self.is(tok);
        if there {
            self.advance();
        }
        there
    }

    /// Whether a keyword starts a reference here (`in.x`, `not["a"]`); it is a name then.
    fn keyword_starts_reference(&mut self) -> bool {
        let starts = self.tok().is_keyword()
            && self.adjoins(self.at + 1)
            && matches!(self.tok_at(self.at + 1), Tok::Dot | Tok::LeftBracket);
        if starts {
            self.as_ident = Some(self.at);
        }
        starts
    }

    // Errors.

    fn error(&mut self, span: Span, message: impl Into<String>) {
        if !self.given_up {
            self.errors.push(SyntaxError { span, message: message.into() });
        }
    }

    fn fail<T>(&mut self, span: Span, message: impl Into<String>) -> Parsed<T> {
        self.error(span, message);
        Err(Stop)
    }

    /// The next token is none that could stand here.
    fn unexpected<T>(&mut self, expected: &str) -> Parsed<T> {
        let tok = self.tok();
        if tok == Tok::Illegal {
            // The lexer has said what is wrong with it.
            return Err(Stop);
        }
        let shown = match tok {
            Tok::Ident => format!("identifier `{}`", self.word()),
            _ => tok.shown().to_owned(),
        };
        let colon = if expected.is_empty() { "" } else { ": " };
        self.fail(self.span(), format!("unexpected {shown}{colon}{expected}"))
    }

    fn expect(&mut self, tok: Tok, expected: &str) -> Parsed<()> {
        if self.take(tok) { Ok(()) } else { self.unexpected(expected) }
    }

    /// A limit is exceeded: this is the only error that counts, and reading ends.
    fn give_up(&mut self, message: &str) {
        let span = self.span();
        self.error(span, message);
        self.given_up = true;
        self.at = self.tokens.len().saturating_sub(1);
    }

    // Going back.

    fn mark(&self) -> Mark {
        Mark { at: self.at, as_ident: self.as_ident, errors: self.errors.len(), depth: self.depth }
    }

    /// Forgets what was read and reported since the mark.
    fn back(&mut self, mark: Mark) {
        if !self.given_up {
            self.at = mark.at;
            self.as_ident = mark.as_ident;
            self.errors.truncate(mark.errors);
            self.depth = mark.depth;
        }
    }

    // Depth.

    /// One level deeper; undone by [`Self::leave`], or by going back.
    fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.too_deep();
        }
        if self.given_up { Err(Stop) } else { Ok(()) }
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// The node just read stands above one of `below`, and above the one read last.
    fn above(&mut self, below: usize) -> Parsed<()> {
        self.height = self.height.max(below) + 1;
        if self.height > MAX_DEPTH {
            self.too_deep();
            return Err(Stop);
        }
        Ok(())
    }

    fn too_deep(&mut self) {
        let message = format!("nested or chained more than {MAX_DEPTH} deep");
        if !self.given_up {
            self.give_up(&message);
        }
    }
}
