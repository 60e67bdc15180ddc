//! Puts what the machine tells, step by step, together: rules, their bodies, expressions, ways.
//!
//! The machine tells only where it is. That a body was left is known from the next step: it is one of the body around
//! it; that an iteration goes on with its next member, by a step that follows the iteration's own once more.

use super::privacy::Privacy;
use super::words::rule_name;
use super::{ClauseTrace, ExprTrace, Outcome, Outline, RuleTrace, Seen, Trace, Way, ways};
use crate::rego::front::rules::shown_path;
use crate::rego::place::Place;
use crate::value::Value;
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The most expressions that are told of one question.
const MOST: usize = 100_000;

/// A step of a body.
#[derive(Clone, Copy, Debug)]
pub(in crate::rego) struct Spot {
    /// Tells bodies apart.
    pub(in crate::rego) code: usize,
    /// The step.
    pub(in crate::rego) at: usize,
}

/// What a step follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rego) enum Follows {
    /// Nothing: it is the first of its body.
    Nothing,
    /// This step, which held.
    Step(usize),
    /// This step, which holds in another way.
    Again(usize),
}

/// Collects a story.
#[derive(Debug)]
pub(in crate::rego) struct Recorder {
    outline: Arc<Outline>,
    open: Vec<Open>,
    done: Vec<RuleTrace>,
    left: usize,
    /// Of the rule that was asked for first.
    package: Option<String>,
    pub(in crate::rego) privacy: Privacy,
}

#[derive(Debug)]
enum Open {
    Rule(RuleTrace, HashSet<Place>),
    Body(Body),
}

#[derive(Debug)]
struct Body {
    code: usize,
    /// Set for the body of a clause: where it is, and whether it is gone through for the story only.
    clause: Option<(Place, bool)>,
    /// How people call what is in the slots of the frame.
    labels: HashMap<u32, String>,
    last: Option<usize>,
    levels: Vec<Level>,
}

/// What follows one way in which an iteration holds; the first is the body itself.
#[derive(Debug, Default)]
struct Level {
    /// The step of the iteration.
    after: usize,
    bindings: Vec<Seen>,
    exprs: Vec<ExprTrace>,
    mark: Option<u32>,
    /// The expression that the last mark was about, in `exprs`.
    current: Option<usize>,
    /// Why the last step does not hold, if nothing follows it.
    why: String,
    /// The end of the body was come to.
    ended: bool,
}

impl Body {
    fn new(code: usize, clause: Option<(Place, bool)>, labels: HashMap<u32, String>) -> Self {
        Self { code, clause, labels, last: None, levels: vec![Level::default()] }
    }

    /// Ends the ways of iterations at this step or after it.
    fn leave(&mut self, step: usize) {
        while self.levels.len() > 1 && self.levels.last().is_some_and(|level| level.after >= step) {
            let Some(level) = self.levels.pop() else { return };
            let way = level.finish();
            let Some(around) = self.levels.last_mut() else { return };
            around.ended |= way.held;
            if let Some(expr) = around.current.and_then(|at| around.exprs.get_mut(at)) {
                ways::add(&mut expr.ways, way);
            }
        }
    }

    fn finish(mut self) -> Way {
        self.leave(0);
        self.levels.pop().unwrap_or_default().finish()
    }
}

impl Level {
    fn finish(mut self) -> Way {
        if !self.ended
            && let Some(expr) = self.current.and_then(|at| self.exprs.get_mut(at))
            && expr.ways.is_empty()
        {
            (expr.held, expr.why) = (false, self.why);
        }
        Way { bindings: self.bindings, held: self.ended, alike: 0, body: self.exprs }
    }
}

impl Recorder {
    pub(in crate::rego) fn new(outline: Arc<Outline>, hidden: bool) -> Self {
        Self {
            outline,
            open: Vec::new(),
            done: Vec::new(),
            left: MOST,
            package: None,
            privacy: Privacy::new(hidden),
        }
    }

    /// What was told.
    pub(in crate::rego) fn finish(mut self) -> Trace {
        while !self.open.is_empty() {
            // An evaluation that has panicked leaves its rules open.
            self.close();
        }
        Trace { rules: self.done, cut: self.left == 0 }
    }

    // ---- rules

    pub(in crate::rego) fn rule_begins(&mut self, path: &[Value<'_>], args: &[Value<'_>]) {
        if self.package.is_none() {
            self.package = path.split_last().map(|(_, above)| shown_path(above));
        }
        let rule = self.rule_name(path);
        let args = args.iter().map(|arg| self.privacy.shown(*arg)).collect();
        let trace = RuleTrace { rule, args, value: None, failed: false, clauses: Vec::new() };
        self.open.push(Open::Rule(trace, HashSet::new()));
    }

    /// `clauses`: all that the rule has.
    pub(in crate::rego) fn rule_ends(
        &mut self,
        value: Option<Value<'_>>,
        failed: bool,
        clauses: impl Iterator<Item = Place>,
    ) {
        while matches!(self.open.last(), Some(Open::Body(_))) {
            self.close();
        }
        let value = value.map(|value| self.privacy.shown(value));
        if let Some(Open::Rule(trace, begun)) = self.open.last_mut() {
            (trace.value, trace.failed) = (value, failed);
            let rest = clauses.filter(|place| !begun.contains(place));
            let rest = rest.filter_map(|place| Some(self.outline.written(place)?.head.clone()));
            if !failed {
                trace.clauses.extend(rest.map(|at| ClauseTrace {
                    at,
                    outcome: Outcome::NotNeeded,
                    body: Vec::new(),
                    not_reached: Vec::new(),
                }));
            }
        }
        self.close();
    }

    /// `names`: of the slots that people have named.
    pub(in crate::rego) fn clause_begins(
        &mut self,
        code: usize,
        place: Place,
        story_only: bool,
        names: &[(u32, String)],
    ) {
        if let Some(Open::Rule(_, begun)) = self.open.last_mut() {
            begun.insert(place);
        }
        let labels = names.iter().cloned().collect();
        self.open.push(Open::Body(Body::new(code, Some((place, story_only)), labels)));
    }

    pub(in crate::rego) fn clause_ends(&mut self, held: bool) {
        while let Some(Open::Body(body)) = self.open.last_mut() {
            if body.clause.is_some() {
                body.leave(0);
                if let Some(level) = body.levels.first_mut() {
                    level.ended = held;
                }
                return self.close();
            }
            self.close();
        }
    }

    /// Ends what was opened last, and puts it where it belongs.
    fn close(&mut self) {
        match self.open.pop() {
            None => {}
            Some(Open::Rule(trace, _)) => {
                let muted = self.left == 0 && !self.open.is_empty();
                match self.expr() {
                    _ if muted => {}
                    Some(expr) => expr.calls.push(trace),
                    None => self.done.push(trace),
                }
            }
            Some(Open::Body(body)) => {
                let clause = body.clause;
                let way = body.finish();
                match clause {
                    Some((place, story_only)) => self.told(place, story_only, way),
                    None => {
                        if let Some(expr) = self.expr() {
                            ways::add(&mut expr.inside, way);
                        }
                    }
                }
            }
        }
    }

    fn told(&mut self, place: Place, story_only: bool, way: Way) {
        let outcome = match (story_only, way.held) {
            (true, _) => Outcome::NotBegun,
            (false, true) => Outcome::Held,
            (false, false) => Outcome::Failed,
        };
        let written = self.outline.written(place);
        let not_reached = written.into_iter().flat_map(|it| &it.body).filter(|at| !reaches(&way.body, at));
        let not_reached = not_reached.cloned().collect();
        let at = written.map(|written| written.head.clone()).unwrap_or_default();
        if let Some(Open::Rule(trace, _)) = self.open.last_mut() {
            trace.clauses.push(ClauseTrace { at, outcome, body: way.body, not_reached });
        }
    }

    // ---- steps

    /// A step is come to; `None`: nothing more is told.
    pub(in crate::rego) fn arrive(&mut self, spot: Spot) -> Option<Follows> {
        if self.left == 0 {
            return None;
        }
        // Only bodies of the clause that runs can be gone back to.
        let is_bound = |open: &Open| !matches!(open, Open::Body(Body { clause: None, .. }));
        let bound = self.open.iter().rposition(is_bound)?;
        let is_this = |open: &Open| matches!(open, Open::Body(body) if body.code == spot.code);
        match self.open.get(bound..)?.iter().rposition(is_this) {
            Some(above) => {
                while self.open.len() > bound + above + 1 {
                    self.close();
                }
                if spot.at == 0 && self.body()?.last.is_some() {
                    // Gone through once more: for the next member of `every`.
                    self.close();
                    self.enter(spot.code);
                }
            }
            None => self.enter(spot.code),
        }
        let body = self.body()?;
        let last = body.last.replace(spot.at);
        let is_after = |last: usize| last + 1 == spot.at;
        match last {
            None => Some(Follows::Nothing),
            Some(last) if is_after(last) && !body.levels.last()?.ended => Some(Follows::Step(last)),
            Some(_) => {
                let before = spot.at.checked_sub(1)?;
                body.leave(before);
                Some(Follows::Again(before))
            }
        }
    }

    /// A body within the one that runs: what stands in it without a mark is the expression that it belongs to.
    fn enter(&mut self, code: usize) {
        let mark = self.body().and_then(|body| body.levels.last()).and_then(|level| level.mark);
        let mut body = Body::new(code, None, HashMap::new());
        body.levels.iter_mut().for_each(|level| level.mark = mark);
        self.open.push(Open::Body(body));
    }

    /// The step before held; it has bound these.
    pub(in crate::rego) fn bound(&mut self, seen: Vec<Seen>) {
        for seen in seen {
            self.saw(seen);
        }
    }

    /// The iteration before goes on with this.
    pub(in crate::rego) fn way(&mut self, after: usize, bindings: Vec<Seen>) {
        let Some(body) = self.body() else { return };
        let mark = body.levels.last().and_then(|level| level.mark);
        body.levels.push(Level { after, bindings, mark, ..Level::default() });
    }

    /// An expression begins.
    pub(in crate::rego) fn mark(&mut self, mark: u32) {
        if let Some(level) = self.body().and_then(|body| body.levels.last_mut()) {
            (level.mark, level.current) = (Some(mark), None);
            level.why.clear();
        }
        self.expr();
    }

    /// A step begins: why it does not hold, if nothing follows it, and what it looks at.
    pub(in crate::rego) fn step(&mut self, why: String, seen: Vec<Seen>) {
        self.expr();
        if let Some(level) = self.body().and_then(|body| body.levels.last_mut()) {
            level.why = why;
        }
        self.bound(seen);
    }

    /// The last step of a body is come to.
    pub(in crate::rego) fn end(&mut self, why: String) {
        if let Some(level) = self.body().and_then(|body| body.levels.last_mut()) {
            level.ended = true;
            level.why = why;
        }
    }

    fn saw(&mut self, seen: Seen) {
        if let Some(expr) = self.expr() {
            match expr.values.iter_mut().find(|known| known.name == seen.name) {
                Some(known) => known.value = seen.value,
                None => expr.values.push(seen),
            }
        }
    }

    fn body(&mut self) -> Option<&mut Body> {
        match self.open.last_mut() {
            Some(Open::Body(body)) => Some(body),
            _ => None,
        }
    }

    /// The expression that is being evaluated.
    fn expr(&mut self) -> Option<&mut ExprTrace> {
        let outline = &self.outline;
        let Some(Open::Body(body)) = self.open.last_mut() else { return None };
        let head = body.clause.and_then(|(place, _)| outline.written(place)).map(|it| it.head.clone());
        let level = body.levels.last_mut()?;
        if level.current.is_none() {
            let at = level.mark.and_then(|mark| outline.line(mark)).or(head).unwrap_or_default();
            // An expression may be gone on with after another that it needs.
            let known = level.exprs.iter().rposition(|expr| Arc::ptr_eq(&expr.at, &at));
            level.current = known.or_else(|| {
                self.left = self.left.saturating_sub(1);
                level.exprs.push(ExprTrace {
                    at,
                    held: true,
                    why: String::new(),
                    values: Vec::new(),
                    calls: Vec::new(),
                    inside: Vec::new(),
                    ways: Vec::new(),
                });
                Some(level.exprs.len() - 1)
            });
        }
        level.exprs.get_mut(level.current?)
    }

    // ---- names

    /// What people call a slot of the frame that runs.
    pub(in crate::rego) fn label(&self, slot: u32) -> Option<&str> {
        self.frame().and_then(|body| body.labels.get(&slot)).map(String::as_str)
    }

    /// From now on the slot is called so.
    pub(in crate::rego) fn call_it(&mut self, slot: u32, name: String) {
        let frame = self.open.iter_mut().rev().find_map(|open| match open {
            Open::Body(body) if body.clause.is_some() => Some(body),
            _ => None,
        });
        if let Some(body) = frame {
            body.labels.insert(slot, name);
        }
    }

    fn frame(&self) -> Option<&Body> {
        self.open.iter().rev().find_map(|open| match open {
            Open::Body(body) if body.clause.is_some() => Some(body),
            _ => None,
        })
    }

    /// What a rule is called.
    pub(in crate::rego) fn rule_name(&self, path: &[Value<'_>]) -> String {
        rule_name(path, self.package.as_deref().unwrap_or_default())
    }

    /// A value as it is shown.
    pub(in crate::rego) fn shown(&self, value: Value<'_>) -> Json {
        self.privacy.shown(value)
    }
}

/// Whether expressions, or what follows them, come to a line.
fn reaches(body: &[ExprTrace], at: &Arc<super::Line>) -> bool {
    body.iter().any(|expr| Arc::ptr_eq(&expr.at, at) || expr.ways.iter().any(|way| reaches(&way.body, at)))
}
