//! Rules: with a body, without one, and with several.

use super::super::token::Tok;
use super::super::tree::{Body, Expr, ExprKind, HeadKind, Ref, Rule, Span, Term, TermKind};
use super::head::{WrittenHead, head_of, true_body, value_kind};
use super::{Parsed, Parser, Stop};

impl Parser<'_> {
    /// A rule with its further bodies; `None`: it has no body, and is to be read as an expression.
    pub(super) fn rules(&mut self) -> Parsed<Option<Vec<Rule>>> {
        let start = self.start();
        let _ = self.keyword_starts_reference();
        let default = self.take(Tok::Default);
        if default {
            let _ = self.keyword_starts_reference();
        }
        if !self.is(Tok::Ident) {
            if default {
                return self.unexpected("expected the name of a rule after `default`");
            }
            return Ok(None);
        }
        let head = self.head(default)?;
        if default {
            return self.default_rule(head, self.since(start)).map(|rule| Some(vec![rule]));
        }
        let with_if = self.is(Tok::If);
        let element = head.element.is_some();
        // OPA's own key of `p[x]`: such a rule has no `else`, even where it has one value.
        let first = head.signature.path.first();
        let computed = first.is_some_and(|term| !is_ground(term) || matches!(term.kind, TermKind::Ref(_)));
        let old_key = !element && head.is_old_partial() && (!with_if || computed);
        let dynamic = head.signature.path.iter().any(|term| !is_ground(term));
        let body = if with_if {
            self.advance();
            Some(self.if_body()?)
        } else if self.is(Tok::LeftBrace) {
            Some(self.braced()?)
        } else if element {
            None
        } else {
            return Ok(None);
        };
        let body_omitted = body.is_none();
        let mut elses = Vec::new();
        if !body_omitted && self.is(Tok::Else) && !self.keyword_starts_reference() {
            if dynamic && !head.signature.path.is_empty() {
                return self.fail(self.span(), "else keyword cannot be used on rules with variables in head");
            }
            if old_key || element {
                return self.fail(self.span(), "else keyword cannot be used on multi-value rules");
            }
            elses = self.elses()?;
        }
        let span = self.since(start);
        let head = finished(head, with_if);
        let body = body.unwrap_or_else(|| true_body(span));
        let rule = Rule { span, default, head, body, body_omitted, with_if, elses, chained: false };
        if body_omitted { Ok(Some(vec![rule])) } else { self.further_bodies(rule).map(Some) }
    }

    /// `{ … }` after a body is one more rule with the same head.
    fn further_bodies(&mut self, first: Rule) -> Parsed<Vec<Rule>> {
        let mut rules = vec![first];
        while self.is(Tok::LeftBrace) {
            let Some(first) = rules.first() else { break };
            if !first.elses.is_empty() {
                return self.unexpected("expected else keyword");
            }
            let (head, with_if) = (first.head.clone(), first.with_if);
            let start = self.start();
            let body = self.braced()?;
            rules.push(Rule {
                span: self.since(start),
                default: false,
                head,
                body,
                body_omitted: false,
                with_if,
                elses: Vec::new(),
                chained: true,
            });
        }
        Ok(rules)
    }

    /// What follows `if`: an expression, or a body in braces if they do not hold an object or a comprehension.
    fn if_body(&mut self) -> Parsed<Body> {
        let brace = self.is(Tok::LeftBrace);
        let mark = self.mark();
        match self.literal() {
            Ok(expr) if !(brace && is_set(&expr)) => return Ok(vec![expr]),
            Err(stop) if !brace || self.given_up => return Err(stop),
            _ => {}
        }
        self.back(mark);
        self.braced()
    }

    fn default_rule(&mut self, head: WrittenHead, span: Span) -> Parsed<Rule> {
        if head.value.is_none() && head.is_old_partial() || head.element.is_some() {
            return self.fail(span, "illegal default rule (must have a value)");
        }
        if let Some(found) = head.value.as_ref().and_then(not_constant) {
            return self.fail(span, format!("illegal default rule (value cannot contain {found})"));
        }
        let mut names: Vec<&str> = Vec::new();
        for arg in &head.signature.args {
            match &arg.kind {
                TermKind::Var(name) if names.contains(&name.as_str()) => {
                    return self
                        .fail(span, format!("illegal default rule (arguments cannot be repeated {name})"));
                }
                TermKind::Var(name) => names.push(name),
                TermKind::Wildcard => {}
                _ => {
                    return self.fail(
                        span,
                        format!("illegal default rule (arguments cannot contain {})", arg.kind.shown()),
                    );
                }
            }
        }
        let head = finished(head, true);
        Ok(Rule {
            span,
            default: true,
            head,
            body: true_body(span),
            body_omitted: true,
            with_if: false,
            elses: Vec::new(),
            chained: false,
        })
    }

    /// A rule without a body, read as an expression: `p := 1`, `p[1]`, `f(x)`.
    pub(super) fn rule_of(&mut self, body: Body) -> Parsed<Rule> {
        let mut exprs = body.into_iter();
        let (Some(expr), None) = (exprs.next(), exprs.next()) else {
            return Err(self.refuse_rule(self.since(self.start()), "multiple expressions"));
        };
        let span = expr.span;
        if !expr.with.is_empty() {
            return Err(self.refuse_rule(span, "expressions using the `with` keyword"));
        }
        if expr.negated {
            return Err(self.refuse_rule(span, "negated expressions"));
        }
        let (signature, kind) = match self.infix_of(expr.kind)? {
            ExprKind::Assign { left, right } => {
                self.refuse_nameless(&left)?;
                (self.signature(left)?, value_kind(Some(right), true, span))
            }
            ExprKind::Unify { left, right } => {
                self.refuse_nameless(&left)?;
                (self.signature(left)?, value_kind(Some(right), false, span))
            }
            ExprKind::Term(term) => {
                self.refuse_nameless(&term)?;
                let is_call = matches!(term.kind, TermKind::Call(_));
                let is_name = matches!(term.kind, TermKind::Var(_) | TermKind::Wildcard);
                let mut signature = self.signature(term)?;
                if is_name {
                    let message = format!(
                        "var cannot be used for rule name: `{}` needs a value or a body",
                        signature.name.text
                    );
                    return self.fail(span, message);
                }
                if is_call && signature.args.is_empty() {
                    return self.fail(span, "rule argument list must take at least one argument");
                }
                match (is_call, signature.path.len()) {
                    (false, 0) => return Err(self.refuse_rule(span, "refs")),
                    (false, 1) => {
                        let key = signature.path.pop().unwrap_or_else(|| super::head::truth(span));
                        (signature, HeadKind::Element { key, with_contains: false })
                    }
                    _ => (signature, value_kind(None, false, span)),
                }
            }
            _ => return Err(self.refuse_rule(span, "this expression")),
        };
        Ok(Rule {
            span,
            default: false,
            head: head_of(span, signature, kind),
            body: true_body(span),
            body_omitted: true,
            with_if: false,
            elses: Vec::new(),
            chained: false,
        })
    }

    /// `assign(p, 1)` and `eq(p, 1)` are `p := 1` and `p = 1`, for rules too.
    fn infix_of(&mut self, kind: ExprKind) -> Parsed<ExprKind> {
        let ExprKind::Term(Term { kind: TermKind::Call(call), span }) = kind else { return Ok(kind) };
        let assigned = match call.dotted().as_deref() {
            Some("assign") => true,
            Some("eq") => false,
            _ => return Ok(ExprKind::Term(Term { kind: TermKind::Call(call), span })),
        };
        let mut args = call.args.into_iter();
        match (args.next(), args.next()) {
            (Some(left), Some(right)) if assigned => Ok(ExprKind::Assign { left, right }),
            (Some(left), Some(right)) => Ok(ExprKind::Unify { left, right }),
            _ => self.fail(span, "assignment requires two operands"),
        }
    }

    fn refuse_rule(&mut self, span: Span, what: &str) -> Stop {
        self.error(span, format!("{what} cannot be used for rule head"));
        Stop
    }

    /// Terms that cannot be the name of a rule.
    fn refuse_nameless(&mut self, term: &Term) -> Parsed<()> {
        match &term.kind {
            TermKind::Var(_) | TermKind::Wildcard | TermKind::Ref(_) | TermKind::Call(_) => Ok(()),
            TermKind::Infix(_) | TermKind::Member(_) => {
                self.fail(term.span, "expected a rule; an expression cannot stand outside of a rule's body")
            }
            kind => {
                let message = format!("{} cannot be used for rule name", kind.shown());
                self.fail(term.span, message)
            }
        }
    }
}

/// The head of a rule with a body.
fn finished(head: WrittenHead, with_if: bool) -> super::super::tree::Head {
    let span = head.span;
    let old_set = head.value.is_none() && head.element.is_none() && head.is_old_partial() && !with_if;
    let mut signature = head.signature;
    let kind = match (head.element, signature.path.pop()) {
        (Some(key), last) => {
            signature.path.extend(last);
            HeadKind::Element { key, with_contains: true }
        }
        (None, Some(key)) if old_set => HeadKind::Element { key, with_contains: false },
        (None, last) => {
            signature.path.extend(last);
            value_kind(head.value, head.assigned, span)
        }
    };
    head_of(span, signature, kind)
}

/// Whether no variable is in a term, those that references start with and those of comprehensions aside.
fn is_ground(term: &Term) -> bool {
    let all = |terms: &[Term]| terms.iter().all(is_ground);
    match &term.kind {
        TermKind::Var(_) | TermKind::Wildcard | TermKind::Template { .. } => false,
        TermKind::Ref(reference) => all(&reference.path),
        TermKind::Call(call) => all(&call.args),
        TermKind::Infix(infix) => is_ground(&infix.left) && is_ground(&infix.right),
        TermKind::Member(member) => {
            member.key.as_ref().is_none_or(is_ground)
                && is_ground(&member.value)
                && is_ground(&member.collection)
        }
        TermKind::Array(terms) | TermKind::Set(terms) => all(terms),
        TermKind::Object(pairs) => pairs.iter().all(|(key, value)| is_ground(key) && is_ground(value)),
        _ => true,
    }
}

fn is_set(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Term(Term { kind: TermKind::Set(_), .. }))
}

/// What makes the value of a default not constant, comprehensions aside.
fn not_constant(term: &Term) -> Option<&'static str> {
    let in_all = |terms: &[Term]| terms.iter().find_map(not_constant);
    match &term.kind {
        TermKind::Var(_) | TermKind::Wildcard => Some("var"),
        TermKind::Ref(Ref { .. }) => Some("ref"),
        TermKind::Call(_) | TermKind::Infix(_) | TermKind::Member(_) => Some("call"),
        TermKind::Template { parts, .. } => {
            let expression = |part: &super::super::tree::TemplatePart| match part {
                super::super::tree::TemplatePart::Expr(Expr { kind: ExprKind::Term(term), .. }) => {
                    not_constant(term)
                }
                super::super::tree::TemplatePart::Expr(_) => Some("expression"),
                super::super::tree::TemplatePart::Text { .. } => None,
            };
            parts.iter().find_map(expression)
        }
        TermKind::Array(terms) | TermKind::Set(terms) => in_all(terms),
        TermKind::Object(pairs) => {
            pairs.iter().find_map(|(key, value)| not_constant(key).or_else(|| not_constant(value)))
        }
        _ => None,
    }
}
