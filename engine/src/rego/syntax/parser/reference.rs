//! References and calls: `a.b[c]`, `f(x)`, and what follows a call or a collection.

use super::super::token::Tok;
use super::super::tree::{Call, Ref, Span, Term, TermKind};
use super::term::document;
use super::{Parsed, Parser};

impl Parser<'_> {
    /// Goes on after a head, at `.`, `[` or `(`.
    pub(super) fn reference(&mut self, head: Term) -> Parsed<Term> {
        let start = head.span.start;
        let mut head = self.checked_head(head)?;
        let mut path: Vec<Term> = Vec::new();
        // Whether the next token may be after a space: only where a rule's head has one before its first bracket.
        let mut first = true;
        let mut highest = self.height;
        loop {
            let goes_on = first || self.adjoins(self.at);
            first = false;
            match self.tok() {
                Tok::Dot if goes_on => {
                    self.advance();
                    path.push(self.field()?);
                }
                Tok::LeftBracket if goes_on => {
                    self.advance();
                    path.push(self.infix()?);
                    highest = highest.max(self.height);
                    self.expect(Tok::RightBracket, "expected `]`")?;
                }
                Tok::LeftParen if goes_on => {
                    let name_span = self.since(start);
                    let function = Ref { head: Box::new(head), path: std::mem::take(&mut path) };
                    self.height = highest + 1;
                    head = self.call(function, name_span)?;
                    highest = self.height;
                    if !(self.adjoins(self.at) && matches!(self.tok(), Tok::Dot | Tok::LeftBracket)) {
                        return Ok(head);
                    }
                }
                _ => {
                    self.height = highest;
                    self.above(0)?;
                    let span = self.since(start);
                    return Ok(if path.is_empty() {
                        document(head)
                    } else {
                        Term { span, kind: TermKind::Ref(Ref { head: Box::new(head), path }) }
                    });
                }
            }
        }
    }

    /// What a reference can start with: literals have no parts.
    fn checked_head(&mut self, head: Term) -> Parsed<Term> {
        let shown = match &head.kind {
            TermKind::Null => "null",
            TermKind::Bool(_) => "boolean",
            TermKind::Number(_) => "number",
            TermKind::String { .. } => "string",
            TermKind::Template { .. } => "template string",
            TermKind::Ref(_) => "ref in parentheses",
            _ => return Ok(head),
        };
        self.fail(head.span, format!("illegal ref (head cannot be {shown})"))
    }

    /// The word after a dot, which may be a keyword.
    fn field(&mut self) -> Parsed<Term> {
        let tok = self.tok();
        if !self.adjoins(self.at) || !(tok == Tok::Ident || tok.is_keyword()) {
            return self.unexpected("expected identifier after `.`");
        }
        let (span, text) = (self.span(), self.word().to_owned());
        self.advance();
        Ok(Term { span, kind: TermKind::String { text, raw: false } })
    }

    /// The arguments of a call, at `(`.
    fn call(&mut self, function: Ref, name_span: Span) -> Parsed<Term> {
        self.enter()?;
        let height = self.height;
        self.advance();
        let args = self.terms(Tok::RightParen, Vec::new())?;
        self.expect(Tok::RightParen, "expected `,` or `)`")?;
        self.above(height)?;
        self.leave();
        let span = self.since(name_span.start);
        let empty_set = args.is_empty()
            && function.path.is_empty()
            && matches!(&function.head.kind, TermKind::Var(name) if name == "set");
        let kind =
            if empty_set { TermKind::Set(args) } else { TermKind::Call(Call { name_span, function, args }) };
        Ok(Term { span, kind })
    }

    /// Terms between commas, up to a closing bracket, which is left; one comma may trail.
    pub(super) fn terms(&mut self, end: Tok, mut terms: Vec<Term>) -> Parsed<Vec<Term>> {
        let mut highest = if terms.is_empty() { 0 } else { self.height };
        while !self.is(end) {
            terms.push(self.infix_in_list()?);
            highest = highest.max(self.height);
            if !self.take(Tok::Comma) && !self.is(end) {
                let expected = format!("expected `,` or {}", end.shown());
                return self.unexpected(&expected);
            }
        }
        self.height = highest;
        Ok(terms)
    }
}
