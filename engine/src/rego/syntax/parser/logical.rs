//! `and`, `or`, and bodies of `not`: by import, since OPA 1.22.
//!
//! An operand is one expression, or a body in braces; `and` binds tighter than `or`. Parentheses group operands, and
//! only where they hold or precede an operator; elsewhere they are those of a term.

use super::super::token::Tok;
use super::super::tree::{Body, Expr, ExprKind, Operand, Operator, Position, Span, Term, TermKind};
use super::{Parsed, Parser, Stop};

impl Parser<'_> {
    /// A chain that starts with a body in braces or a group in parentheses; `None`: it starts otherwise.
    pub(super) fn logical_start(&mut self) -> Parsed<Option<Expr>> {
        if !self.keywords.logical() {
            return Ok(None);
        }
        if self.is(Tok::LeftBrace) {
            let mark = self.mark();
            let start = self.start();
            if let Ok(body) = self.braced()
                && self.at_logical()
            {
                let operand = Operand { span: self.since(start), body, braces: true };
                self.refuse_ambiguous(&operand)?;
                let expr = self.or_chain(operand)?;
                return self.modified(expr).map(Some);
            }
            self.back(mark);
            if self.given_up {
                return Err(Stop);
            }
        }
        if self.is(Tok::LeftParen)
            && let Some(group) = self.group(false)?
        {
            return self.fold(group).map(Some);
        }
        Ok(None)
    }

    fn at_logical(&self) -> bool {
        matches!(self.tok(), Tok::LogicalAnd | Tok::LogicalOr)
    }

    /// Goes on after an expression, if an operator follows.
    pub(super) fn logical_rest(
        &mut self,
        expr: Expr,
        first: usize,
        negated: bool,
        with_span: Option<Span>,
    ) -> Parsed<Expr> {
        if !self.at_logical() {
            return Ok(expr);
        }
        let operator = self.word();
        if let Some(span) = with_span {
            return self.with_on_operand(span, operator);
        }
        let opening = self.token_at(first);
        if !negated && opening.tok == Tok::LeftBrace {
            let empty = matches!(&expr.kind, ExprKind::Term(Term { kind: TermKind::Object(pairs), .. }) if pairs.is_empty());
            if empty {
                return self.fail(expr.span, "found empty body");
            }
            return self.brace_led(expr.span, operator);
        }
        let operand = Operand { span: expr.span, body: vec![expr], braces: false };
        let chain = self.or_chain(operand)?;
        self.modified(chain)
    }

    fn with_on_operand<T>(&mut self, span: Span, operator: &str) -> Parsed<T> {
        let message = format!(
            "`with` modifier is not allowed on operand of `{operator}` (hint: wrap the operand in `(...)` or `{{...}}`, or move `with` after the `{operator}` expression to apply it to all of it)"
        );
        self.fail(span, message)
    }

    fn brace_led<T>(&mut self, span: Span, operator: &str) -> Parsed<T> {
        let text = self.text_of(span);
        let message = format!(
            "operand of `{operator}` cannot begin with `{{` unless the braces hold a body (hint: wrap the operand to keep the value: `({text}) {operator} ...`)"
        );
        self.fail(span, message)
    }

    /// Goes on after a complete operand: a chain if an operator follows, else the operand itself.
    fn fold(&mut self, operand: Operand) -> Parsed<Expr> {
        let expr = if self.at_logical() {
            self.or_chain(operand)?
        } else {
            match operand.body.into_iter().next() {
                Some(expr) => expr,
                None => return self.fail(operand.span, "found empty body"),
            }
        };
        self.modified(expr)
    }

    fn or_chain(&mut self, first: Operand) -> Parsed<Expr> {
        self.enter()?;
        let mut left = self.and_chain(first)?;
        while self.is(Tok::LogicalOr) {
            let height = self.height;
            self.advance();
            let right = self.operand(Some("or"))?;
            let right = self.and_chain(right)?;
            self.refuse_void(&left, "or")?;
            self.refuse_void(&right, "or")?;
            self.above(height)?;
            left = operand_of(left.span.to(right.span), ExprKind::Or(Box::new(left), Box::new(right)));
        }
        self.leave();
        match left.body.into_iter().next() {
            Some(expr) => Ok(expr),
            None => self.fail(left.span, "found empty body"),
        }
    }

    fn and_chain(&mut self, first: Operand) -> Parsed<Operand> {
        let mut left = first;
        while self.is(Tok::LogicalAnd) {
            let height = self.height;
            self.advance();
            let right = self.operand(Some("and"))?;
            self.refuse_void(&left, "and")?;
            self.refuse_void(&right, "and")?;
            self.above(height)?;
            left = operand_of(left.span.to(right.span), ExprKind::And(Box::new(left), Box::new(right)));
        }
        Ok(left)
    }

    /// One operand; `operator` is what it belongs to, `None` while trying whether parentheses hold one.
    fn operand(&mut self, operator: Option<&str>) -> Parsed<Operand> {
        self.enter()?;
        let operand = self.operand_here(operator)?;
        self.leave();
        Ok(operand)
    }

    fn operand_here(&mut self, operator: Option<&str>) -> Parsed<Operand> {
        let start = self.start();
        if self.is(Tok::LeftBrace) {
            return self.braced_operand(start, operator);
        }
        let mut negated = false;
        if self.is(Tok::Not) && !self.keyword_starts_reference() {
            negated = true;
            self.advance();
            if self.keywords.not_bodies && self.is(Tok::LeftBrace) {
                let (body, _) = self.not_body(start)?;
                let kind = ExprKind::Not { body, braces: true };
                return Ok(operand_of(self.since(start), kind));
            }
        }
        if self.is(Tok::LeftParen)
            && self.keywords.logical()
            && (!negated || self.keywords.not_bodies)
            && let Some(group) = self.group(true)?
        {
            if negated {
                let kind = ExprKind::Not { body: group.body, braces: group.braces };
                self.above(0)?;
                return Ok(operand_of(self.since(start), kind));
            }
            return Ok(group);
        }
        let mut expr = self.bare()?;
        let span = self.since(start);
        if negated && self.keywords.not_bodies {
            self.above(0)?;
            return Ok(operand_of(span, ExprKind::Not { body: vec![expr], braces: false }));
        }
        expr.negated = negated;
        expr.span = span;
        Ok(Operand { span, body: vec![expr], braces: false })
    }

    /// `{ body }` as an operand; what holds a value instead is told how to be one.
    fn braced_operand(&mut self, start: Position, operator: Option<&str>) -> Parsed<Operand> {
        let mark = self.mark();
        let empty = self.tok_at(self.at + 1) == Tok::RightBrace;
        let Ok(body) = self.braced() else {
            let Some(operator) = operator.filter(|_| !empty && !self.given_up) else { return Err(Stop) };
            let errors: Vec<_> = self.errors.drain(mark.errors.min(self.errors.len())..).collect();
            self.back(mark);
            if let Ok(term) = self.infix() {
                return self.brace_led(term.span, operator);
            }
            self.errors.truncate(mark.errors);
            self.errors.extend(errors);
            return Err(Stop);
        };
        let operand = Operand { span: self.since(start), body, braces: true };
        self.refuse_ambiguous(&operand)?;
        Ok(operand)
    }

    /// `not { … }`, after `not`.
    pub(super) fn not_braces(&mut self, not: Span) -> Parsed<Expr> {
        let (body, span) = self.not_body(not.start)?;
        self.fold(operand_of(span, ExprKind::Not { body, braces: true }))
    }

    fn not_body(&mut self, start: Position) -> Parsed<(Body, Span)> {
        let mark = self.mark();
        let brace = self.start();
        let empty = self.tok_at(self.at + 1) == Tok::RightBrace;
        let Ok(body) = self.braced() else {
            if empty || self.given_up {
                return Err(Stop);
            }
            let errors: Vec<_> = self.errors.drain(mark.errors.min(self.errors.len())..).collect();
            self.back(mark);
            if let Ok(term) = self.infix() {
                let text = self.text_of(term.span);
                let message = format!(
                    "`{{...}}` after `not` must contain expressions (hint: write `not ({text})` to negate the value, or `not {{{text}}}` for a body holding it)"
                );
                return self.fail(Span { start: brace, end: term.span.end }, message);
            }
            self.errors.truncate(mark.errors);
            self.errors.extend(errors);
            return Err(Stop);
        };
        let operand = Operand { span: self.since(brace), body, braces: true };
        self.refuse_ambiguous(&operand)?;
        self.above(0)?;
        Ok((operand.body, self.since(start)))
    }

    /// `not (a or b)`, after `not`; `None`: the parentheses are those of a term.
    pub(super) fn not_group(&mut self, start: Position) -> Parsed<Option<Expr>> {
        if !self.is(Tok::LeftParen) {
            return Ok(None);
        }
        let Some(group) = self.group(true)? else { return Ok(None) };
        self.above(0)?;
        let kind = ExprKind::Not { body: group.body, braces: group.braces };
        self.fold(operand_of(self.since(start), kind)).map(Some)
    }

    /// Operands in parentheses; `None`, and nothing read, if these are the parentheses of a term. `operand`: they
    /// stand where an operand must, so that `(a with b as c)` is one.
    fn group(&mut self, operand: bool) -> Parsed<Option<Operand>> {
        self.enter()?;
        let group = self.group_here(operand)?;
        self.leave();
        Ok(group)
    }

    fn group_here(&mut self, operand: bool) -> Parsed<Option<Operand>> {
        let (mark, start) = (self.mark(), self.start());
        let opening = self.span();
        self.advance();
        if self.is(Tok::RightParen) {
            if operand {
                return self.fail(opening, "empty parenthesized group");
            }
            self.back(mark);
            return Ok(None);
        }
        let Ok(first) = self.operand(None) else {
            self.back(mark);
            return if self.given_up { Err(Stop) } else { Ok(None) };
        };
        if self.at_logical() {
            let chain = self.or_chain(first)?;
            let chain = self.modified(chain)?;
            self.close_group()?;
            return Ok(Some(Operand { span: self.since(start), body: vec![chain], braces: false }));
        }
        if self.is(Tok::With) && !first.braces && first.body.len() == 1 {
            let with_span = self.span();
            let mut body = first.body;
            if let Some(only) = body.pop() {
                body.push(self.modified(only)?);
            }
            if self.at_logical() {
                let operator = self.word();
                return self.with_on_operand(with_span, operator);
            }
            self.close_group()?;
            if operand || self.at_logical() {
                return Ok(Some(Operand { span: self.since(start), body, braces: false }));
            }
            self.back(mark);
            return Ok(None);
        }
        if first.braces {
            return self.braces_in_parentheses(mark, opening, first.span);
        }
        let only = match first.body.as_slice() {
            [only] => only,
            _ => {
                &Expr { span: first.span, negated: false, kind: ExprKind::Some(Vec::new()), with: Vec::new() }
            }
        };
        let is_group =
            only.negated || matches!(only.kind, ExprKind::And(..) | ExprKind::Or(..) | ExprKind::Not { .. });
        if is_group {
            self.close_group()?;
            return Ok(Some(Operand { span: self.since(start), body: first.body, braces: false }));
        }
        self.back(mark);
        Ok(None)
    }

    fn close_group(&mut self) -> Parsed<()> {
        self.expect(Tok::RightParen, "expected `)` to close parenthesized group")
    }

    /// `({…})`: the braces can only be a value.
    fn braces_in_parentheses(
        &mut self,
        mark: super::Mark,
        opening: Span,
        braces: Span,
    ) -> Parsed<Option<Operand>> {
        self.back(mark);
        self.advance();
        let value = self.term();
        self.back(mark);
        if self.given_up {
            return Err(Stop);
        }
        if value.is_err() {
            let text = self.text_of(braces);
            let message = format!(
                "`(...)` in an operand position cannot contain a body (hint: drop the parentheses to keep the body: `{text}`)"
            );
            return self.fail(opening, message);
        }
        Ok(None)
    }

    /// `{ a | b }` as a body would be a union that looks like a comprehension.
    fn refuse_ambiguous(&mut self, operand: &Operand) -> Parsed<()> {
        let Some(first) = operand.body.first() else { return Ok(()) };
        let ExprKind::Term(Term { kind: TermKind::Infix(infix), span }) = &first.kind else { return Ok(()) };
        let in_parentheses = self.text_of(*span).starts_with('(') && infix.left.span.start != span.start;
        if infix.operator != Operator::Unite || in_parentheses {
            return Ok(());
        }
        let text = self.text_of(operand.span);
        let message = format!(
            "ambiguous `{{ ... | ... }}` operand: read as a body holding a set union, not as a comprehension (hint: write `({text})` for the comprehension; put the union in parentheses for the union)"
        );
        self.fail(operand.span, message)
    }

    /// `print` alone holds always: an operand that says nothing.
    fn refuse_void(&mut self, operand: &Operand, operator: &str) -> Parsed<()> {
        let void = |expr: &Expr| match &expr.kind {
            ExprKind::Term(Term { kind: TermKind::Call(call), .. }) => {
                !expr.negated && call.dotted().as_deref() == Some("print")
            }
            _ => false,
        };
        if operand.body.iter().all(void) {
            let message = format!(
                "operand of `{operator}` cannot consist only of calls to `print` (hint: `print` always succeeds; move it out of the operand, or add an expression that can fail)"
            );
            return self.fail(operand.span, message);
        }
        Ok(())
    }
}

fn operand_of(span: Span, kind: ExprKind) -> Operand {
    let expr = Expr { span, negated: false, kind, with: Vec::new() };
    Operand { span, body: vec![expr], braces: false }
}
