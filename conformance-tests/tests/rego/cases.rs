//! OPA's conformance cases: what they ask and what they want.

use super::answer::{Answer, same_items, same_json};
use super::oracle;
use super::question::Question;
use wayguard_engine::value::{Document, Value};

/// One of OPA's conformance cases.
pub struct Case {
    /// Its name; not quite unique.
    pub note: String,
    /// What is asked; several variables are asked for as one object.
    pub question: Question,
    wanted: Wanted,
    sorted: bool,
}

enum Wanted {
    /// One of these values; none: undefined.
    Values(Vec<String>),
    /// Something, or nothing.
    Defined(bool),
    /// A failed evaluation.
    Error,
}

/// Whether a case came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As wanted.
    Equal,
    /// We refuse to load it.
    Refused,
    /// Not as wanted.
    Different,
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
    let texts = |value: Option<Value<'_>>| -> Vec<String> {
        let items = value.and_then(Value::as_array).unwrap_or_default();
        items.iter().filter_map(|item| item.as_str()).map(str::to_owned).collect()
    };
    let mut question = Question {
        modules: texts(case.get("modules")),
        data: case.get("data").filter(|data| !data.is_null()).map(|data| data.to_string()),
        input: case.get("input").map(|input| input.to_string()),
        query: case.str_or_empty("query").trim().to_owned(),
        v0: case.get("v0").and_then(Value::as_bool) == Some(true),
        strict: case.get("strict_error").and_then(Value::as_bool) == Some(true),
    };
    let rows = case.get("want_result").and_then(Value::as_array);
    let names: Vec<String> = match rows.and_then(|rows| rows.first()).and_then(|row| row.as_object()) {
        Some(row) => row.iter().map(|(name, _)| name.to_owned()).collect(),
        None => Vec::new(),
    };
    let one_value = simplify(&mut question, case.get("input_term").and_then(Value::as_str), &names);
    let wanted = if case.get("want_error").is_some() || case.get("want_error_code").is_some() {
        Wanted::Error
    } else if let Some(rows) = rows {
        let value = |row: &Value<'_>| match names.first() {
            Some(name) if one_value => row.get(name).map(|value| value.to_string()).unwrap_or_default(),
            _ => row.to_string(),
        };
        Wanted::Values(rows.iter().map(value).collect())
    } else {
        Wanted::Defined(case.get("want_defined").and_then(Value::as_bool) != Some(false))
    };
    Some(Case {
        note: case.str_or_empty("note").to_owned(),
        question,
        wanted,
        sorted: case.get("sort_bindings").and_then(Value::as_bool) == Some(true),
    })
}

/// Turns a query with variables into one for a value: `data.p.q = x` asks for `data.p.q`, and all else becomes a
/// rule whose values are the bindings. True: the query asks for the one value.
fn simplify(question: &mut Question, input_term: Option<&str>, names: &[String]) -> bool {
    let path = question.query.split_once(" = ").filter(|(path, name)| {
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        path.starts_with("data") && plain(path) && plain(name) && name.starts_with('x')
    });
    if let (Some((path, _)), None) = (path, input_term) {
        question.query = path.to_owned();
        return true;
    }
    let with = input_term.map(|term| format!(" with input as {term}")).unwrap_or_default();
    let row: Vec<_> = names.iter().map(|name| format!("\"{name}\": {name}")).collect();
    let (head, opening) = if question.v0 { ("rows[row]", "{") } else { ("rows contains row", "if {") };
    // A modifier applies to one expression; a query of several has no input in OPA's cases.
    question.modules.push(format!(
        "package asked\n{head} {opening}\n{}{with}\nrow := {{{}}}\n}}\n",
        question.query,
        row.join(", ")
    ));
    question.query = "data.asked.rows".to_owned();
    false
}

impl Case {
    /// Whether the answer is what the case wants.
    pub fn outcome(&self, answer: &Answer) -> Outcome {
        let as_wanted = match (&self.wanted, answer) {
            (_, Answer::Refused(_)) => return Outcome::Refused,
            (Wanted::Error, Answer::Failed(_)) => true,
            (Wanted::Defined(defined), Answer::Value(text)) => {
                (text != "[]") == *defined || self.is_plain() && *defined
            }
            (Wanted::Defined(defined), Answer::Undefined) => !defined,
            (Wanted::Values(values), Answer::Undefined) => values.is_empty(),
            (Wanted::Values(values), Answer::Value(text)) if self.is_plain() => {
                let same = if self.sorted { same_items } else { same_json };
                values.len() == 1 && values.iter().all(|value| same(value, text))
            }
            (Wanted::Values(values), Answer::Value(text)) => {
                let mut values = values.clone();
                values.sort_unstable();
                values.dedup();
                same_items(&format!("[{}]", values.join(",")), text)
            }
            _ => false,
        };
        if as_wanted { Outcome::Equal } else { Outcome::Different }
    }

    /// The query asks for one value, not for rows.
    fn is_plain(&self) -> bool {
        self.question.query != "data.asked.rows"
    }

    /// What the case wants, for a person.
    pub fn wanted(&self) -> String {
        match &self.wanted {
            Wanted::Values(values) => values.join(" or "),
            Wanted::Defined(defined) => format!("defined: {defined}"),
            Wanted::Error => "an error".to_owned(),
        }
    }
}
