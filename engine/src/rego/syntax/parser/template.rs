//! Template strings: `$"{x} is not {y}"`.

use super::super::token::Tok;
use super::super::tree::{Expr, ExprKind, Span, TemplatePart, Term, TermKind, Version};
use super::text::{unescape_braces, unescape_template};
use super::{Parsed, Parser};

impl Parser<'_> {
    pub(super) fn template(&mut self, raw: bool) -> Parsed<Term> {
        let start = self.start();
        if self.version == Version::V0 {
            return self.fail(self.span(), "template strings are not supported in Rego v0");
        }
        let mut parts = Vec::new();
        let mut highest = 0;
        let mut opening = 2;
        loop {
            let (tok, span) = (self.tok(), self.span());
            let goes_on = match tok {
                Tok::TemplatePart if !raw => true,
                Tok::RawTemplatePart if raw => true,
                Tok::TemplateEnd if !raw => false,
                Tok::RawTemplateEnd if raw => false,
                _ => return self.unexpected("expected `}` to end the expression in the template string"),
            };
            let text = self.template_text(span, opening, raw)?;
            if !text.is_empty() {
                parts.push(TemplatePart::Text { span, text });
            }
            opening = 1;
            self.advance();
            if !goes_on {
                break;
            }
            let expr = self.template_expression()?;
            highest = highest.max(self.height);
            parts.push(TemplatePart::Expr(expr));
        }
        self.height = highest;
        self.above(0)?;
        Ok(Term { span: self.since(start), kind: TermKind::Template { parts, raw } })
    }

    /// The text of the next token, without the quote or brace at either end.
    fn template_text(&mut self, span: Span, opening: usize, raw: bool) -> Parsed<String> {
        let word = self.text_of(span);
        let inner = word.get(opening..word.len().saturating_sub(1)).unwrap_or_default();
        if raw { Ok(unescape_braces(inner)) } else { self.unescaped(span, unescape_template(inner)) }
    }

    fn template_expression(&mut self) -> Parsed<Expr> {
        let expr = self.literal()?;
        let called = |name: &str| match &expr.kind {
            ExprKind::Term(Term { kind: TermKind::Call(call), .. }) => call.dotted().as_deref() == Some(name),
            _ => false,
        };
        let problem = match &expr.kind {
            _ if expr.negated => "negation (`not`)",
            ExprKind::Unify { .. } => "unification (`=`)",
            ExprKind::Assign { .. } => "assignment (`:=`)",
            ExprKind::Every { .. } => "`every`",
            ExprKind::Some(_) | ExprKind::SomeIn { .. } => "`some`",
            _ if called("eq") => "unification (`eq`)",
            _ if called("assign") => "assignment (`assign`)",
            _ => return Ok(expr),
        };
        self.fail(expr.span, format!("unexpected {problem} in template string expression"))
    }
}
