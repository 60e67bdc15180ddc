//! Code as people read it: the names of slots, the signs of operators.

use super::Recorder;
use crate::rego::compile::code::{Comparison, Compiled, RuleId, X};
use crate::rego::front::rules::shown_path;
use crate::value::Value;

/// Longer pieces are cut.
const LONGEST: usize = 100;

/// Writes pieces of code.
#[derive(Clone, Copy)]
pub(in crate::rego) struct Words<'w, 'p> {
    pub(in crate::rego) code: &'w Compiled<'p>,
    pub(in crate::rego) names: &'w Recorder,
}

impl Words<'_, '_> {
    /// An expression.
    pub(in crate::rego) fn of(self, x: &X<'_>) -> String {
        let text = self.whole(x);
        if text.chars().count() <= LONGEST {
            return text;
        }
        let short: String = text.chars().take(LONGEST).collect();
        format!("{short}…")
    }

    fn whole(self, x: &X<'_>) -> String {
        match x {
            X::Constant(value) => value.to_string(),
            X::Undefined => "something undefined".to_owned(),
            X::Slot(slot) => self.names.label(*slot).unwrap_or("a value").to_owned(),
            X::Input => "input".to_owned(),
            X::Path(x, keys) => below(self.whole(x), keys),
            X::InputPath(keys) => below("input".to_owned(), keys),
            X::SlotPath(slot, keys) => below(self.whole(&X::Slot(*slot)), keys),
            X::Index(sides) => format!("{}[{}]", self.whole(&sides.0), self.whole(&sides.1)),
            X::Rule(id) => self.rule(*id),
            X::Node(id) => {
                let path = self.code.nodes.get(*id as usize).map(|node| &*node.path).unwrap_or_default();
                path.iter().fold("data".to_owned(), |text, key| member(text, *key))
            }
            X::Base(path) => path.iter().fold("data".to_owned(), |text, key| member(text, *key)),
            X::Call(id, args) => {
                let whole = self.code.rules.get(*id as usize).is_some_and(|rule| rule.whole.is_some());
                let args = self.list(args);
                if whole {
                    format!("{}[{args}]", self.rule(*id))
                } else {
                    format!("{}({args})", self.rule(*id))
                }
            }
            X::Builtin(builtin, args) => match (sign(builtin.name), &**args) {
                (Some(sign), [left, right]) => format!("{} {sign} {}", self.whole(left), self.whole(right)),
                _ => format!("{}({})", builtin.name, self.list(args)),
            },
            X::Compare(comparison, sides) => {
                format!("{} {} {}", self.whole(&sides.0), comparison.sign(), self.whole(&sides.1))
            }
            X::Member(sides) => format!("{} in {}", self.whole(&sides.0), self.whole(&sides.1)),
            X::Prepared(prepared) => format!("{}({})", prepared.builtin.name, self.list(&prepared.args)),
            X::Array(items) => format!("[{}]", self.list(items)),
            X::Set(items) => format!("{{{}}}", self.list(items)),
            X::Object(pairs) => {
                let pair =
                    |(key, value): &(X<'_>, X<'_>)| format!("{}: {}", self.whole(key), self.whole(value));
                format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(", "))
            }
            X::ArrayOf(_) => "[… | …]".to_owned(),
            X::SetOf(_) => "{… | …}".to_owned(),
            X::ObjectOf(_) => "{…: … | …}".to_owned(),
        }
    }

    fn list(self, items: &[X<'_>]) -> String {
        items.iter().map(|item| self.whole(item)).collect::<Vec<_>>().join(", ")
    }

    /// The name of a rule, with the last word of its package where that is another.
    pub(in crate::rego) fn rule(self, id: RuleId) -> String {
        let Some(rule) = self.code.rules.get(id as usize) else { return String::new() };
        self.names.rule_name(&rule.path)
    }
}

/// The last two words of a path; of what is in the package itself the last.
pub(super) fn rule_name(path: &[Value<'_>], package: &str) -> String {
    let is_own = path.split_last().is_some_and(|(_, above)| shown_path(above) == package);
    let from = path.len().saturating_sub(if is_own { 1 } else { 2 });
    let mut words = path.get(from..).unwrap_or_default().iter();
    let first = words.next().map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned));
    words.fold(first.unwrap_or_default(), |text, key| member(text, *key))
}

impl Comparison {
    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// The operator that a builtin is.
fn sign(builtin: &str) -> Option<&'static str> {
    Some(match builtin {
        "plus" => "+",
        "minus" => "-",
        "mul" => "*",
        "div" => "/",
        "rem" => "%",
        "and" => "&",
        "or" => "|",
        _ => return None,
    })
}

fn below(text: String, keys: &[&str]) -> String {
    keys.iter().fold(text, |text, key| member(text, Value::String(key)))
}

fn member(text: String, key: Value<'_>) -> String {
    match key {
        Value::String(word)
            if word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') =>
        {
            format!("{text}.{word}")
        }
        other => format!("{text}[{other}]"),
    }
}
