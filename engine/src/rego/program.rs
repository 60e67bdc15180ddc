//! A program: modules compiled together, asked for rules and queries, shared between threads.

use super::builtins::Caches;
use super::compile::{self, Asked, code::Compiled};
use super::footprint::{self, Footprint, Purpose};
use super::front;
use super::front::names::Names;
use super::machine::{Limits, Machine, Surroundings, Workspace};
use super::marks::{Mark, Marks};
use super::observe::Observer;
use super::place::Place;
use super::syntax::{self, tree::Version};
use super::trace::{Outline, Recorder};
use super::{EvaluationError, LoadError};
use crate::facts::Facts;
use crate::value::Value;
use bumpalo::Bump;
use bumpalo_herd::Herd;
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A file of Rego.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The path shown in errors.
    pub path: String,
    /// The text.
    pub text: String,
}

/// How modules are read and evaluated.
#[derive(Clone, Copy, Debug)]
pub struct CompileOptions {
    /// Rego v0 syntax (Gatekeeper templates); native policies are v1.
    pub v0: bool,
    /// A failing builtin is an error rather than undefined. OPA's default is undefined; native policies are strict.
    pub strict_builtin_errors: bool,
    /// Gatekeeper's `external_data` is there; else who calls it is refused.
    pub external_data: bool,
    /// It is remembered which rules and expressions were come to: see [`Program::marks`].
    pub marks: bool,
    /// What its evaluations do can be told: see [`Program::tracer`]. It answers as it does without.
    pub traced: bool,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self { v0: false, strict_builtin_errors: true, external_data: false, marks: false, traced: false }
    }
}

self_cell::self_cell!(
    struct Cell {
        owner: Herd,
        #[covariant]
        dependent: Compiled,
    }
);

/// Checked, compiled modules; shared between threads, evaluated without locks.
pub struct Program {
    cell: Cell,
    /// The paths of the modules, by file number.
    files: Box<[String]>,
    /// All rules that can be asked for, by full path.
    rules: Vec<String>,
    by_path: HashMap<String, Target>,
    strict: bool,
    /// What is written at its marks, if it is traced.
    outline: Option<Arc<Outline>>,
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Rule(u32),
    Node(u32),
}

/// A rule of a program, found once and asked often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry(Target);

/// What surrounds an evaluation.
#[derive(Clone, Copy, Debug, Default)]
pub struct World<'a> {
    /// The `input` document.
    pub input: Option<Value<'a>>,
    /// The base documents below `data`.
    pub data: Option<Value<'a>>,
    /// The one instant of the evaluation: nanoseconds since 1970.
    pub now_ns: i64,
    /// What `rand.intn` and `uuid.rfc4122` draw from.
    pub seed: u64,
    /// How much it may take.
    pub limits: Limits,
    /// What providers have said, for templates that ask them.
    pub facts: Option<&'a Facts>,
}

/// One solution of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution<'a> {
    /// The value of each expression; `true` for one that has none.
    pub expressions: Vec<Value<'a>>,
    /// The variables that the query names.
    pub bindings: Vec<(&'a str, Value<'a>)>,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Program").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Program {
    /// Reads, checks and compiles modules.
    ///
    /// # Errors
    /// Everything that is wrong with them, not the first only.
    pub fn compile(modules: Vec<Module>, options: CompileOptions) -> Result<Self, Vec<LoadError>> {
        Self::compile_guarded(&modules, options, None)
    }

    /// As [`Self::compile`], with a query such as `x := data.a.b; x > input.y` to be asked by [`Self::query`].
    ///
    /// # Errors
    /// Everything that is wrong with modules and query.
    pub fn compile_query(
        modules: Vec<Module>,
        options: CompileOptions,
        query: &str,
    ) -> Result<Self, Vec<LoadError>> {
        Self::compile_guarded(&modules, options, Some(query))
    }

    fn compile_guarded(
        modules: &[Module],
        options: CompileOptions,
        query: Option<&str>,
    ) -> Result<Self, Vec<LoadError>> {
        let shown = modules.first().map(|module| module.path.clone()).unwrap_or_default();
        // A bug of ours on somebody's policy is a refusal of that policy, never a crash of the server.
        catch_unwind(|| Self::compile_unguarded(modules, options, query)).unwrap_or_else(|_| {
            Err(vec![LoadError::whole(&shown, "the Rego compiler failed unexpectedly on this policy")])
        })
    }

    fn compile_unguarded(
        modules: &[Module],
        options: CompileOptions,
        query: Option<&str>,
    ) -> Result<Self, Vec<LoadError>> {
        let version = if options.v0 { Version::V0 } else { Version::V1 };
        let mut errors = Vec::new();
        let mut trees = Vec::with_capacity(modules.len());
        for module in modules {
            match syntax::parse_module(&module.text, version) {
                Ok(tree) => trees.push(tree),
                Err(problems) => errors.extend(problems.into_iter().map(|problem| {
                    let start = problem.span.start;
                    LoadError::at(&module.path, &module.text, start.line, start.column, problem.message)
                })),
            }
        }
        let asked = query.map(|text| (text, syntax::parse_query(text, version)));
        let body = match asked {
            None => None,
            Some((_, Ok(body))) => Some(body),
            Some((text, Err(problems))) => {
                errors.extend(problems.into_iter().map(|problem| {
                    let start = problem.span.start;
                    LoadError::at(QUERY, text, start.line, start.column, problem.message)
                }));
                None
            }
        };
        if !errors.is_empty() {
            return Err(errors);
        }
        let marks = if options.marks || options.traced { Marks::of(&trees) } else { Marks::default() };
        let outline = options.traced.then(|| Arc::new(Outline::of(modules, &trees, &marks)));
        let locate = |problems: Vec<front::Problem>| -> Vec<LoadError> {
            problems.into_iter().map(|(place, text)| located(modules, query, place, text)).collect()
        };
        let cell = Cell::try_new(Herd::new(), |herd| {
            let arena = herd.get();
            let mut policy = front::policy(&arena, &trees, options.external_data).map_err(locate)?;
            let mut asked = Vec::new();
            if let Some(body) = &body {
                let file = u16::try_from(modules.len()).unwrap_or(u16::MAX);
                asked.push(front::query(&arena, &mut policy, file, body).map_err(locate)?);
            }
            let asked: Vec<Asked<'_>> =
                asked.into_iter().map(|found| asked_of(found, &policy.names)).collect();
            Ok::<_, Vec<LoadError>>(compile::compile(
                &arena,
                &policy,
                &asked,
                options.strict_builtin_errors,
                marks,
                options.traced,
            ))
        })?;
        let (rules, by_path) = targets(cell.borrow_dependent());
        let files = modules.iter().map(|module| module.path.clone()).chain([QUERY.to_owned()]).collect();
        Ok(Self { cell, files, rules, by_path, strict: options.strict_builtin_errors, outline })
    }

    /// The full paths (`data.package.rule`) of all rules, each once, in order.
    pub fn rules(&self) -> &[String] {
        &self.rules
    }

    /// Whether there is a rule of that full path.
    pub fn has_rule(&self, path: &str) -> bool {
        self.rules.binary_search_by(|rule| rule.as_str().cmp(path)).is_ok()
    }

    /// The full paths of unit tests: rules named `test_…`.
    pub fn test_rules(&self) -> Vec<String> {
        let is_test = |path: &&String| path.rsplit('.').next().is_some_and(|name| name.starts_with("test_"));
        self.rules.iter().filter(is_test).cloned().collect()
    }

    /// The rule or package of a full path.
    pub fn entry(&self, path: &str) -> Option<Entry> {
        self.by_path.get(path).copied().map(Entry)
    }

    /// The files that were compiled, by the numbers that observers are told.
    pub fn files(&self) -> &[String] {
        &self.files
    }

    /// The value of one rule or package (`data.package.rule`); `None`: undefined, or no such rule.
    ///
    /// # Errors
    /// If evaluation fails or a limit is reached.
    pub fn rule<'a>(
        &'a self,
        path: &str,
        arena: &'a Bump,
        world: World<'a>,
        observer: Option<&mut Observer>,
    ) -> Result<Option<Value<'a>>, EvaluationError> {
        let mut value = None;
        let entry = self.entry(path).map(|entry| ((), entry));
        self.ask(entry, arena, world, observer, |(), found| value = found)?;
        Ok(value)
    }

    /// Asks for rules one after the other; what they share is evaluated once. `read` is given each rule's value,
    /// `None` if it is undefined.
    ///
    /// # Errors
    /// If evaluation fails or a limit is reached; nothing is asked after that.
    pub fn ask<'a, T>(
        &'a self,
        entries: impl IntoIterator<Item = (T, Entry)>,
        arena: &'a Bump,
        world: World<'a>,
        observer: Option<&mut Observer>,
        mut read: impl FnMut(T, Option<Value<'a>>),
    ) -> Result<(), EvaluationError> {
        with_kept(|Kept { caches, workspace, spent }| {
            let mut machine = self.machine(arena, world, caches, workspace, observer);
            for (what, entry) in entries {
                let value = self.guarded(&mut machine, |machine| match entry.0 {
                    Target::Rule(id) => machine.rule(id),
                    Target::Node(id) => machine.node(id),
                })?;
                read(what, value);
            }
            let (steps, bytes) = machine.spent();
            spent.steps = spent.steps.wrapping_add(steps);
            spent.bytes = spent.bytes.wrapping_add(u64::try_from(bytes).unwrap_or(u64::MAX));
            machine.leave(workspace);
            Ok(())
        })
    }

    /// The solutions of the query that the program was compiled with; none if it was compiled without.
    ///
    /// # Errors
    /// If evaluation fails or a limit is reached.
    pub fn query<'a>(
        &'a self,
        arena: &'a Bump,
        world: World<'a>,
        observer: Option<&mut Observer>,
    ) -> Result<Vec<Solution<'a>>, EvaluationError> {
        let Some(query) = self.code().queries.first() else { return Ok(Vec::new()) };
        let rows = with_kept(|Kept { caches, workspace, .. }| {
            let mut machine = self.machine(arena, world, caches, workspace, observer);
            self.guarded(&mut machine, |machine| machine.query(query))
        })?;
        let solution = |row: Value<'a>| {
            let values = row.as_array().unwrap_or_default();
            let captured = query.captured.iter().filter(|captured| **captured).count();
            let (expressions, bindings) = values.split_at(captured.min(values.len()));
            let mut expressions = expressions.iter().copied();
            Solution {
                expressions: query
                    .captured
                    .iter()
                    .map(|captured| {
                        if *captured { expressions.next().unwrap_or(Value::Null) } else { Value::Bool(true) }
                    })
                    .collect(),
                bindings: query.names.iter().map(String::as_str).zip(bindings.iter().copied()).collect(),
            }
        };
        Ok(rows.into_iter().map(solution).collect())
    }

    /// What of the modules evaluations can come to, and whether one has since the program was compiled; nothing for
    /// a program without [`CompileOptions::marks`].
    pub fn marks(&self) -> impl Iterator<Item = (Mark, bool)> + '_ {
        self.code().marks.outcome()
    }

    /// An observer to which an evaluation tells everything, read by [`Observer::trace`]; `None` if the program was not
    /// compiled with [`CompileOptions::traced`]. `hidden`: no value is shown.
    pub fn tracer(&self, hidden: bool) -> Option<Observer> {
        let outline = self.outline.clone()?;
        Some(Observer::of_steps(Recorder::new(outline, hidden)))
    }

    /// What evaluating some of its rules can read.
    pub fn footprint(&self, entries: &[Entry], purpose: Purpose) -> Footprint {
        let rules: Vec<u32> = entries
            .iter()
            .filter_map(|entry| match entry.0 {
                Target::Rule(id) => Some(id),
                Target::Node(_) => None,
            })
            .collect();
        footprint::of_rules(self.code(), &rules, purpose)
    }

    fn code(&self) -> &Compiled<'_> {
        self.cell.borrow_dependent()
    }

    fn machine<'a, 'm>(
        &'a self,
        arena: &'a Bump,
        world: World<'a>,
        caches: &'m mut Caches,
        workspace: &mut Workspace,
        observer: Option<&'m mut Observer>,
    ) -> Machine<'a, 'm> {
        let mut observer = observer;
        if let Some(recorder) = observer.as_mut().and_then(|observer| observer.recorder.as_mut()) {
            world.input.into_iter().chain(world.data).for_each(|document| recorder.privacy.learn(document));
        }
        let around = Surroundings {
            input: world.input,
            data: world.data,
            now_ns: world.now_ns,
            seed: world.seed,
            strict: self.strict,
            limits: world.limits,
            facts: world.facts,
        };
        Machine::new(self.code(), arena, around, caches, workspace, observer)
    }

    fn guarded<'a, 'm, T>(
        &self,
        machine: &mut Machine<'a, 'm>,
        ask: impl FnOnce(&mut Machine<'a, 'm>) -> Result<T, super::machine::Failure>,
    ) -> Result<T, EvaluationError> {
        let limits = *machine.limits();
        match catch_unwind(AssertUnwindSafe(|| ask(machine))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(failure)) => Err(EvaluationError::of(&failure, &limits, &self.files)),
            Err(_) => Err(EvaluationError::Panicked),
        }
    }
}

/// What one evaluation leaves to the next of its thread.
#[derive(Default)]
struct Kept {
    /// Patterns and formats that policies make of their input.
    caches: Caches,
    workspace: Workspace,
    spent: Spent,
}

/// What evaluations have taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Steps, as [`Limits::steps`] counts them: the same for the same policy and input, on every machine.
    pub steps: u64,
    /// Bytes of arenas, as these grow: in blocks.
    pub bytes: u64,
}

/// What all evaluations of rules that ended on this thread have taken, since it began.
pub fn spent() -> Spent {
    with_kept(|kept| kept.spent)
}

thread_local! {
    static KEPT: RefCell<Kept> = RefCell::default();
}

fn with_kept<T>(run: impl FnOnce(&mut Kept) -> T) -> T {
    let mut kept = KEPT.take();
    let value = run(&mut kept);
    KEPT.set(kept);
    value
}

/// The name of a query where files are named.
const QUERY: &str = "query";

fn located(modules: &[Module], query: Option<&str>, place: Place, message: String) -> LoadError {
    match modules.get(usize::from(place.file)) {
        Some(module) => {
            LoadError::at(&module.path, &module.text, place.line, u32::from(place.column), message)
        }
        None => LoadError::at(QUERY, query.unwrap_or_default(), place.line, u32::from(place.column), message),
    }
}

/// The variables of a query that are to be told.
fn asked_of<'p>(found: front::Query<'p>, names: &Names) -> Asked<'p> {
    let mut vars = front::visit::Vars::new();
    front::visit::SAFETY.body(&found.body, &mut vars);
    let named = vars.into_iter().filter(|var| *var > front::form::DATA && !names.is_wildcard(*var));
    let named = named.filter_map(|var| Some((names.shown(var)?.to_owned(), var))).collect();
    Asked { body: found.body, names: named, values: found.values }
}

/// What can be asked for, by path.
fn targets(code: &Compiled<'_>) -> (Vec<String>, HashMap<String, Target>) {
    let mut rules = Vec::new();
    let mut by_path = HashMap::new();
    for (id, node) in (0_u32..).zip(&code.nodes) {
        let path = front::rules::shown_path(&node.path);
        if let Some(rule) = node.rule {
            by_path.insert(path.clone(), Target::Rule(rule));
            rules.push(path);
        } else if node.function.is_none() {
            by_path.insert(path, Target::Node(id));
        }
    }
    rules.sort();
    (rules, by_path)
}
