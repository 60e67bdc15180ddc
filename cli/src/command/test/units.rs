//! Unit tests in Rego: every rule named `test_…` must be true; `todo_test_…` waits for its author.

use super::report::{Case, Outcome};
use crate::exit::Failure;
use std::path::Path;
use std::time::Duration;
use wayguard_engine::policy::library::Library;
use wayguard_engine::rego::{CompileOptions, Limits, Module, Program, World};
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

/// Runs the tests of one file together with the modules that they test.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn run(
    suite: &str,
    tests: &Path,
    tested: Vec<Module>,
    library: &Library,
) -> Result<Vec<Case>, Failure> {
    let own = module(tests)?;
    let places = TestPlaces { file: own.path.clone(), text: own.text.clone() };
    let modules = library.with_imports([vec![own], tested].concat());
    let program = match Program::compile(modules, CompileOptions::default()) {
        Ok(program) => program,
        Err(errors) => {
            let message = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            let name = tests.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let case = Case { suite: suite.to_owned(), name, outcome: Outcome::Failed, message, place: None };
            return Ok(vec![case]);
        }
    };
    let rules: Vec<&String> = program.rules().iter().filter(|rule| is_test(rule)).collect();
    if rules.is_empty() {
        let message = "the file has no rule named `test_…`".to_owned();
        let place = Some((places.file.clone(), 1));
        return Ok(vec![Case {
            suite: suite.to_owned(),
            name: "tests".to_owned(),
            outcome: Outcome::Failed,
            message,
            place,
        }]);
    }
    Ok(rules.into_iter().map(|rule| one(suite, &program, rule, &places)).collect())
}

fn name_of(rule: &str) -> &str {
    rule.rsplit('.').next().unwrap_or(rule)
}

fn is_test(rule: &str) -> bool {
    name_of(rule).starts_with("test_") || name_of(rule).starts_with("todo_test_")
}

fn one(suite: &str, program: &Program, rule: &str, places: &TestPlaces) -> Case {
    let name = name_of(rule);
    let (outcome, message) = if name.starts_with("todo_") {
        (Outcome::Skipped, "marked `todo_`".to_owned())
    } else {
        let arena = bumpalo::Bump::new();
        let world = World { limits: Limits::of_time(LIMIT), ..World::default() };
        match program.rule(rule, &arena, world, None) {
            Ok(Some(Value::Bool(true))) => (Outcome::Passed, String::new()),
            Ok(None | Some(Value::Bool(false))) => (Outcome::Failed, "the test is not true".to_owned()),
            Ok(Some(other)) => (Outcome::Failed, format!("a test must be true, this one is `{other}`")),
            Err(error) => (Outcome::Failed, error.to_string()),
        }
    };
    let place = Some((places.file.clone(), places.line(name)));
    Case { suite: suite.to_owned(), name: name.to_owned(), outcome, message, place }
}

/// Where tests begin.
struct TestPlaces {
    file: String,
    text: String,
}

impl TestPlaces {
    fn line(&self, name: &str) -> usize {
        let starts = |line: &str| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| {
                !rest.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_')
            })
        };
        self.text.lines().position(starts).map_or(1, |index| index + 1)
    }
}
