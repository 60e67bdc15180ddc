//! Terms: references, calls, operators, collections, comprehensions, templates.

use super::lists::Item;
use super::writer::{Loc, Writer, Written, closing, is_union, line, newlines};
use crate::rego::syntax::canonical;
use crate::rego::syntax::tree::{Body, Call, Ref, TemplatePart, Term, TermKind};
use std::collections::HashSet;

/// The operators, by the functions that they call.
const OPERATORS: [(&str, &str); 15] = [
    ("assign", ":="),
    ("eq", "="),
    ("equal", "=="),
    ("neq", "!="),
    ("lt", "<"),
    ("lte", "<="),
    ("gt", ">"),
    ("gte", ">="),
    ("plus", "+"),
    ("minus", "-"),
    ("mul", "*"),
    ("div", "/"),
    ("rem", "%"),
    ("and", "&"),
    ("or", "|"),
];

/// A call that is written as an operator: its symbol and its operands.
pub(super) fn operator(term: &Term) -> Option<(&'static str, Vec<&Term>)> {
    let symbol =
        |name: &str| OPERATORS.iter().find(|(function, _)| *function == name).map(|(_, symbol)| *symbol);
    match &term.kind {
        TermKind::Infix(infix) => Some((symbol(infix.operator.builtin())?, vec![&infix.left, &infix.right])),
        TermKind::Call(call) => {
            let symbol = symbol(&call.dotted()?)?;
            (call.args.len() == 2).then(|| (symbol, call.args.iter().collect()))
        }
        _ => None,
    }
}

/// How tightly an operator binds.
fn strength(symbol: &str) -> u8 {
    match symbol {
        ":=" | "=" => 0,
        "in" => 1,
        "==" | "!=" | "<" | "<=" | ">" | ">=" => 2,
        "|" => 3,
        "&" => 4,
        "+" | "-" => 5,
        _ => 6,
    }
}

/// Whether an operand of an operator would be read as something else without parentheses.
pub(super) fn needs_parens(operand: &Term, symbol: &str, is_right: bool) -> bool {
    let own = match operator(operand) {
        Some((own, _)) => strength(own),
        None if membership(operand).is_some_and(|operands| operands.len() == 2) => strength("in"),
        None => return false,
    };
    own < strength(symbol) || (is_right && own == strength(symbol))
}

/// A call of an operator's function with a further argument, which the result must be: `plus(1, x, 3)`.
pub(super) fn operator_with_result(term: &Term) -> Option<(&'static str, [&Term; 3])> {
    let TermKind::Call(call) = &term.kind else { return None };
    let [left, right, result] = call.args.as_slice() else { return None };
    let name = call.dotted()?;
    let (_, symbol) = OPERATORS.iter().find(|(function, _)| *function == name)?;
    Some((symbol, [left, right, result]))
}

/// The operands of `in`.
pub(super) fn membership(term: &Term) -> Option<Vec<&Term>> {
    match &term.kind {
        TermKind::Member(member) => {
            Some(member.key.iter().chain([&member.value, &member.collection]).collect())
        }
        TermKind::Call(call) => match (call.dotted()?.as_str(), call.args.len()) {
            ("internal.member_2", 2) | ("internal.member_3", 3) => Some(call.args.iter().collect()),
            _ => None,
        },
        _ => None,
    }
}

impl<'t> Writer<'t> {
    pub(super) fn term(&mut self, term: &'t Term) -> Written {
        self.term_at(term, self.at(term))
    }

    /// A term, as it was if a comment stands in it where it cannot be kept apart.
    pub(super) fn term_at(&mut self, term: &'t Term, loc: Loc<'t>) -> Written {
        if self.comments.is_empty() {
            return self.bare(false, term, loc);
        }
        let (length, level, waiting) = (self.out.len(), self.level, self.comments.clone());
        let written = self.bare(false, term, loc);
        if written.is_err() {
            self.out.truncate(length);
            self.level = level;
            let last = loc.row + newlines(loc.text);
            let within = |comment: &&_| (loc.row..=last).contains(&line(comment));
            self.before_end = self.before_end.filter(|comment| !within(comment));
            self.comments = waiting;
            self.unformatted(Loc { row: loc.row, text: self.text(term.span) });
        }
        written
    }

    pub(super) fn term_parens(&mut self, parens: bool, term: &'t Term) -> Written {
        self.bare(parens, term, self.at(term))
    }

    fn bare(&mut self, parens: bool, term: &'t Term, loc: Loc<'t>) -> Written {
        let mut parens = parens;
        if self.paren_term == Some(term.span) {
            self.paren_term = None;
            parens = true;
        }
        self.insert_comments(loc.row)?;
        if !self.inline {
            self.start_line();
        }
        match &term.kind {
            TermKind::Null => self.write("null"),
            TermKind::Bool(value) => self.write(if *value { "true" } else { "false" }),
            TermKind::Number(text) => self.write(text),
            TermKind::String { text, .. } => {
                let own = self.text(term.span);
                if own.starts_with(['"', '`']) {
                    self.write(own);
                } else {
                    self.write(&quoted(text));
                }
            }
            TermKind::Template { parts, raw } => self.template(parts, *raw)?,
            TermKind::Var(name) => self.write(name),
            TermKind::Wildcard => self.write("_"),
            TermKind::Ref(inner) => self.reference(inner)?,
            TermKind::Call(_) | TermKind::Infix(_) | TermKind::Member(_) => self.call(parens, term)?,
            TermKind::Array(items) => {
                let items = items.iter().map(|item| Item::Term(item, true)).collect();
                self.bracketed(b'[', b']', items, loc)?;
            }
            TermKind::Set(items) if items.is_empty() => {
                self.write("set()");
                self.insert_comments(closing(None, b'(', b')', loc))?;
            }
            TermKind::Set(items) => {
                let mut seen = HashSet::new();
                let items = items.iter().filter(|item| seen.insert(canonical::term(item)));
                let items = items.map(|item| Item::Term(item, true)).collect();
                self.bracketed(b'{', b'}', items, loc)?;
            }
            TermKind::Object(pairs) => {
                let items = pairs.iter().map(|(key, value)| Item::Pair(key, value)).collect();
                self.bracketed(b'{', b'}', items, loc)?;
            }
            TermKind::ArrayComprehension(inner) => {
                self.write("[");
                let written = self.comprehension(b'[', b']', &inner.term, None, &inner.body, loc);
                self.write("]");
                written?;
            }
            TermKind::SetComprehension(inner) => {
                self.write("{");
                let written = self.comprehension(b'{', b'}', &inner.term, None, &inner.body, loc);
                self.write("}");
                written?;
            }
            TermKind::ObjectComprehension(inner) => {
                self.write("{");
                let written =
                    self.between(is_union(&inner.key), |this| this.term(&inner.key)).and_then(|()| {
                        self.write(": ");
                        self.comprehension(b'{', b'}', &inner.value, Some(loc.row), &inner.body, loc)
                    });
                self.write("}");
                written?;
            }
        }
        if !self.inline {
            self.start_line();
        }
        Ok(())
    }

    /// `row`: where the term is taken to stand, if not where it does.
    fn comprehension(
        &mut self,
        open: u8,
        close: u8,
        term: &'t Term,
        row: Option<u32>,
        body: &'t Body,
        loc: Loc<'t>,
    ) -> Written {
        let own = Loc { row: row.unwrap_or_else(|| self.row(term)), text: self.text(term.span) };
        if own.row > loc.row {
            self.end_line();
            self.start_line();
        }
        let is_call = matches!(term.kind, TermKind::Call(_) | TermKind::Infix(_) | TermKind::Member(_));
        let parens = is_call && (is_union(term) || self.is_parenthesized(term));
        self.bare(parens, term, own)?;
        self.write(" |");
        self.closure(open, close, body, own.row, loc)
    }

    pub(super) fn reference(&mut self, inner: &'t Ref) -> Written {
        let is_call = matches!(inner.head.kind, TermKind::Call(_) | TermKind::Infix(_) | TermKind::Member(_));
        let parens = is_call && self.is_parenthesized(&inner.head);
        self.bare(parens, &inner.head, self.at(&inner.head))?;
        self.path(&inner.path);
        Ok(())
    }

    /// `.a["b c"][d]`
    pub(super) fn path(&mut self, path: &'t [Term]) {
        for part in path {
            match &part.kind {
                TermKind::String { text, .. } => {
                    let written = self.step(text, self.text(part.span));
                    self.write(&written);
                }
                TermKind::Var(name) => self.write(&format!("[{name}]")),
                TermKind::Wildcard => self.write("[_]"),
                _ => {
                    self.write("[");
                    if self.term(part).is_err() {
                        self.write("\n");
                    }
                    self.write("]");
                }
            }
        }
    }

    /// A key of a path, with a dot where that can be.
    pub(super) fn step(&self, key: &str, written: &str) -> String {
        let mut letters = key.chars();
        let is_word = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        let keyword = self.style.keywords.contains(&key) && written.starts_with('"');
        if is_word && !keyword { format!(".{key}") } else { format!("[{}]", quoted(key)) }
    }

    fn call(&mut self, parens: bool, term: &'t Term) -> Written {
        if let Some(operands) = membership(term) {
            return self.between(parens && operands.len() == 2, |this| this.within(true, &operands));
        }
        if let Some((symbol, operands)) = operator(term) {
            return self.between(parens, |this| {
                for (at, operand) in operands.into_iter().enumerate() {
                    if at > 0 {
                        this.write(&format!(" {symbol} "));
                    }
                    this.term_parens(true, operand)?;
                }
                Ok(())
            });
        }
        match &term.kind {
            TermKind::Call(call) => self.plain_call(call),
            _ => Ok(()),
        }
    }

    /// `x in xs`, `k, x in xs`
    pub(super) fn within(&mut self, parens: bool, operands: &[&'t Term]) -> Written {
        self.between(parens && operands.len() == 3, |this| {
            let last = operands.len().saturating_sub(1);
            for (at, operand) in operands.iter().enumerate() {
                if at > 0 {
                    this.write(if at == last { " in " } else { ", " });
                }
                // `a in b in c` is read from the left.
                let leads = at == 0 && membership(operand).is_some_and(|inner| inner.len() == 2);
                this.term_parens(!leads, operand)?;
            }
            Ok(())
        })
    }

    pub(super) fn plain_call(&mut self, call: &'t Call) -> Written {
        self.reference(&call.function)?;
        self.write("(");
        let items = call.args.iter().map(|arg| Item::Term(arg, false)).collect();
        let written = self.list(items, self.loc(call.name_span), 0);
        self.write(")");
        written
    }

    fn template(&mut self, parts: &'t [TemplatePart], raw: bool) -> Written {
        let quote = if raw { "`" } else { "\"" };
        self.write("$");
        self.write(quote);
        for (at, part) in parts.iter().enumerate() {
            match part {
                TemplatePart::Text { text, .. } => {
                    let text = if raw { text.clone() } else { inner_quoted(parts, at) };
                    self.write(&braced(&text));
                }
                TemplatePart::Expr(expr) => {
                    self.write("{");
                    self.up();
                    if self.before_end.is_some() {
                        self.end_line();
                        self.start_line();
                    } else {
                        let row = self.loc(expr.span).row;
                        let above = self.comments_above(row);
                        if !above.is_empty() {
                            self.write(" ");
                            self.inline = true;
                            self.write_comments(&above);
                        }
                    }
                    self.expression(expr)?;
                    let next = parts.get(at + 1).map(|next| match next {
                        TemplatePart::Text { span, .. } => *span,
                        TemplatePart::Expr(next) => next.span,
                    });
                    if let Some(next) = next {
                        let row = self.loc(next).row;
                        let above = self.comments_above(row);
                        if !above.is_empty() {
                            self.end_line();
                            self.write_comments(&above);
                            self.start_line();
                        }
                    }
                    self.write("}");
                    self.down();
                }
            }
        }
        self.write(quote);
        Ok(())
    }

    fn comments_above(&mut self, row: u32) -> Vec<&'t crate::rego::syntax::tree::Comment> {
        let waiting = std::mem::take(&mut self.comments);
        let (above, rest) = waiting.into_iter().partition(|comment| line(comment) < row);
        self.comments = rest;
        above
    }
}

/// A text of a template as it is written between quotes.
fn inner_quoted(parts: &[TemplatePart], at: usize) -> String {
    let Some(TemplatePart::Text { text, .. }) = parts.get(at) else { return String::new() };
    let quoted = quoted(text);
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// With every `{` escaped.
fn braced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for letter in text.chars() {
        if letter == '{' && before != '\\' {
            out.push('\\');
        }
        out.push(letter);
        before = letter;
    }
    out
}

/// A string as JSON and Go write it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            letter if letter.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}
