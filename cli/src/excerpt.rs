//! A place in a text file as a person needs it: file, line, column, the line itself and a caret.

use wayguard_engine::rego::LoadError;
use wayguard_engine::value::YamlError;

/// One problem of a text file. Shown as `file:line:column: message`, the source line and a caret, in the form
/// that the engine gives to problems in Rego.
pub(crate) fn problem(file: &str, text: &str, line: usize, column: usize, message: &str) -> LoadError {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    LoadError::at(file, text, number(line), number(column), message)
}

/// A text that is not YAML.
pub(crate) fn not_yaml(file: &str, text: &str, error: &YamlError) -> LoadError {
    problem(file, text, error.line, error.column, &format!("not valid YAML: {}", error.problem))
}
