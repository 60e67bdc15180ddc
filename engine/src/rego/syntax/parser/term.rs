//! Terms without operators: literals, names, and what opens a bracket.

use super::super::token::Tok;
use super::super::tree::{Infix, Operator, Ref, Span, Term, TermKind};
use super::text::unescape;
use super::{Parsed, Parser};

impl Parser<'_> {
    /// A term, with the reference or call that it starts.
    pub(super) fn term(&mut self) -> Parsed<Term> {
        self.enter()?;
        let term = self.term_and_tail()?;
        self.leave();
        Ok(term)
    }

    fn term_and_tail(&mut self) -> Parsed<Term> {
        let span = self.span();
        self.height = 1;
        let called = self.adjoins(self.at + 1) && self.tok_at(self.at + 1) == Tok::LeftParen;
        let tok = match self.tok() {
            // Where a term is expected, `and(x, y)` can only be the builtin.
            Tok::LogicalAnd | Tok::LogicalOr if called => Tok::Ident,
            tok => tok,
        };
        let head = match tok {
            Tok::Null => self.one(TermKind::Null),
            Tok::True => self.one(TermKind::Bool(true)),
            Tok::False => self.one(TermKind::Bool(false)),
            Tok::Minus if matches!(self.tok_at(self.at + 1), Tok::Ident | Tok::Contains) => {
                return self.minus_reference(span);
            }
            Tok::Minus | Tok::Dot | Tok::Number => self.number()?,
            Tok::String | Tok::RawString => self.string()?,
            Tok::TemplatePart | Tok::TemplateEnd => self.template(false)?,
            Tok::RawTemplatePart | Tok::RawTemplateEnd => self.template(true)?,
            Tok::Ident | Tok::Contains => self.variable(),
            Tok::LeftBracket => self.array()?,
            Tok::LeftBrace => self.set_or_object()?,
            Tok::LeftParen => self.parentheses()?,
            _ => return self.unexpected(""),
        };
        self.tail(head)
    }

    /// The next token as a term.
    fn one(&mut self, kind: TermKind) -> Term {
        let span = self.span();
        self.advance();
        Term { span, kind }
    }

    pub(super) fn variable(&mut self) -> Term {
        let kind = match self.word() {
            "_" => TermKind::Wildcard,
            word => TermKind::Var(word.to_owned()),
        };
        self.one(kind)
    }

    /// `-x.y` is `0 - x.y`.
    fn minus_reference(&mut self, operator_span: Span) -> Parsed<Term> {
        self.advance();
        let head = self.variable();
        let right = self.tail(head)?;
        self.above(1)?;
        let left = Term { span: operator_span, kind: TermKind::Number("0".to_owned()) };
        let infix = Infix { operator: Operator::Subtract, operator_span, left, right };
        Ok(Term { span: operator_span.to(infix.right.span), kind: TermKind::Infix(Box::new(infix)) })
    }

    /// What follows without a space makes a reference or a call of it.
    fn tail(&mut self, head: Term) -> Parsed<Term> {
        if self.adjoins(self.at) && matches!(self.tok(), Tok::LeftParen | Tok::Dot | Tok::LeftBracket) {
            return self.reference(head);
        }
        Ok(document(head))
    }

    fn parentheses(&mut self) -> Parsed<Term> {
        let start = self.start();
        self.advance();
        let mut term = self.infix()?;
        self.expect(Tok::RightParen, "expected `)`; the expression in parentheses is not terminated")?;
        term.span = self.since(start);
        Ok(term)
    }

    fn number(&mut self) -> Parsed<Term> {
        let start = self.start();
        let mut text = String::new();
        if self.take(Tok::Minus) {
            text.push('-');
        }
        let fraction = self.take(Tok::Dot);
        if fraction {
            text.push('.');
        }
        if !self.is(Tok::Number) {
            return self.unexpected("expected number");
        }
        let (word, span) = (self.word(), self.span());
        let mut leading = word.chars();
        if !fraction && leading.next() == Some('0') && leading.next().is_some_and(|c| c.is_ascii_digit()) {
            return self
                .fail(span, format!("unexpected number `{word}`: expected number without leading zero"));
        }
        text.push_str(word);
        if !is_moderate(&text) {
            return self.fail(span, "number too big");
        }
        self.advance();
        Ok(Term { span: self.since(start), kind: TermKind::Number(text) })
    }

    fn string(&mut self) -> Parsed<Term> {
        let (span, raw) = (self.span(), self.is(Tok::RawString));
        let word = self.word();
        let inner = word.get(1..word.len().saturating_sub(1)).unwrap_or_default();
        let text = if raw { inner.to_owned() } else { self.unescaped(span, unescape(inner))? };
        Ok(self.one(TermKind::String { text, raw }))
    }

    pub(super) fn unescaped(&mut self, span: Span, text: Result<String, &'static str>) -> Parsed<String> {
        match text {
            Ok(text) => Ok(text),
            Err(problem) => self.fail(span, format!("illegal string literal: {problem}")),
        }
    }
}

/// `input` and `data` alone are references to the whole document.
pub(super) fn document(term: Term) -> Term {
    match &term.kind {
        TermKind::Var(name) if name == "input" || name == "data" => {
            let span = term.span;
            Term { span, kind: TermKind::Ref(Ref { head: Box::new(term), path: Vec::new() }) }
        }
        _ => term,
    }
}

/// Whether the binary exponent of a number is at most 100,000, OPA's limit: then arithmetic on it has an end.
/// Within four of that limit it is refused rather than computed.
fn is_moderate(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mantissa = mantissa.trim_start_matches('-');
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX / 4);
    let significant = whole.trim_start_matches('0');
    let magnitude = if !significant.is_empty() {
        length(significant)
    } else if fraction.bytes().all(|digit| digit == b'0') {
        return exponent.parse::<i64>().is_ok();
    } else {
        length(fraction.trim_start_matches('0')) - length(fraction)
    };
    let Ok(exponent) = exponent.parse::<i64>() else { return false };
    // 30,102 decimal digits are 99,997 bits.
    exponent.checked_add(magnitude).is_some_and(|digits| digits.abs() <= 30_102)
}

#[cfg(test)]
mod tests {
    use super::is_moderate;

    #[test]
    fn numbers_that_would_take_for_ever_are_refused() {
        for text in ["0", "-0.0", "1e30000", "1e-30000", "0.00001e30000", "123.456e7", "0e5"] {
            assert!(is_moderate(text), "{text}");
        }
        for text in ["1e30200", "1e-30200", "1e99999999999999999999", "123e30101"] {
            assert!(!is_moderate(text), "{text}");
        }
    }
}
