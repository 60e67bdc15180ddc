//! Random policies over a small schema: each construct of the language, most of them sound.
//!
//! A policy is made of rules of package `t`, a library `lib.h` now and then, data, and inputs that mostly fit the
//! schema. Rules refer to rules before them, so recursion is rare; each statement stands on a line of its own, so a
//! policy can be cut down line by line (see [`super::shrink`]).

mod document;
mod expression;
mod functions;
mod joins;
mod rule;
mod statement;

use super::dice::Dice;
use super::question::Question;

#[allow(unused_imports, reason = "each test file is a crate of its own and uses a part")]
pub use document::input;

/// What an expression is meant to be; inputs need not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Number,
    Text,
    Truth,
    Numbers,
    Texts,
    NumberSet,
    TextSet,
    /// Strings to numbers.
    Scores,
    /// `{"name": …, "n": …, "tags": […], "on": …}`
    Item,
    Items,
    Any,
}

impl Kind {
    const ALL: [Kind; 11] = [
        Kind::Number,
        Kind::Text,
        Kind::Truth,
        Kind::Numbers,
        Kind::Texts,
        Kind::NumberSet,
        Kind::TextSet,
        Kind::Scores,
        Kind::Item,
        Kind::Items,
        Kind::Any,
    ];

    /// What its elements are, if it has any.
    fn element(self) -> Kind {
        match self {
            Kind::Numbers | Kind::NumberSet | Kind::Scores => Kind::Number,
            Kind::Texts | Kind::TextSet => Kind::Text,
            Kind::Items => Kind::Item,
            _ => Kind::Any,
        }
    }
}

/// A rule that later ones may use.
#[derive(Clone, Debug)]
struct Known {
    /// How it is referred to.
    name: String,
    /// What it gives.
    kind: Kind,
    /// What it takes; empty: not a function.
    parameters: Vec<Kind>,
}

/// What is being written.
struct Generator {
    dice: Dice,
    v0: bool,
    /// With `and`, `or` and bodies of `not`.
    v2: bool,
    /// Variables in scope.
    scope: Vec<(String, Kind)>,
    known: Vec<Known>,
    fresh: usize,
    /// Statements of the body at work, each a line or several.
    lines: Vec<String>,
}

/// A random policy with its data, to be asked about `data.t`.
pub fn policy(seed: u64) -> Question {
    let mut dice = Dice::new(seed);
    let v0 = dice.chance(30);
    let data = document::data(&mut dice);
    let v2 = !v0 && dice.chance(15);
    let mut generator =
        Generator { dice, v0, v2, scope: Vec::new(), known: Vec::new(), fresh: 0, lines: Vec::new() };
    let mut modules = Vec::new();
    let library = generator.dice.chance(25);
    if library {
        modules.push(generator.module("lib.h", "g", 2));
        for known in &mut generator.known {
            known.name = format!("data.lib.h.{}", known.name);
        }
    }
    let rules = 1 + generator.dice.below(5);
    modules.push(generator.module("t", "r", rules));
    let strict = generator.dice.chance(35);
    Question { modules, data: Some(data), input: None, query: "data.t".to_owned(), v0, strict }
}

impl Generator {
    fn module(&mut self, package: &str, prefix: &str, rules: usize) -> String {
        let mut text = format!("package {package}\n\n");
        if self.v0 {
            text.push_str("import future.keywords.in\nimport future.keywords.every\n");
        } else if self.v2 {
            text.push_str("import rego.v2\n");
        } else if self.dice.chance(10) {
            text.push_str("import rego.v1\n");
        }
        if package == "t" && self.dice.chance(40) {
            // Functions and rules of the library by another name.
            let alias = self.dice.pick(&["", " as hh"]);
            let name = if alias.is_empty() { "h" } else { "hh" };
            let mut used = false;
            for known in &mut self.known {
                if let Some(rest) = known.name.strip_prefix("data.lib.h.") {
                    known.name = format!("{name}.{rest}");
                    used = true;
                }
            }
            if used {
                text.push_str(&format!("import data.lib.h{alias}\n"));
            }
        }
        if self.dice.chance(8) {
            text.push_str("import input.item as it0\n");
            self.known.push(Known { name: "it0".into(), kind: Kind::Item, parameters: Vec::new() });
        }
        if self.dice.chance(10) {
            text.push_str("import data.cfg\n");
            self.known.push(Known { name: "cfg.limit".into(), kind: Kind::Number, parameters: Vec::new() });
        }
        for at in 0..rules {
            let name = format!("{prefix}{at}");
            text.push('\n');
            text.push_str(&self.rules_named(&name));
        }
        text
    }

    fn fresh(&mut self) -> String {
        self.fresh += 1;
        format!("v{}", self.fresh)
    }

    fn any_kind(&mut self) -> Kind {
        *self.dice.one(&Kind::ALL)
    }

    /// Writes statements in a scope of their own and gives them back, separated as a body is.
    fn body(&mut self, statements: usize, last: Option<String>) -> Vec<String> {
        let outer = std::mem::take(&mut self.lines);
        let known = self.scope.len();
        for _ in 0..statements {
            self.statement();
        }
        self.lines.extend(last);
        self.scope.truncate(known);
        std::mem::replace(&mut self.lines, outer)
    }
}
