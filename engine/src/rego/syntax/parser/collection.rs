//! Arrays, sets, objects and comprehensions: what a bracket opens is known only after its first term.
//!
//! `{a | b}` is a comprehension and never a union in a set, as in OPA; only if what follows `|` stops at a comma, as
//! in `{a | b, c}`, is it read again as a list of terms.

use super::super::token::Tok;
use super::super::tree::{Body, Comprehension, ObjectComprehension, Term, TermKind};
use super::{Parsed, Parser};

impl Parser<'_> {
    pub(super) fn array(&mut self) -> Parsed<Term> {
        let start = self.start();
        self.advance();
        let kind = if self.is(Tok::RightBracket) {
            TermKind::Array(Vec::new())
        } else {
            // A comma may lead, for old policies; then it is no comprehension.
            let comprehension = !self.take(Tok::Comma);
            let first = self.term()?;
            self.array_after(first, comprehension)?
        };
        self.expect(Tok::RightBracket, "expected `,` or `]`")?;
        self.above(0)?;
        Ok(Term { span: self.since(start), kind })
    }

    fn array_after(&mut self, first: Term, comprehension: bool) -> Parsed<TermKind> {
        let first = if self.is(Tok::Pipe) && comprehension {
            match self.comprehension(first, Tok::RightBracket)? {
                Ok(comprehension) => return Ok(TermKind::ArrayComprehension(Box::new(comprehension))),
                Err(first) => first,
            }
        } else {
            first
        };
        Ok(TermKind::Array(self.list_from(first, Tok::RightBracket)?))
    }

    /// The rest of a list whose first term was begun.
    fn list_from(&mut self, first: Term, end: Tok) -> Parsed<Vec<Term>> {
        let first = self.infix_from(first)?;
        if !self.take(Tok::Comma) && !self.is(end) {
            let expected = format!("expected `,` or {}", end.shown());
            return self.unexpected(&expected);
        }
        self.terms(end, vec![first])
    }

    /// `| body` after a term; gives the term back if it is not a comprehension after all.
    fn comprehension(&mut self, term: Term, end: Tok) -> Parsed<Result<Comprehension, Term>> {
        let (mark, height) = (self.mark(), self.height);
        self.advance();
        match self.body(end) {
            Ok(body) => {
                self.height = self.height.max(height);
                Ok(Ok(Comprehension { term, body }))
            }
            Err(_) if self.is(Tok::Comma) => {
                self.back(mark);
                self.height = height;
                Ok(Err(term))
            }
            Err(stop) => Err(stop),
        }
    }

    pub(super) fn set_or_object(&mut self) -> Parsed<Term> {
        let start = self.start();
        self.advance();
        let kind = if self.is(Tok::RightBrace) {
            TermKind::Object(Vec::new())
        } else {
            let comprehension = !self.take(Tok::Comma);
            let first = self.term()?;
            self.braces_after(first, comprehension)?
        };
        self.expect(Tok::RightBrace, "expected `,` or `}`")?;
        self.above(0)?;
        Ok(Term { span: self.since(start), kind })
    }

    fn braces_after(&mut self, first: Term, comprehension: bool) -> Parsed<TermKind> {
        let first = if self.is(Tok::Pipe) && comprehension {
            match self.comprehension(first, Tok::RightBrace)? {
                Ok(comprehension) => return Ok(TermKind::SetComprehension(Box::new(comprehension))),
                Err(first) => {
                    return Ok(TermKind::Set(self.list_from(first, Tok::RightBrace)?));
                }
            }
        } else {
            first
        };
        let first = self.infix_from(first)?;
        match self.tok() {
            Tok::Colon => self.object(first, comprehension),
            Tok::RightBrace | Tok::Comma => {
                self.take(Tok::Comma);
                Ok(TermKind::Set(self.terms(Tok::RightBrace, vec![first])?))
            }
            _ => self.unexpected("expected `,`, `:` or `}`"),
        }
    }

    /// An object or its comprehension, at the first `:`.
    fn object(&mut self, key: Term, comprehension: bool) -> Parsed<TermKind> {
        let key_height = self.height;
        self.advance();
        let value = self.term()?;
        let value = if self.is(Tok::Pipe) && comprehension {
            match self.object_comprehension()? {
                Some(body) => {
                    self.height = self.height.max(key_height);
                    let found = ObjectComprehension { key, value, body };
                    return Ok(TermKind::ObjectComprehension(Box::new(found)));
                }
                None => value,
            }
        } else {
            value
        };
        let value = self.infix_from(value)?;
        let mut highest = self.height.max(key_height);
        let mut pairs = vec![(key, value)];
        while !self.is(Tok::RightBrace) {
            self.expect(Tok::Comma, "expected `,` or `}`")?;
            if self.is(Tok::RightBrace) {
                break;
            }
            let key = self.infix_in_list()?;
            highest = highest.max(self.height);
            self.expect(Tok::Colon, "expected `:`")?;
            let value = self.infix_in_list()?;
            highest = highest.max(self.height);
            pairs.push((key, value));
        }
        self.height = highest;
        Ok(TermKind::Object(pairs))
    }

    /// `| body` after the first value; `None`: read it as a union.
    fn object_comprehension(&mut self) -> Parsed<Option<Body>> {
        let (mark, height) = (self.mark(), self.height);
        self.advance();
        match self.body(Tok::RightBrace) {
            Ok(body) => {
                self.height = self.height.max(height);
                Ok(Some(body))
            }
            // Only a comma can follow a union here; anything else is an error in the body, and told as such.
            Err(_) if self.is(Tok::Comma) => {
                self.back(mark);
                self.height = height;
                Ok(None)
            }
            Err(stop) => Err(stop),
        }
    }
}
