//! Operators between terms: `in`, comparisons, `|`, `&`, `+ -`, `* / %`, from weak to strong, all left-associative.

use super::super::token::Tok;
use super::super::tree::{Infix, Member, Operator, Span, Term, TermKind};
use super::{Parsed, Parser};

/// How strongly an operator binds; that of `in` is less than all.
fn operator(tok: Tok) -> Option<(Operator, u8)> {
    Some(match tok {
        Tok::Equal => (Operator::Equal, 1),
        Tok::NotEqual => (Operator::NotEqual, 1),
        Tok::Less => (Operator::Less, 1),
        Tok::LessOrEqual => (Operator::LessOrEqual, 1),
        Tok::Greater => (Operator::Greater, 1),
        Tok::GreaterOrEqual => (Operator::GreaterOrEqual, 1),
        Tok::Pipe => (Operator::Unite, 2),
        Tok::Ampersand => (Operator::Intersect, 3),
        Tok::Plus => (Operator::Add, 4),
        Tok::Minus => (Operator::Subtract, 4),
        Tok::Star => (Operator::Multiply, 5),
        Tok::Slash => (Operator::Divide, 5),
        Tok::Percent => (Operator::Remainder, 5),
        _ => return None,
    })
}

impl Parser<'_> {
    /// A term with operators, `key, value in collection` among them.
    pub(super) fn infix(&mut self) -> Parsed<Term> {
        self.enter()?;
        let term = self.membership(None, true)?;
        self.leave();
        Ok(term)
    }

    /// A term with operators where a comma separates: in arguments and collections.
    pub(super) fn infix_in_list(&mut self) -> Parsed<Term> {
        self.enter()?;
        let term = self.membership(None, false)?;
        self.leave();
        Ok(term)
    }

    /// Goes on after a first operand that was read already; it must have been read last.
    pub(super) fn infix_from(&mut self, first: Term) -> Parsed<Term> {
        self.membership(Some(first), false)
    }

    fn membership(&mut self, first: Option<Term>, with_key: bool) -> Parsed<Term> {
        let mut left = self.binary(first, 1)?;
        if with_key && self.is(Tok::Comma) {
            let height = self.height;
            let mark = self.mark();
            self.advance();
            if let Ok((value, in_span, collection)) = self.after_key() {
                self.above(height)?;
                left = member(Some(left), value, collection, in_span);
            } else {
                self.back(mark);
                self.height = height;
            }
        }
        loop {
            let _ = self.keyword_starts_reference();
            if !self.is(Tok::In) {
                return Ok(left);
            }
            let (height, in_span) = (self.height, self.span());
            self.advance();
            let collection = self.binary(None, 1)?;
            self.above(height)?;
            left = member(None, left, collection, in_span);
        }
    }

    /// `value in collection` after `key,`.
    fn after_key(&mut self) -> Parsed<(Term, Span, Term)> {
        let value = self.binary(None, 1)?;
        let (height, in_span) = (self.height, self.span());
        self.expect(Tok::In, "expected `in`")?;
        let collection = self.binary(None, 1)?;
        self.height = self.height.max(height);
        Ok((value, in_span, collection))
    }

    fn binary(&mut self, first: Option<Term>, weakest: u8) -> Parsed<Term> {
        let mut left = match first {
            Some(first) => first,
            None => self.term()?,
        };
        while let Some((operator, strength)) = operator(self.tok()) {
            if strength < weakest {
                break;
            }
            let (height, operator_span) = (self.height, self.span());
            self.advance();
            let right = self.binary(None, strength + 1)?;
            self.above(height)?;
            let span = left.span.to(right.span);
            left = Term {
                span,
                kind: TermKind::Infix(Box::new(Infix { operator, operator_span, left, right })),
            };
        }
        Ok(left)
    }
}

fn member(key: Option<Term>, value: Term, collection: Term, operator_span: Span) -> Term {
    let span = key.as_ref().unwrap_or(&value).span.to(collection.span);
    Term { span, kind: TermKind::Member(Box::new(Member { key, value, collection, operator_span })) }
}
