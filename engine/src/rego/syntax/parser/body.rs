//! Bodies: expressions between newlines or semicolons, with their modifiers.

use super::super::token::Tok;
use super::super::tree::{Body, Expr, ExprKind, Name, Span, Term, TermKind, With};
use super::{Parsed, Parser, Stop};

impl Parser<'_> {
    /// A body up to a closing bracket, which is left.
    pub(super) fn body(&mut self, end: Tok) -> Parsed<Body> {
        self.enter()?;
        let body = self.expressions(false, end)?;
        self.above(0)?;
        self.leave();
        Ok(body)
    }

    /// A body between braces.
    pub(super) fn braced(&mut self) -> Parsed<Body> {
        self.expect(Tok::LeftBrace, "expected `{`")?;
        let body = self.body(Tok::RightBrace)?;
        self.expect(Tok::RightBrace, "expected `}`")?;
        Ok(body)
    }

    /// Expressions up to `end`; with `one_line` up to the first that no semicolon follows.
    pub(super) fn expressions(&mut self, one_line: bool, end: Tok) -> Parsed<Body> {
        if self.is(end) {
            return self.fail(self.span(), "found empty body");
        }
        let mut body = Vec::new();
        let mut highest = 0;
        loop {
            body.push(self.literal()?);
            highest = highest.max(self.height);
            if self.take(Tok::Semicolon) {
                continue;
            }
            if one_line || self.is(end) {
                self.height = highest;
                return Ok(body);
            }
            if !self.token_at(self.at).after_newline {
                let hint = self.missing_keyword(&body);
                let expected = format!("expected a new line, `;` or {}{hint}", end.shown());
                return self.unexpected(&expected);
            }
        }
    }

    /// If an expression ends at a word that an import would make a keyword.
    fn missing_keyword(&self, body: &Body) -> String {
        let word = match self.tok() {
            Tok::Ident => self.word(),
            Tok::Comma if !self.keywords.r#in => "in",
            _ => return String::new(),
        };
        let (word, example) = match (body.last().map(|expr| &expr.kind), word) {
            (Some(ExprKind::Some(_)), "in") => ("in", "some x in xs"),
            (Some(ExprKind::Term(Term { kind: TermKind::Var(name), .. })), _) if name == "every" => {
                ("every", "every x in xs { ... }")
            }
            (_, "in") => ("in", "x in xs"),
            (_, "and") => ("and", "x and y"),
            (_, "or") => ("or", "x or y"),
            _ => return String::new(),
        };
        format!(" (hint: `import future.keywords.{word}` for `{example}` expressions)")
    }

    /// One expression with its modifiers.
    pub(super) fn literal(&mut self) -> Parsed<Expr> {
        self.enter()?;
        let start = self.start();
        let mut expr = self.literal_here()?;
        expr.span = self.since(start);
        self.leave();
        Ok(expr)
    }

    fn literal_here(&mut self) -> Parsed<Expr> {
        if let Some(expr) = self.logical_start()? {
            return Ok(expr);
        }
        if self.keyword_starts_reference() {
            return self.plain(None);
        }
        let mut negation = None;
        if self.is(Tok::Not) {
            negation = Some(self.span());
            self.advance();
            if self.keywords.not_bodies && self.is(Tok::LeftBrace) {
                return self.not_braces(negation.unwrap_or_default());
            }
        }
        match self.tok() {
            Tok::Some if negation.is_some() => self.unexpected("illegal negation of `some`"),
            Tok::Every if negation.is_some() => self.unexpected("illegal negation of `every`"),
            Tok::Some => self.some(),
            Tok::Every => self.every(),
            _ => self.plain(negation),
        }
    }

    /// A term, an assignment or a unification; `not` was read if `negation` is its place.
    fn plain(&mut self, negation: Option<Span>) -> Parsed<Expr> {
        let start = negation.unwrap_or(self.span()).start;
        if negation.is_some()
            && self.keywords.not_bodies
            && let Some(expr) = self.not_group(start)?
        {
            return Ok(expr);
        }
        let first = self.at;
        let mut expr = self.bare()?;
        let with_span = self.is(Tok::With).then(|| self.span());
        let with = self.withs()?;
        let whole = self.since(start);
        if negation.is_some() && self.keywords.not_bodies {
            self.above(0)?;
            expr = Expr {
                span: whole,
                negated: false,
                kind: ExprKind::Not { body: vec![expr], braces: false },
                with,
            };
        } else {
            expr = Expr { span: whole, negated: negation.is_some(), with, ..expr };
        }
        self.logical_rest(expr, first, negation.is_some(), with_span)
    }

    /// A term, an assignment or a unification, without modifiers.
    pub(super) fn bare(&mut self) -> Parsed<Expr> {
        let left = self.infix()?;
        let height = self.height;
        let tok = self.tok();
        if !matches!(tok, Tok::Assign | Tok::Unify) {
            return Ok(Expr {
                span: left.span,
                negated: false,
                kind: ExprKind::Term(left),
                with: Vec::new(),
            });
        }
        self.advance();
        let right = self.infix()?;
        self.above(height)?;
        let span = left.span.to(right.span);
        let kind = if tok == Tok::Assign {
            ExprKind::Assign { left, right }
        } else {
            ExprKind::Unify { left, right }
        };
        Ok(Expr { span, negated: false, kind, with: Vec::new() })
    }

    /// `with target as value`, as many as there are.
    pub(super) fn withs(&mut self) -> Parsed<Vec<With>> {
        let mut withs = Vec::new();
        let mut highest = self.height;
        while self.is(Tok::With) {
            let start = self.start();
            self.advance();
            if !self.is(Tok::Ident) {
                return self.unexpected("expected the name of a document or a function after `with`");
            }
            let target = self.term()?;
            highest = highest.max(self.height);
            if !matches!(target.kind, TermKind::Ref(_) | TermKind::Var(_) | TermKind::Wildcard) {
                return self.fail(target.span, "expected a reference after `with`");
            }
            self.expect(Tok::As, "expected `as` keyword")?;
            let value = self.infix()?;
            highest = highest.max(self.height);
            withs.push(With { span: self.since(start), target, value });
        }
        self.height = highest;
        Ok(withs)
    }

    /// Puts modifiers on an expression that was read without.
    pub(super) fn modified(&mut self, mut expr: Expr) -> Parsed<Expr> {
        if self.is(Tok::With) {
            expr.with = self.withs()?;
            expr.span = self.since(expr.span.start);
        }
        Ok(expr)
    }

    /// `some x in xs`, or else `some x, y`.
    fn some(&mut self) -> Parsed<Expr> {
        let start = self.start();
        let mark = self.mark();
        self.advance();
        if let Ok(term) = self.infix() {
            match term.kind {
                TermKind::Member(member) => {
                    let member = *member;
                    let (value, domain) = (member.value, member.collection);
                    let kind = ExprKind::SomeIn { key: member.key, value, domain };
                    let with = self.withs()?;
                    return Ok(Expr { span: self.since(start), negated: false, kind, with });
                }
                TermKind::Call(_) | TermKind::Infix(_) => {
                    return self.fail(term.span, "expected `x in xs` or `x, y in xs` after `some`");
                }
                _ => {}
            }
        }
        self.back(mark);
        if self.given_up {
            return Err(Stop);
        }
        let mut names = Vec::new();
        loop {
            self.advance();
            if !self.is(Tok::Ident) {
                return self.unexpected("expected a variable after `some`");
            }
            names.push(Name { span: self.span(), text: self.word().to_owned() });
            self.advance();
            if !self.is(Tok::Comma) {
                break;
            }
        }
        self.height = 1;
        Ok(Expr { span: self.since(start), negated: false, kind: ExprKind::Some(names), with: Vec::new() })
    }

    /// `every x in xs { … }`
    fn every(&mut self) -> Parsed<Expr> {
        let start = self.start();
        self.advance();
        let term = self.infix()?;
        let height = self.height;
        let TermKind::Member(member) = term.kind else {
            return self.fail(term.span, "expected `x in xs { ... }` or `x, y in xs { ... }` after `every`");
        };
        let member = *member;
        let key = match member.key {
            Some(key) => Some(self.every_name(key, "key")?),
            None => None,
        };
        let value = self.every_name(member.value, "value")?;
        if !self.is(Tok::LeftBrace) {
            return self.unexpected("missing body of `every`, expected `{`");
        }
        let body = self.braced()?;
        self.above(height)?;
        let with = self.withs()?;
        let kind = ExprKind::Every { key, value, domain: member.collection, body };
        Ok(Expr { span: self.since(start), negated: false, kind, with })
    }

    fn every_name(&mut self, term: Term, which: &str) -> Parsed<Name> {
        let text = match term.kind {
            TermKind::Var(name) => name,
            TermKind::Wildcard => "_".to_owned(),
            _ => return self.fail(term.span, format!("expected the {which} of `every` to be a variable")),
        };
        Ok(Name { span: term.span, text })
    }
}
