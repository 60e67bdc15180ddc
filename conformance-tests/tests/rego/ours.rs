//! Our engine's answers.

use super::answer::Answer;
use super::question::Question;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use wayguard_engine::rego::{CompileOptions, EvaluationError, LoadError, Module, Program};
use wayguard_engine::value::Document;

/// How long one evaluation may take; the oracle waits longer.
const LIMIT: Duration = Duration::from_secs(10);

/// Our engine, with the programs that it has compiled.
#[derive(Default)]
pub struct Ours {
    programs: HashMap<(Vec<String>, bool, bool), Arc<Result<Program, Vec<LoadError>>>>,
}

impl Ours {
    /// Compiles, if that is to be done still, and evaluates.
    pub fn answer(&mut self, question: &Question) -> Answer {
        let program = self.program(question);
        let program = match program.as_ref() {
            Ok(program) => program,
            Err(errors) => return Answer::Refused(shown(errors)),
        };
        let read = |text: &Option<String>| {
            text.as_ref().map(|text| Document::from_json(text.as_bytes()).expect("JSON of the test itself"))
        };
        let (input, data) = (read(&question.input), read(&question.data));
        let input = input.as_ref().map(Document::value);
        let data = data.as_ref().map(Document::value);
        match program.query(&question.query, input, data, LIMIT) {
            Ok(Some(value)) => Answer::Value(value.to_string()),
            Ok(None) => Answer::Undefined,
            Err(EvaluationError::Timeout { .. }) => Answer::TimedOut,
            Err(error) => Answer::Failed(error.to_string()),
        }
    }

    fn program(&mut self, question: &Question) -> Arc<Result<Program, Vec<LoadError>>> {
        let key = (question.modules.clone(), question.v0, question.strict);
        if self.programs.len() > 256 {
            self.programs.clear();
        }
        Arc::clone(self.programs.entry(key).or_insert_with(|| Arc::new(compile(question))))
    }
}

fn compile(question: &Question) -> Result<Program, Vec<LoadError>> {
    let modules = question
        .modules
        .iter()
        .enumerate()
        .map(|(at, text)| Module { path: format!("test-{at}.rego"), text: text.clone() })
        .collect();
    Program::compile(modules, CompileOptions { v0: question.v0, strict_builtin_errors: question.strict })
}

/// The errors of a load, one a line.
fn shown(errors: &[LoadError]) -> String {
    let lines: Vec<_> = errors
        .iter()
        .map(|error| format!("{}:{}:{}: {}", error.file, error.line, error.column, error.message))
        .collect();
    lines.join("\n")
}
