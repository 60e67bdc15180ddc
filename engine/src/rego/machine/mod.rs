//! The machine: runs code on values in the caller's arena.
//!
//! Slots lie in one stack of frames; a step that can go on several times recurses into the steps that follow it, so
//! that backtracking is returning. What holds is put on one stack of results; closures, hash maps and strings do
//! not occur at run time. An undefined expression is `None`; a failure of the whole evaluation is kept aside and
//! ends every loop.

mod calls;
mod documents;
mod doubt;
mod expressions;
mod index;
mod limits;
mod rules;
mod scene;
mod steps;
mod watching;
mod workspace;

pub(super) use calls::MAX_ARGUMENTS as REMEMBERED_ARGUMENTS;
pub use limits::Limits;
pub(crate) use workspace::Workspace;

use super::builtins::{Body, Builtin, BuiltinError, Caches, Call, Limit, Outcome};
use super::compile::code::{ClauseCode, Code, Compiled, Query, RuleId, Slot};
use super::observe::Observer;
use super::place::Place;
use crate::facts::{FactKey, Facts};
use crate::value::Value;
use bumpalo::Bump;
use calls::Calls;
use doubt::Doubt;
use limits::{Gauge, MAX_DEPTH};
use scene::Scene;
use workspace::Stacks;

/// Why an evaluation ended without an answer.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) cause: Cause,
    /// Where it was.
    pub(crate) place: Option<Place>,
}

/// The causes of failures.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    Limit(Limit),
    Depth,
    /// Two values for one thing.
    Conflict(String),
    /// A builtin failed, and failures count.
    Builtin(String),
    /// What providers must be asked first.
    Wanting(Vec<FactKey>),
    /// What is needed cannot be found out here; why.
    OutOfReach(String),
}

/// What surrounds an evaluation.
pub(crate) struct Surroundings<'a> {
    pub(crate) input: Option<Value<'a>>,
    pub(crate) data: Option<Value<'a>>,
    pub(crate) now_ns: i64,
    pub(crate) seed: u64,
    /// A failing builtin is a failure rather than undefined.
    pub(crate) strict: bool,
    pub(crate) limits: Limits,
    /// What providers have said.
    pub(crate) facts: Option<&'a Facts>,
}

/// One evaluation of a program; the rules that were evaluated are remembered for the next question.
pub(crate) struct Machine<'a, 'm> {
    code: &'a Compiled<'a>,
    arena: &'a Bump,
    data: Option<Value<'a>>,
    slots: Vec<Option<Value<'a>>>,
    base: usize,
    top: usize,
    results: Vec<Value<'a>>,
    calls: Calls<'a>,
    scene: Scene<'a>,
    saved: Vec<Scene<'a>>,
    failure: Option<Box<Failure>>,
    /// A conflict of the rule that is being evaluated, of which it is not known whether it counts.
    aside: Option<Box<Failure>>,
    /// What the failure is forgotten for, if it was a conflict that was put aside.
    doubt: Option<Doubt<'a>>,
    /// Doubts that were forgotten: the value is the one that was given first.
    settled: Vec<Doubt<'a>>,
    /// Whether the iteration that was ended last ended because one success is enough for all.
    stop: bool,
    /// Whether the body that is gone through to the end has held.
    held: bool,
    strict: bool,
    depth: u32,
    gauge: Gauge<'a>,
    caches: &'m mut Caches,
    observer: Option<&'m mut Observer>,
    /// The observer wants every step.
    watched: bool,
    /// What runs is gone through for the observer only.
    story_only: bool,
    /// What calls of nondeterministic builtins gave: each answers once.
    drawn: Vec<(&'static str, Vec<Value<'a>>, Option<Value<'a>>)>,
    now_ns: i64,
    seed: u64,
    facts: Option<&'a Facts>,
    /// What was asked for and is not known yet.
    wanted: Vec<FactKey>,
    /// How often something was met that is not known yet. What counts on an absence (`not`, `else`, `default`, a
    /// collection) looks whether it grew meanwhile; then it is not known either. So nothing is concluded, and no
    /// provider asked, that the answers could undo.
    unsure: u32,
}

impl<'a, 'm> Machine<'a, 'm> {
    pub(crate) fn new(
        code: &'a Compiled<'a>,
        arena: &'a Bump,
        around: Surroundings<'a>,
        caches: &'m mut Caches,
        workspace: &mut Workspace,
        observer: Option<&'m mut Observer>,
    ) -> Self {
        let Stacks { slots, results, known, calls } = workspace.take();
        let watched = observer.as_ref().is_some_and(|observer| observer.watches_steps());
        Self {
            code,
            arena,
            data: around.data,
            slots,
            base: 0,
            top: 0,
            results,
            calls,
            scene: Scene::new(around.input, known, code.rules.len()),
            saved: Vec::new(),
            failure: None,
            aside: None,
            doubt: None,
            settled: Vec::new(),
            stop: false,
            held: false,
            strict: around.strict,
            depth: 0,
            gauge: Gauge::new(around.limits, arena),
            caches,
            observer,
            watched,
            story_only: false,
            drawn: Vec::new(),
            now_ns: around.now_ns,
            seed: around.seed,
            facts: around.facts,
            wanted: Vec::new(),
            unsure: 0,
        }
    }

    /// The steps and bytes that it has taken.
    pub(crate) fn spent(&self) -> (u64, usize) {
        self.gauge.spent()
    }

    /// Leaves the stacks to the next evaluation.
    pub(crate) fn leave(self, workspace: &mut Workspace) {
        let Self { slots, results, calls, scene, .. } = self;
        workspace.give(Stacks { slots, results, known: scene.known, calls });
    }

    /// The value of a rule's document.
    ///
    /// # Errors
    /// When the evaluation fails.
    pub(crate) fn rule(&mut self, id: RuleId) -> Result<Option<Value<'a>>, Failure> {
        let value = self.document(id);
        self.outcome(value)
    }

    /// All documents below a node.
    ///
    /// # Errors
    /// When the evaluation fails.
    pub(crate) fn node(&mut self, id: u32) -> Result<Option<Value<'a>>, Failure> {
        let value = self.extent(id);
        self.outcome(value)
    }

    /// The solutions of a query.
    ///
    /// # Errors
    /// When the evaluation fails.
    pub(crate) fn query(&mut self, query: &'a Query<'a>) -> Result<Vec<Value<'a>>, Failure> {
        self.frame(&query.clause, &[], false);
        let rows = std::mem::take(&mut self.results);
        self.outcome(None)?;
        Ok(rows)
    }

    fn outcome(&mut self, value: Option<Value<'a>>) -> Result<Option<Value<'a>>, Failure> {
        match self.failure.take() {
            Some(failure) => Err(*failure),
            None if self.wanted.is_empty() => Ok(value),
            None => Err(Failure { cause: Cause::Wanting(std::mem::take(&mut self.wanted)), place: None }),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.gauge.limits()
    }

    // ---- failing

    #[cold]
    fn fail<T>(&mut self, cause: Cause, place: Option<Place>) -> Option<T> {
        self.failure.get_or_insert_with(|| Box::new(Failure { cause, place }));
        None
    }

    /// The current step does not hold; true if nothing else need be tried, because the evaluation has failed.
    #[inline]
    fn no(&mut self, code: &Code<'_>, at: usize) -> bool {
        match &mut self.failure {
            None => false,
            Some(failure) => {
                if failure.place.is_none() {
                    failure.place = code.places.get(at).copied();
                }
                true
            }
        }
    }

    #[inline]
    fn tick(&mut self) -> bool {
        match self.gauge.tick() {
            Ok(()) => true,
            Err(limit) => {
                self.fail::<()>(Cause::Limit(limit), None);
                false
            }
        }
    }

    // ---- frames

    #[inline]
    fn slot(&self, slot: Slot) -> Option<Value<'a>> {
        self.slots.get(self.base + slot as usize).copied().flatten()
    }

    #[inline]
    fn set(&mut self, slot: Slot, value: Value<'a>) {
        if let Some(place) = self.slots.get_mut(self.base + slot as usize) {
            *place = Some(value);
        }
    }

    /// Runs one body in a frame of its own; its results are on top of the stack of results.
    fn frame(&mut self, clause: &'a ClauseCode<'a>, args: &[Value<'a>], first: bool) {
        if self.depth >= MAX_DEPTH {
            self.fail::<()>(Cause::Depth, Some(clause.place));
            return;
        }
        let (base, top) = (self.base, self.top);
        self.base = top;
        self.top = top + clause.slots as usize;
        if self.slots.len() < self.top {
            self.slots.resize((self.top * 2).max(32), None);
        }
        if let Some(slots) = self.slots.get_mut(self.base..self.base + args.len()) {
            slots.iter_mut().zip(args).for_each(|(slot, arg)| *slot = Some(*arg));
        }
        self.depth += 1;
        if self.watched {
            self.clause_begins(clause);
        }
        let before = self.results.len();
        self.run(&clause.code, 0, first);
        if self.watched {
            self.clause_ends(self.results.len() > before);
        }
        self.depth -= 1;
        (self.base, self.top) = (base, top);
    }

    // ---- builtins

    /// Runs what answers a builtin; its errors are failures or undefined.
    #[inline]
    fn call_function(
        &mut self,
        builtin: &'static Builtin,
        run: impl FnOnce(&mut Call<'a, '_>) -> Outcome<'a>,
    ) -> Option<Value<'a>> {
        let mut call = Call {
            arena: self.arena,
            now_ns: self.now_ns,
            seed: self.seed,
            meter: &mut self.gauge,
            caches: self.caches,
            facts: self.facts,
        };
        match run(&mut call) {
            Ok(value) => value,
            Err(error) => self.builtin_failed(builtin, error),
        }
    }

    #[cold]
    fn builtin_failed(&mut self, builtin: &'static Builtin, error: BuiltinError) -> Option<Value<'a>> {
        match error {
            BuiltinError::Limit(limit) => self.fail(Cause::Limit(limit), None),
            BuiltinError::Halt(reason) => self.fail(Cause::Builtin(reason.into_owned()), None),
            BuiltinError::OutOfReach(reason) => self.fail(Cause::OutOfReach(reason), None),
            BuiltinError::Wanting(key) => {
                self.unsure += 1;
                if !self.wanted.contains(&key) {
                    self.wanted.push(*key);
                }
                None
            }
            error if self.strict => {
                let code = match error {
                    BuiltinError::Operand(_) => "eval_type_error",
                    _ => "eval_builtin_error",
                };
                self.fail(Cause::Builtin(format!("{code}: {}: {error}", builtin.name)), None)
            }
            _ => None,
        }
    }

    fn call_builtin(&mut self, builtin: &'static Builtin, args: &[Value<'a>]) -> Option<Value<'a>> {
        if !self.tick() {
            return None;
        }
        if builtin.nondeterministic
            && let Some(known) =
                self.drawn.iter().find(|(name, known, _)| *name == builtin.name && known == args)
        {
            return known.2;
        }
        let unsure = self.unsure;
        let value = self.call_function(builtin, |call| match builtin.body {
            Body::Function(run) | Body::Relation(run) => run(call, args),
            Body::Machine | Body::Refused(_) => builtin.call(call, args),
        });
        if self.watched {
            self.made(args, value);
        }
        if self.failure.is_some() || self.unsure != unsure {
            return None;
        }
        if builtin.nondeterministic {
            self.drawn.push((builtin.name, args.to_vec(), value));
        }
        value
    }
}
