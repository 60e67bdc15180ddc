//! Unit tests in Rego: every rule named `test_…` must be true; `todo_test_…` waits for its author.

use super::report::{Case, Outcome};
use crate::exit::Failure;
use crate::policies::name_as_on_disk;
use std::path::Path;
use std::time::Duration;
use wayguard_engine::policy::library::Library;
use wayguard_engine::rego::{CompileOptions, Limits, LoadError, Module, Program, World};
use wayguard_engine::value::Value;

/// For one test.
const LIMIT: Duration = Duration::from_secs(10);

/// A file of Rego.
///
/// # Errors
/// If it cannot be read.
pub(super) fn module(path: &Path) -> Result<Module, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
    Ok(Module { path: crate::input::shown(path), text })
}

/// The tests of one file, with the modules that they test.
pub(super) struct Units {
    /// What the tests are of.
    suite: String,
    /// The tests, then what is tested, then what these import.
    modules: Vec<Module>,
}

impl Units {
    /// Reads the tests; `root`: the folder of the library, for the names of what is imported.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn read(
        suite: &str,
        tests: &Path,
        tested: Vec<Module>,
        library: &Library,
        root: &Path,
    ) -> Result<Self, Failure> {
        let own = tested.len() + 1;
        let mut modules = library.with_imports([vec![module(tests)?], tested].concat());
        name_as_on_disk(root, modules.get_mut(own..).unwrap_or_default());
        Ok(Self { suite: suite.to_owned(), modules })
    }

    /// All modules; the tests are the first.
    pub(super) fn modules(&self) -> &[Module] {
        &self.modules
    }

    /// The file of the tests.
    pub(super) fn tests(&self) -> Option<&Module> {
        self.modules.first()
    }

    /// Compiles tests and tested; `marks`: it is remembered what is come to.
    ///
    /// # Errors
    /// If they do not load.
    pub(super) fn compile(&self, marks: bool) -> Result<Program, Vec<LoadError>> {
        Program::compile(self.modules.clone(), CompileOptions { marks, ..CompileOptions::default() })
    }

    /// As [`Self::compile`], with another text for one of the modules.
    ///
    /// # Errors
    /// If they do not load.
    pub(super) fn compile_with(&self, path: &str, text: &str) -> Result<Program, Vec<LoadError>> {
        let mut modules = self.modules.clone();
        for module in modules.iter_mut().filter(|module| module.path == path) {
            text.clone_into(&mut module.text);
        }
        Program::compile(modules, CompileOptions::default())
    }

    /// The case for tests that do not load.
    pub(super) fn unloadable(&self, errors: &[LoadError]) -> Case {
        let message = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let path = self.tests().map_or("", |module| &module.path);
        let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
        Case { suite: self.suite.clone(), name, outcome: Outcome::Failed, message, place: None }
    }

    /// Runs all tests.
    pub(super) fn run(&self, program: &Program) -> Vec<Case> {
        let Some(tests) = self.tests() else { return Vec::new() };
        let rules: Vec<&String> = program.rules().iter().filter(|rule| is_test(rule)).collect();
        if rules.is_empty() {
            return vec![Case {
                suite: self.suite.clone(),
                name: "tests".to_owned(),
                outcome: Outcome::Failed,
                message: "the file has no rule named `test_…`".to_owned(),
                place: Some((tests.path.clone(), 1)),
            }];
        }
        let place = |name: &str| Some((tests.path.clone(), line_of(&tests.text, name)));
        let case = |rule: &String| {
            let name = name_of(rule);
            let (outcome, message) = outcome_of(program, rule, LIMIT);
            Case { suite: self.suite.clone(), name: name.to_owned(), outcome, message, place: place(name) }
        };
        rules.into_iter().map(case).collect()
    }

    /// The first test that fails, if one does; each may take so long.
    pub(super) fn first_failure(program: &Program, limit: Duration) -> Option<String> {
        let mut tests = program.rules().iter().filter(|rule| is_test(rule));
        let fails = |rule: &&String| outcome_of(program, rule, limit).0 == Outcome::Failed;
        tests.find(fails).map(|rule| name_of(rule).to_owned())
    }

    /// Whether one test, by its name, holds.
    pub(super) fn has_passing(program: &Program, name: &str) -> bool {
        let mut named = program.rules().iter().filter(|rule| is_test(rule) && name_of(rule) == name);
        named.next().is_some_and(|rule| outcome_of(program, rule, LIMIT).0 == Outcome::Passed)
    }
}

fn name_of(rule: &str) -> &str {
    rule.rsplit('.').next().unwrap_or(rule)
}

fn is_test(rule: &str) -> bool {
    name_of(rule).starts_with("test_") || name_of(rule).starts_with("todo_test_")
}

fn outcome_of(program: &Program, rule: &str, limit: Duration) -> (Outcome, String) {
    if name_of(rule).starts_with("todo_") {
        return (Outcome::Skipped, "marked `todo_`".to_owned());
    }
    let arena = bumpalo::Bump::new();
    let world = World { limits: Limits::of_time(limit), ..World::default() };
    match program.rule(rule, &arena, world, None) {
        Ok(Some(Value::Bool(true))) => (Outcome::Passed, String::new()),
        Ok(None | Some(Value::Bool(false))) => (Outcome::Failed, "the test is not true".to_owned()),
        Ok(Some(other)) => (Outcome::Failed, format!("a test must be true, this one is `{other}`")),
        Err(error) => (Outcome::Failed, error.to_string()),
    }
}

/// The line on which a test begins.
fn line_of(text: &str, name: &str) -> usize {
    let starts = |line: &str| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_'))
    };
    text.lines().position(starts).map_or(1, |index| index + 1)
}
