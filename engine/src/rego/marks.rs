//! Which places of modules an evaluation has come to: rule heads, `else`s, and the expressions of all bodies.
//!
//! A program that is compiled with marks carries one step for each of these. They are put where the thing stands in
//! the order of evaluation, nothing is moved across them, and a program without marks has no such step: what is told
//! is exact, and what is not asked for costs nothing.

use super::place::Place;
use super::syntax::tree::{Body, Expr, ExprKind, HeadKind, Module, Span, Term, TermKind};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// Something of a module that an evaluation can come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The place of the module in the list that was compiled.
    pub file: u16,
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub what: Marked,
}

/// What can be come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marked {
    /// The head of a rule: its body held, or it has none.
    Head,
    /// The value of an `else`: its body held.
    Else,
    /// The value of `default`: nothing else gave one.
    Default,
    /// An expression: it was evaluated, whatever came of it.
    Expression,
}

/// The marks of a program, and which of them were come to since it was compiled.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    all: Vec<Mark>,
    by_place: HashMap<Place, u32>,
    reached: Box<[AtomicBool]>,
}

impl Marks {
    /// All that the modules have; they are numbered in this order.
    pub(super) fn of(modules: &[Module]) -> Self {
        let all: Vec<Mark> =
            (0..).zip(modules).flat_map(|(file, module)| Mark::of_module(file, module)).collect();
        let by_place = all.iter().zip(0..).map(|(mark, id)| (mark.place(), id)).collect();
        let reached = all.iter().map(|_| AtomicBool::new(false)).collect();
        Self { all, by_place, reached }
    }

    /// Whether there are none: then nothing is to be compiled for them.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The number of what stands there.
    pub(super) fn at(&self, place: Place) -> Option<u32> {
        self.by_place.get(&place).copied()
    }

    /// An evaluation has come to it.
    pub(super) fn reach(&self, id: u32) {
        if let Some(reached) = self.reached.get(id as usize) {
            reached.store(true, Ordering::Relaxed);
        }
    }

    /// Each with whether it was come to.
    pub(super) fn outcome(&self) -> impl Iterator<Item = (Mark, bool)> + '_ {
        let reached = self.reached.iter().map(|reached| reached.load(Ordering::Relaxed));
        self.all.iter().copied().zip(reached)
    }
}

impl Mark {
    /// All marks of a module, in the order of their places; `file`: the number that they carry.
    pub fn of_module(file: u16, module: &Module) -> Vec<Self> {
        let mut marks = Vec::new();
        collect(file, module, &mut marks);
        // `a and b` begins where `a` does: what is come to first stands for both.
        marks.sort_by_key(Mark::place);
        marks.dedup_by_key(|mark| mark.place());
        marks
    }

    fn place(&self) -> Place {
        Place::of(self.file, self.span)
    }
}

fn collect(file: u16, module: &Module, marks: &mut Vec<Mark>) {
    for rule in &module.rules {
        let what = if rule.default { Marked::Default } else { Marked::Head };
        // The head of a further body is the one that was written before; what can be pointed at is the body.
        let end = if rule.chained { rule.span.start } else { rule.head.span.end };
        marks.push(Mark { file, span: Span { start: rule.span.start, end }, what });
        let mut visit = |span| marks.push(Mark { file, span, what: Marked::Expression });
        rule.head.path.iter().chain(&rule.head.args).for_each(|it| term(it, &mut visit));
        match &rule.head.kind {
            HeadKind::Value { value, .. } => term(value, &mut visit),
            HeadKind::Element { key, .. } => term(key, &mut visit),
        }
        if !rule.body_omitted {
            body(&rule.body, &mut visit);
        }
        for other in &rule.elses {
            let end = if other.value_omitted { other.span.start } else { other.value.span.end };
            marks.push(Mark { file, span: Span { start: other.span.start, end }, what: Marked::Else });
            let mut visit = |span| marks.push(Mark { file, span, what: Marked::Expression });
            term(&other.value, &mut visit);
            if !other.body_omitted {
                body(&other.body, &mut visit);
            }
        }
    }
}

fn body(of: &Body, visit: &mut dyn FnMut(Span)) {
    of.iter().for_each(|it| expression(it, visit));
}

fn expression(expr: &Expr, visit: &mut dyn FnMut(Span)) {
    // `some x` declares and asks nothing.
    if !matches!(expr.kind, ExprKind::Some(_)) {
        visit(expr.span);
    }
    match &expr.kind {
        ExprKind::Term(of) => term(of, visit),
        ExprKind::Assign { left, right } | ExprKind::Unify { left, right } => {
            term(left, visit);
            term(right, visit);
        }
        ExprKind::Some(_) => {}
        ExprKind::SomeIn { key, value, domain } => {
            key.iter().chain([value, domain]).for_each(|it| term(it, visit));
        }
        ExprKind::Every { domain, body: inner, .. } => {
            term(domain, visit);
            body(inner, visit);
        }
        // `not x` of one expression without braces is one thing: the inner one begins after the word.
        ExprKind::Not { body: inner, .. } => body(inner, visit),
        ExprKind::And(left, right) | ExprKind::Or(left, right) => {
            body(&left.body, visit);
            body(&right.body, visit);
        }
    }
    expr.with.iter().for_each(|with| term(&with.value, visit));
}

fn term(of: &Term, visit: &mut dyn FnMut(Span)) {
    match &of.kind {
        TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::String { .. } => {}
        // What stands in a text is part of its expression.
        TermKind::Template { .. } | TermKind::Var(_) | TermKind::Wildcard => {}
        TermKind::Ref(reference) => {
            term(&reference.head, visit);
            reference.path.iter().for_each(|it| term(it, visit));
        }
        TermKind::Call(call) => call.args.iter().for_each(|it| term(it, visit)),
        TermKind::Infix(infix) => {
            term(&infix.left, visit);
            term(&infix.right, visit);
        }
        TermKind::Member(member) => {
            let Some(key) = &member.key else {
                term(&member.value, visit);
                return term(&member.collection, visit);
            };
            [key, &member.value, &member.collection].into_iter().for_each(|it| term(it, visit));
        }
        TermKind::Array(items) | TermKind::Set(items) => items.iter().for_each(|it| term(it, visit)),
        TermKind::Object(pairs) => {
            for (key, value) in pairs {
                term(key, visit);
                term(value, visit);
            }
        }
        TermKind::ArrayComprehension(of) | TermKind::SetComprehension(of) => {
            term(&of.term, visit);
            body(&of.body, visit);
        }
        TermKind::ObjectComprehension(of) => {
            term(&of.key, visit);
            term(&of.value, visit);
            body(&of.body, visit);
        }
    }
}
