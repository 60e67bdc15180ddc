//! Bodies and their expressions, with their modifiers.

use super::terms::{membership, needs_parens, operator, operator_with_result};
use super::writer::{Loc, Writer, Written, closing, is_union, newlines};
use crate::rego::syntax::tree::{Body, Expr, ExprKind, Name, Operand, Span, Term, TermKind, With};

impl<'t> Writer<'t> {
    /// The expressions of a body, each on a line.
    pub(super) fn body(&mut self, body: &'t Body) -> Written {
        if let Some(first) = body.first() {
            self.insert_comments(self.loc(first.span).row)?;
        }
        let mut end = None;
        for expr in body {
            let loc = self.loc(expr.span);
            // What stood apart stays apart.
            if end.is_some_and(|end: u32| loc.row > end + 1) {
                self.blank_line();
            }
            self.start_line();
            // What could not be laid out was written as it was.
            let _ = self.expression(expr);
            self.end_line();
            end = Some(loc.row + newlines(loc.text));
        }
        Ok(())
    }

    pub(super) fn expression(&mut self, expr: &'t Expr) -> Written {
        let parens = self.paren_expr == Some(expr.span);
        if parens {
            self.paren_expr = None;
        }
        self.insert_comments(self.loc(expr.span).row)?;
        if !self.inline {
            self.start_line();
        }
        if expr.negated {
            self.write("not ");
        }
        self.between(parens, |this| this.kind(expr))?;
        self.modifiers(expr)
    }

    fn kind(&mut self, expr: &'t Expr) -> Written {
        match &expr.kind {
            ExprKind::Term(term) => self.statement(term),
            ExprKind::Assign { left, right } => self.sides(left, ":=", right),
            ExprKind::Unify { left, right } => self.sides(left, "=", right),
            ExprKind::Some(names) => self.some(names, expr.span),
            ExprKind::SomeIn { key, value, domain } => {
                self.insert_comments(self.loc(expr.span).row)?;
                self.write("some ");
                let operands: Vec<&Term> = key.iter().chain([value, domain]).collect();
                self.within(false, &operands)
            }
            ExprKind::Every { key, value, domain, body } => {
                self.every(key.as_ref(), value, domain, body, expr.span)
            }
            ExprKind::Not { body, braces } => self.not(body, *braces, expr.span),
            ExprKind::And(left, right) => self.logical(left, "and", right),
            ExprKind::Or(left, right) => self.logical(left, "or", right),
        }
    }

    /// A term that stands as an expression: its outermost operator needs no parentheses.
    fn statement(&mut self, term: &'t Term) -> Written {
        if let Some(operands) = membership(term) {
            return self.within(false, &operands);
        }
        if let Some((symbol, operands)) = operator(term)
            && let [left, right] = operands.as_slice()
        {
            return self.sides(left, symbol, right);
        }
        if let Some((symbol, [left, right, result])) = operator_with_result(term) {
            self.term(result)?;
            self.write(" = ");
            return self.sides(left, symbol, right);
        }
        match &term.kind {
            TermKind::Call(call) => self.plain_call(call),
            _ => self.term(term),
        }
    }

    fn sides(&mut self, left: &'t Term, symbol: &str, right: &'t Term) -> Written {
        self.side(left, needs_parens(left, symbol, false))?;
        self.write(&format!(" {symbol} "));
        self.side(right, needs_parens(right, symbol, true))
    }

    fn side(&mut self, term: &'t Term, parens: bool) -> Written {
        if parens {
            self.paren_term = Some(term.span);
        }
        self.term(term)
    }

    fn some(&mut self, names: &'t [Name], span: Span) -> Written {
        let mut row = self.loc(span).row;
        self.insert_comments(row)?;
        self.write("some ");
        let last = names.len().saturating_sub(1);
        for (at, name) in names.iter().enumerate() {
            let here = self.loc(name.span).row;
            if here > row {
                self.end_line();
                self.start_line();
                self.write("\t");
                row = here;
            } else if at > 0 {
                self.write(" ");
            }
            self.insert_comments(here)?;
            self.write(&name.text);
            if at < last {
                self.write(",");
            }
        }
        Ok(())
    }

    fn every(
        &mut self,
        key: Option<&'t Name>,
        value: &'t Name,
        domain: &'t Term,
        body: &'t Body,
        span: Span,
    ) -> Written {
        let loc = self.loc(span);
        self.insert_comments(loc.row)?;
        self.write("every ");
        if let Some(key) = key {
            self.write(&key.text);
            self.write(", ");
        }
        self.write(&value.text);
        self.write(" in ");
        self.term(domain)?;
        self.write(" {");
        // A comment that could not be kept apart is part of what was written.
        let _ = self.closure(b'{', b'}', body, loc.row, loc);
        if let [only] = body.as_slice()
            && self.loc(only.span).row == loc.row
        {
            self.write(" ");
        }
        self.write("}");
        Ok(())
    }

    fn not(&mut self, body: &'t Body, braces: bool, span: Span) -> Written {
        let loc = self.loc(span);
        self.insert_comments(loc.row)?;
        self.write("not ");
        let Some(first) = body.first() else { return Ok(()) };
        if braces || body.len() > 1 {
            self.braced_body(body, loc);
            Ok(())
        } else {
            let parens = !first.with.is_empty()
                || matches!(first.kind, ExprKind::And(..) | ExprKind::Or(..) | ExprKind::Not { .. })
                || leads_with_brace(first);
            self.between(parens, |this| this.expression(first))
        }
    }

    fn braced_body(&mut self, body: &'t Body, loc: Loc<'t>) {
        self.paren_union(body);
        self.write("{");
        let _ = self.closure(b'{', b'}', body, loc.row, loc);
        if body.last().is_some_and(|last| self.loc(last.span).row == loc.row) {
            self.write(" ");
        }
        self.write("}");
    }

    fn paren_union(&mut self, body: &'t Body) {
        let union = |expr: &&Expr| matches!(&expr.kind, ExprKind::Term(term) if is_union(term));
        self.paren_expr = body.first().filter(union).map(|expr| expr.span).or(self.paren_expr);
    }

    fn logical(&mut self, left: &'t Operand, word: &str, right: &'t Operand) -> Written {
        self.operand(left, word, false)?;
        self.write(&format!(" {word}"));
        let end = self.loc(left.span);
        let breaks = self.loc(right.span).row > end.row + newlines(end.text);
        if breaks {
            self.up();
            self.end_line();
            self.start_line();
        } else {
            self.write(" ");
        }
        let written = self.operand(right, word, true);
        if breaks {
            self.down();
        }
        written
    }

    fn operand(&mut self, operand: &'t Operand, parent: &str, is_right: bool) -> Written {
        let Some(first) = operand.body.first() else { return Ok(()) };
        if operand.braces || operand.body.len() > 1 {
            self.braced_body(&operand.body, self.loc(operand.span));
            return Ok(());
        }
        let parens = !first.with.is_empty()
            || match first.kind {
                ExprKind::Or(..) => parent == "and" || is_right,
                ExprKind::And(..) => parent == "and" && is_right,
                _ => leads_with_brace(first),
            };
        self.between(parens, |this| this.expression(first))
    }

    fn modifiers(&mut self, expr: &'t Expr) -> Written {
        let Some(first) = expr.with.first() else { return Ok(()) };
        let loc = self.loc(expr.span);
        let before = first.span.start.offset.saturating_sub(expr.span.start.offset) as usize;
        let own = loc.text.get(..before).unwrap_or(loc.text).trim_end_matches([' ', '\t', '\r', '\n']);
        let mut last = loc.row + newlines(own);
        let mut rest = expr.with.as_slice();
        if self.loc(first.span).row == last {
            self.with(first, false)?;
            rest = rest.get(1..).unwrap_or_default();
        }
        let mut indented = false;
        for with in rest {
            let row = self.loc(with.span).row;
            let breaks = row > last;
            if breaks {
                if !indented {
                    self.up();
                    indented = true;
                }
                self.end_line();
                self.start_line();
                last = row;
            }
            let written = self.with(with, breaks);
            if written.is_err() {
                self.level -= usize::from(indented);
                return written;
            }
        }
        self.level -= usize::from(indented);
        Ok(())
    }

    fn with(&mut self, with: &'t With, starts_line: bool) -> Written {
        self.insert_comments(self.loc(with.span).row)?;
        if !starts_line {
            self.write(" ");
        }
        self.write("with ");
        self.term(&with.target)?;
        self.write(" as ");
        // A value that could not be laid out was written as it was.
        let _ = self.term(&with.value);
        Ok(())
    }

    /// The body of a comprehension or of `every`, after what stands before it on `row`.
    pub(super) fn closure(&mut self, open: u8, close: u8, body: &'t Body, row: u32, loc: Loc<'t>) -> Written {
        let Some(first) = body.first() else { return Ok(()) };
        let rows: Vec<u32> = body.iter().map(|expr| self.loc(expr.span).row).collect();
        let broken = rows.windows(2).any(|pair| pair.first() < pair.last());
        let end = closing(None, open, close, loc);
        if broken || self.loc(first.span).row > row {
            self.end_line();
            self.up();
            let written = self.body(body).and_then(|()| self.insert_comments(end));
            self.down();
            self.start_line();
            return written;
        }
        self.write(" ");
        for (at, expr) in body.iter().enumerate() {
            if at > 0 {
                self.write("; ");
            }
            self.expression(expr)?;
        }
        self.insert_comments(end)
    }

    /// A set union that begins a body would be read as a comprehension there.
    pub(super) fn mark_union(&mut self, expr: &'t Expr) {
        if expr.negated {
            return;
        }
        match &expr.kind {
            ExprKind::And(left, _) | ExprKind::Or(left, _) if !left.braces => {
                if let Some(first) = left.body.first() {
                    self.mark_union(first);
                }
            }
            ExprKind::Term(term) if is_union(term) => self.paren_expr = Some(expr.span),
            ExprKind::Term(term) => {
                let lead = membership(term).or_else(|| operator(term).map(|(_, operands)| operands));
                self.paren_lead(lead.and_then(|operands| operands.first().copied()));
            }
            ExprKind::Assign { left, .. } | ExprKind::Unify { left, .. } => self.paren_lead(Some(left)),
            _ => {}
        }
    }

    fn paren_lead(&mut self, lead: Option<&'t Term>) {
        self.paren_term = lead.filter(|term| is_union(term)).map(|term| term.span).or(self.paren_term);
    }
}

/// Whether what is written would begin with `{`.
fn leads_with_brace(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Term(term) => brace(term),
        ExprKind::Assign { left, .. } | ExprKind::Unify { left, .. } => brace(left),
        _ => false,
    }
}

fn brace(term: &Term) -> bool {
    match &term.kind {
        TermKind::Set(items) => !items.is_empty(),
        TermKind::Object(_) | TermKind::SetComprehension(_) | TermKind::ObjectComprehension(_) => true,
        TermKind::Ref(inner) => brace(&inner.head),
        _ => operator(term).and_then(|(_, operands)| operands.first().copied()).is_some_and(brace),
    }
}
