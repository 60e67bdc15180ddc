//! Our engine's answers.

use super::answer::Answer;
use super::question::Question;
use bumpalo::Bump;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use wayguard_engine::rego::{CompileOptions, EvaluationError, LoadError, Module};
use wayguard_engine::rego::{Limits, Program, Solution, World};
use wayguard_engine::value::Document;

/// How long one evaluation may take; the oracle waits longer.
const LIMIT: Duration = Duration::from_secs(10);

type Compiled = Arc<Result<Program, Vec<LoadError>>>;

/// Our engine, with the programs that it has compiled.
#[derive(Default)]
pub struct Ours {
    programs: HashMap<(Vec<String>, String, bool, bool), Compiled>,
}

impl Ours {
    /// The value of the query's one expression.
    pub fn answer(&mut self, question: &Question) -> Answer {
        let value = |solutions: &[Solution<'_>]| {
            solutions.first().and_then(|solution| solution.expressions.first()).map(ToString::to_string)
        };
        match self.ask(question, value) {
            Ok(Some(text)) => Answer::Value(text),
            Ok(None) => Answer::Undefined,
            Err(answer) => answer,
        }
    }

    /// The variables of each solution, as an object of JSON.
    ///
    /// # Errors
    /// The answer, if it is no solution.
    pub fn rows(&mut self, question: &Question) -> Result<Vec<String>, Answer> {
        self.ask(question, |solutions| {
            let row = |solution: &Solution<'_>| {
                let members: Vec<_> =
                    solution.bindings.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            };
            solutions.iter().map(row).collect()
        })
    }

    fn ask<T>(&mut self, question: &Question, read: impl FnOnce(&[Solution<'_>]) -> T) -> Result<T, Answer> {
        let program = self.program(question);
        let program = program.as_ref().as_ref().map_err(|errors| Answer::Refused(shown(errors)))?;
        let document = |text: &Option<String>| {
            text.as_ref().map(|text| Document::from_json(text.as_bytes()).expect("JSON of the test itself"))
        };
        let (input, data) = (document(&question.input), document(&question.data));
        let arena = Bump::new();
        let world = World {
            input: input.as_ref().map(Document::value),
            data: data.as_ref().map(Document::value),
            // As OPA has it: whether certificates hold depends on it.
            now_ns: now(),
            seed: 1,
            limits: Limits::of_time(LIMIT),
            facts: None,
        };
        match program.query(&arena, world, None) {
            Ok(solutions) => Ok(read(&solutions)),
            Err(EvaluationError::Timeout { .. }) => Err(Answer::TimedOut),
            Err(error) => Err(Answer::Failed(error.to_string())),
        }
    }

    fn program(&mut self, question: &Question) -> Compiled {
        let key = (question.modules.clone(), question.query.clone(), question.v0, question.strict);
        if self.programs.len() > 256 {
            self.programs.clear();
        }
        Arc::clone(self.programs.entry(key).or_insert_with(|| Arc::new(compile(question))))
    }
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

fn compile(question: &Question) -> Result<Program, Vec<LoadError>> {
    let modules = question
        .modules
        .iter()
        .enumerate()
        .map(|(at, text)| Module { path: format!("test-{at}.rego"), text: text.clone() })
        .collect();
    let options = CompileOptions {
        v0: question.v0,
        strict_builtin_errors: question.strict,
        ..CompileOptions::default()
    };
    Program::compile_query(modules, options, &question.query)
}

/// The errors of a load, one a line.
fn shown(errors: &[LoadError]) -> String {
    let lines: Vec<_> = errors
        .iter()
        .map(|error| format!("{}:{}:{}: {}", error.file, error.line, error.column, error.message))
        .collect();
    lines.join("\n")
}
