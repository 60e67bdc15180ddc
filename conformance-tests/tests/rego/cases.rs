//! OPA's conformance cases: what they ask and what they want.

use super::answer::{Answer, same_items, same_json};
use super::oracle;
use super::ours::Ours;
use super::question::Question;
use wayguard_engine::value::{Document, Value};

/// One of OPA's conformance cases.
pub struct Case {
    /// Its name; not quite unique.
    pub note: String,
    /// What is asked.
    pub question: Question,
    wanted: Wanted,
    /// The order of an array that is bound says nothing.
    sorted: bool,
}

enum Wanted {
    /// The variables of each solution, as objects of JSON.
    Rows(Vec<String>),
    /// A solution, or none.
    Defined(bool),
    /// A failed evaluation.
    Error,
}

/// How a case came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As wanted.
    Equal,
    /// We refuse to load it, for these reasons.
    Refused(String),
    /// Not as wanted: what we answered.
    Different(String),
}

/// All cases; `None` if there is no Go.
pub fn all() -> Option<Vec<Case>> {
    Some(oracle::lines("cases")?.filter_map(|line| read(&line)).collect())
}

/// Cases that need an environment are left out.
fn read(line: &str) -> Option<Case> {
    let document = Document::from_json(line.as_bytes()).expect("the oracle writes JSON");
    let case = document.value();
    if case.get("env").is_some() {
        return None;
    }
    let is = |name: &str| case.get(name).and_then(Value::as_bool) == Some(true);
    let modules = case.get("modules").and_then(Value::as_array).unwrap_or_default();
    let mut query = case.str_or_empty("query").trim().to_owned();
    if let Some(term) = case.get("input_term").and_then(Value::as_str) {
        // JSON has no sets; all cases with such an input ask one expression.
        query = format!("{query} with input as {term}");
    }
    let question = Question {
        modules: modules.iter().filter_map(|item| item.as_str()).map(str::to_owned).collect(),
        data: case.get("data").filter(|data| !data.is_null()).map(|data| data.to_string()),
        input: case.get("input").map(|input| input.to_string()),
        query,
        v0: is("v0"),
        strict: is("strict_error"),
    };
    let wanted = if case.get("want_error").is_some() || case.get("want_error_code").is_some() {
        Wanted::Error
    } else if let Some(rows) = case.get("want_result").and_then(Value::as_array) {
        Wanted::Rows(rows.iter().map(ToString::to_string).collect())
    } else {
        Wanted::Defined(case.get("want_defined").and_then(Value::as_bool) != Some(false))
    };
    Some(Case { note: case.str_or_empty("note").to_owned(), question, wanted, sorted: is("sort_bindings") })
}

impl Case {
    /// Puts the case to our engine.
    pub fn run(&self, ours: &mut Ours) -> Outcome {
        let rows = match ours.rows(&self.question) {
            Ok(rows) => rows,
            Err(Answer::Refused(why)) => return Outcome::Refused(why),
            Err(Answer::Failed(_)) if matches!(self.wanted, Wanted::Error) => return Outcome::Equal,
            Err(other) => return Outcome::Different(other.to_string()),
        };
        let as_wanted = match &self.wanted {
            Wanted::Error => false,
            Wanted::Defined(defined) => *defined != rows.is_empty(),
            Wanted::Rows(wanted) => self.same_rows(wanted, &rows),
        };
        if as_wanted { Outcome::Equal } else { Outcome::Different(format!("[{}]", rows.join(", "))) }
    }

    /// Solutions come in any order.
    fn same_rows(&self, wanted: &[String], rows: &[String]) -> bool {
        let same = if self.sorted { same_members } else { same_json };
        let mut left: Vec<&String> = rows.iter().collect();
        wanted.len() == rows.len()
            && wanted.iter().all(|wanted| match left.iter().position(|row| same(wanted, row)) {
                Some(at) => {
                    left.swap_remove(at);
                    true
                }
                None => false,
            })
    }

    /// What the case wants, for a person.
    pub fn wanted(&self) -> String {
        match &self.wanted {
            Wanted::Rows(rows) => format!("[{}]", rows.join(", ")),
            Wanted::Defined(defined) => format!("defined: {defined}"),
            Wanted::Error => "an error".to_owned(),
        }
    }
}

/// Whether two objects have the same members, arrays in any order.
fn same_members(one: &str, other: &str) -> bool {
    let read = |text: &str| Document::from_json(text.as_bytes()).expect("JSON of the test itself");
    let (one, other) = (read(one), read(other));
    let (Some(one), Some(other)) = (one.value().as_object(), other.value().as_object()) else { return false };
    one.len() == other.len()
        && one.iter().all(|(name, value)| {
            other.get(name).is_some_and(|other| same_items(&value.to_string(), &other.to_string()))
        })
}
