//! The heads of rules, and the chain of `else`.

use super::super::token::Tok;
use super::super::tree::{Else, Head, HeadKind, Name, Span, Term, TermKind};
use super::{Parsed, Parser};

/// The name of a rule with what follows it, before its kind is known.
pub(super) struct Signature {
    pub(super) name: Name,
    pub(super) path: Vec<Term>,
    pub(super) args: Vec<Term>,
    /// Parentheses were written, perhaps without parameters.
    pub(super) called: bool,
}

/// A head as it was written: OPA decides its kind by what follows.
pub(super) struct WrittenHead {
    pub(super) span: Span,
    pub(super) signature: Signature,
    /// After `contains`.
    pub(super) element: Option<Term>,
    /// After `=` or `:=`.
    pub(super) value: Option<Term>,
    pub(super) assigned: bool,
}

impl WrittenHead {
    /// The path has one term after the name, and it is not a function: `p[x]`.
    pub(super) fn is_old_partial(&self) -> bool {
        self.signature.path.len() == 1 && self.signature.args.is_empty()
    }
}

impl Parser<'_> {
    /// A head, at its name.
    pub(super) fn head(&mut self, default: bool) -> Parsed<WrittenHead> {
        let start = self.start();
        let name = self.variable();
        let operator = matches!(
            self.tok(),
            Tok::Plus
                | Tok::Minus
                | Tok::Star
                | Tok::Slash
                | Tok::Percent
                | Tok::Ampersand
                | Tok::Pipe
                | Tok::Equal
                | Tok::NotEqual
                | Tok::Greater
                | Tok::GreaterOrEqual
                | Tok::Less
                | Tok::LessOrEqual
        );
        if operator && self.adjoins(self.at) {
            return self.unexpected("expected a rule; an expression cannot stand outside of a rule's body");
        }
        self.height = 1;
        let term = if matches!(self.tok(), Tok::LeftParen | Tok::Dot | Tok::LeftBracket) {
            self.reference(name)?
        } else {
            name
        };
        let shown = self.text_of(term.span);
        let signature = self.signature(term)?;
        let mut head =
            WrittenHead { span: self.since(start), signature, element: None, value: None, assigned: false };
        match self.tok() {
            Tok::Contains => {
                if head.signature.called {
                    return self.unexpected(
                        "the `contains` keyword can only be used with multi-value rule definitions, not with functions",
                    );
                }
                self.advance();
                head.element =
                    Some(self.head_term(&format!("{shown} contains <VALUE> {{ ... }}"), "rule key")?);
            }
            tok @ (Tok::Unify | Tok::Assign) => {
                self.advance();
                head.assigned = tok == Tok::Assign;
                let symbol = if head.assigned { ":=" } else { "=" };
                let example = if default {
                    format!("default {shown} {symbol} <VALUE>")
                } else {
                    format!("{shown} {symbol} <VALUE> {{ ... }}")
                };
                head.value = Some(self.head_term(&example, "rule value")?);
            }
            _ => {}
        }
        head.span = self.since(start);
        Ok(head)
    }

    /// A value or key of a head; an error at its first word says what was expected.
    fn head_term(&mut self, example: &str, what: &str) -> Parsed<Term> {
        let ends = matches!(
            self.tok(),
            Tok::Eof | Tok::If | Tok::RightBrace | Tok::Default | Tok::Package | Tok::Import
        );
        if ends {
            let expected = format!("expected {what} term (e.g., {example})");
            return self.unexpected(&expected);
        }
        self.infix()
    }

    /// Splits a reference or call into what a head is made of.
    pub(super) fn signature(&mut self, term: Term) -> Parsed<Signature> {
        let span = term.span;
        let (head, path, args, called) = match term.kind {
            TermKind::Call(call) => (*call.function.head, call.function.path, call.args, true),
            TermKind::Ref(reference) => (*reference.head, reference.path, Vec::new(), false),
            TermKind::Set(elements) if elements.is_empty() && self.text_of(span).starts_with("set") => {
                // `set()` is the empty set even as a head; OPA finds no name in it.
                return self.fail(span, "set cannot be used for rule name");
            }
            kind => (Term { span, kind }, Vec::new(), Vec::new(), false),
        };
        match head.kind {
            TermKind::Var(text) => Ok(Signature { name: Name { span: head.span, text }, path, args, called }),
            TermKind::Wildcard => self.fail(head.span, "`_` cannot be used for rule name"),
            _ => self.fail(span, "invalid rule head: expected a name"),
        }
    }

    /// The chain of `else`, at the first.
    pub(super) fn elses(&mut self) -> Parsed<Vec<Else>> {
        let mut elses = Vec::new();
        while self.is(Tok::Else) {
            let start = self.start();
            self.advance();
            let written = match self.tok() {
                Tok::LeftBrace | Tok::If => None,
                tok @ (Tok::Unify | Tok::Assign) => {
                    self.advance();
                    Some((self.infix()?, tok == Tok::Assign))
                }
                _ => return self.unexpected("expected else value term or rule body"),
            };
            let value_span = self.since(start);
            let with_if = self.take(Tok::If);
            let body = if self.is(Tok::LeftBrace) {
                Some(self.braced()?)
            } else if with_if && self.is(Tok::Eof) {
                return self.unexpected("rule body expected");
            } else if with_if {
                Some(vec![self.literal()?])
            } else {
                None
            };
            let span = self.since(start);
            let (value_omitted, body_omitted) = (written.is_none(), body.is_none());
            let (value, assigned) = written.unwrap_or((truth(value_span), false));
            let body = body.unwrap_or_else(|| true_body(span));
            elses.push(Else { span, value, value_omitted, assigned, body, body_omitted, with_if });
            if body_omitted {
                break;
            }
        }
        Ok(elses)
    }
}

/// `true`, where no value was written.
pub(super) fn truth(span: Span) -> Term {
    Term { span, kind: TermKind::Bool(true) }
}

/// `true`, where no body was written.
pub(super) fn true_body(span: Span) -> super::Body {
    use super::super::tree::{Expr, ExprKind};
    vec![Expr { span, negated: false, kind: ExprKind::Term(truth(span)), with: Vec::new() }]
}

/// The kind of a head with a value.
pub(super) fn value_kind(value: Option<Term>, assigned: bool, span: Span) -> HeadKind {
    let omitted = value.is_none();
    HeadKind::Value { value: value.unwrap_or_else(|| truth(span)), omitted, assigned }
}

/// Puts a head together.
pub(super) fn head_of(span: Span, signature: Signature, kind: HeadKind) -> Head {
    Head { span, name: signature.name, path: signature.path, args: signature.args, kind }
}
