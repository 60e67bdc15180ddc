//! Rules: heads of every form, with one body or several.

use super::{Generator, Kind, Known};

impl Generator {
    /// All definitions of one name.
    pub(super) fn rules_named(&mut self, name: &str) -> String {
        match self.dice.below(18) {
            13 => self.deep(name),
            14 => self.constants(name),
            15 => self.function_with_else(name),
            16 => self.keys_only(name),
            17 if !self.v0 => self.sets_by_key(name),
            0..=2 => self.complete(name),
            3..=5 => self.partial_set(name),
            6 | 7 => self.partial_object(name),
            8..=10 => self.function(name),
            11 => self.with_else(name),
            _ => self.dotted(name),
        }
    }

    fn know(&mut self, name: &str, kind: Kind, parameters: Vec<Kind>) {
        self.known.push(Known { name: name.to_owned(), kind, parameters });
    }

    /// `head if { … }`, or as Rego v0 writes it; `last` closes the body.
    fn with_body(&mut self, head: &str, lines: &[String]) -> String {
        let keyword = if self.v0 { "" } else { "if " };
        if lines.is_empty() {
            return format!("{head}\n");
        }
        format!("{head} {keyword}{{\n\t{}\n}}\n", lines.join("\n\t"))
    }

    fn statements(&mut self) -> usize {
        1 + self.dice.below(4)
    }

    fn complete(&mut self, name: &str) -> String {
        let kind = self.any_kind();
        let mut text = String::new();
        if self.dice.chance(30) {
            text.push_str(&format!("default {name} := {}\n", self.constant(kind)));
        }
        let bodies = if self.dice.chance(30) { 2 } else { 1 };
        let fixed = self.constant(kind);
        for _ in 0..bodies {
            let statements = self.statements();
            let (lines, value) = self.body_with_value(statements, kind);
            // Two values would be a conflict, which is worth having now and then.
            let value = if bodies > 1 && self.dice.chance(80) { fixed.clone() } else { value };
            let head = if kind == Kind::Truth && self.dice.chance(50) {
                name.to_owned()
            } else {
                format!("{name} := {value}")
            };
            text.push_str(&self.with_body(&head, &lines));
        }
        self.know(name, kind, Vec::new());
        text
    }

    /// A body, and a value that may use its variables.
    fn body_with_value(&mut self, statements: usize, kind: Kind) -> (Vec<String>, String) {
        let outer_lines = std::mem::take(&mut self.lines);
        let outer = self.scope.len();
        for _ in 0..statements {
            self.statement();
        }
        let value = self.term(kind, 2);
        self.scope.truncate(outer);
        (std::mem::replace(&mut self.lines, outer_lines), value)
    }

    fn partial_set(&mut self, name: &str) -> String {
        let element = *self.dice.one(&[Kind::Number, Kind::Text, Kind::Any, Kind::Text]);
        let mut text = String::new();
        for _ in 0..=self.dice.below(2) {
            let statements = self.statements();
            let (lines, value) = self.body_with_value(statements, element);
            let head = if self.v0 { format!("{name}[{value}]") } else { format!("{name} contains {value}") };
            text.push_str(&self.with_body(&head, &lines));
        }
        let kind = match element {
            Kind::Number => Kind::NumberSet,
            Kind::Text => Kind::TextSet,
            _ => Kind::Any,
        };
        self.know(name, kind, Vec::new());
        text
    }

    fn partial_object(&mut self, name: &str) -> String {
        let mut text = String::new();
        for _ in 0..=self.dice.below(2) {
            let outer_lines = std::mem::take(&mut self.lines);
            let outer = self.scope.len();
            for _ in 0..self.statements() {
                self.statement();
            }
            let (key, value) = (self.term(Kind::Text, 1), self.term(Kind::Number, 2));
            self.scope.truncate(outer);
            let lines = std::mem::replace(&mut self.lines, outer_lines);
            let operator = if self.v0 { "=" } else { ":=" };
            let path = if !self.v0 && self.dice.chance(20) {
                format!("{name}[{key}].deep")
            } else {
                format!("{name}[{key}]")
            };
            text.push_str(&self.with_body(&format!("{path} {operator} {value}"), &lines));
        }
        self.know(name, Kind::Scores, Vec::new());
        text
    }

    fn function(&mut self, name: &str) -> String {
        let kind = self.any_kind();
        let parameters: Vec<Kind> = (0..=self.dice.below(2)).map(|_| self.any_kind()).collect();
        let mut text = String::new();
        if self.dice.chance(15) {
            let names: Vec<_> = parameters.iter().map(|_| "_").collect();
            text.push_str(&format!("default {name}({}) := {}\n", names.join(", "), self.constant(kind)));
        }
        for _ in 0..=self.dice.below(2) {
            let outer_lines = std::mem::take(&mut self.lines);
            let outer = self.scope.len();
            let mut names = Vec::new();
            for parameter in &parameters {
                let written = match self.dice.below(8) {
                    0 => self.constant(*parameter),
                    1 => "_".to_owned(),
                    2 if *parameter == Kind::Numbers => {
                        let (one, other) = (self.fresh(), self.fresh());
                        self.scope.push((one.clone(), Kind::Number));
                        self.scope.push((other.clone(), Kind::Number));
                        format!("[{one}, {other}]")
                    }
                    _ => {
                        let name = self.fresh();
                        self.scope.push((name.clone(), *parameter));
                        name
                    }
                };
                names.push(written);
            }
            for _ in 0..self.dice.below(3) {
                self.statement();
            }
            let value = if self.dice.chance(20) { self.constant(kind) } else { self.term(kind, 2) };
            self.scope.truncate(outer);
            let lines = std::mem::replace(&mut self.lines, outer_lines);
            let head = format!("{name}({})", names.join(", "));
            let head =
                if kind == Kind::Truth && !lines.is_empty() { head } else { format!("{head} := {value}") };
            text.push_str(&self.with_body(&head, &lines));
        }
        self.know(name, kind, parameters);
        text
    }

    fn with_else(&mut self, name: &str) -> String {
        let kind = self.any_kind();
        let statements = self.statements();
        let (lines, value) = self.body_with_value(statements, kind);
        let mut text = self.with_body(&format!("{name} := {value}"), &lines);
        for _ in 0..=self.dice.below(2) {
            let statements = self.statements();
            let (lines, value) = self.body_with_value(statements, kind);
            text.truncate(text.trim_end().len());
            let keyword = if self.v0 { "=" } else { ":=" };
            text.push_str(&format!(" else {}", self.with_body(&format!("{keyword} {value}"), &lines)));
        }
        self.know(name, kind, Vec::new());
        text
    }

    fn dotted(&mut self, name: &str) -> String {
        let kind = self.any_kind();
        let statements = self.statements();
        let (lines, value) = self.body_with_value(statements, kind);
        let head = if self.v0 { format!("{name}.a.b = {value}") } else { format!("{name}.a := {value}") };
        let mut text = self.with_body(&head, &lines);
        if !self.v0 && self.dice.chance(40) {
            let (lines, value) = self.body_with_value(1, Kind::Text);
            text.push_str(&self.with_body(&format!("{name}.c contains {value}"), &lines));
        }
        self.know(&format!("{name}.a"), kind, Vec::new());
        text
    }

    /// Bodies that ask input and data for constants, all with one value, or two.
    fn constants(&mut self, name: &str) -> String {
        let kind = *self.dice.one(&[Kind::Numbers, Kind::Text, Kind::Scores, Kind::Truth]);
        let (one, other) = (self.constant(kind), self.constant(kind));
        let mut text = String::new();
        for _ in 0..2 + self.dice.below(2) {
            let (mut lines, _) = self.body_with_value(1, kind);
            let condition = self.called(Kind::Truth, 0);
            lines.insert(self.dice.below(lines.len() + 1), condition);
            let value = if self.dice.chance(85) { &one } else { &other };
            text.push_str(&self.with_body(&format!("{name} := {value}"), &lines));
        }
        self.know(name, kind, Vec::new());
        text
    }

    fn function_with_else(&mut self, name: &str) -> String {
        let (kind, taken) = (self.any_kind(), self.any_kind());
        let mut text = String::new();
        let parameter = self.fresh();
        for at in 0..=1 + self.dice.below(2) {
            let outer = self.scope.len();
            self.scope.push((parameter.clone(), taken));
            let (mut lines, value) = self.body_with_value(1, kind);
            self.scope.truncate(outer);
            if self.dice.chance(30) {
                lines.insert(0, format!("{parameter} == {}", self.constant(taken)));
            }
            let keyword = if self.v0 { "=" } else { ":=" };
            if at == 0 {
                text.push_str(&self.with_body(&format!("{name}({parameter}) {keyword} {value}"), &lines));
            } else {
                text.truncate(text.trim_end().len());
                text.push_str(&format!(" else {}", self.with_body(&format!("{keyword} {value}"), &lines)));
            }
        }
        self.know(name, kind, vec![taken]);
        text
    }

    /// An object whose keys are found in two steps.
    fn deep(&mut self, name: &str) -> String {
        let mut text = String::new();
        for _ in 0..=self.dice.below(2) {
            let (lines, value) = self.body_with_value(2, Kind::Number);
            let (one, other) = (self.constant(Kind::Text), self.constant(Kind::Text));
            let operator = if self.v0 { "=" } else { ":=" };
            let path = match self.dice.below(3) {
                0 => format!("{name}[{one}]"),
                1 if !self.v0 => format!("{name}[{one}][input.s]"),
                _ if !self.v0 => format!("{name}[data.cfg.names[_]][{other}]"),
                _ => format!("{name}[input.s]"),
            };
            text.push_str(&self.with_body(&format!("{path} {operator} {value}"), &lines));
        }
        self.know(name, Kind::Any, Vec::new());
        text
    }

    fn keys_only(&mut self, name: &str) -> String {
        let (lines, key) = self.body_with_value(2, Kind::Text);
        let head = if self.v0 { format!("{name}[{key}] = true") } else { format!("{name}[{key}]") };
        let text = self.with_body(&head, &lines);
        self.know(name, Kind::Any, Vec::new());
        text
    }

    fn sets_by_key(&mut self, name: &str) -> String {
        let mut text = String::new();
        for _ in 0..=self.dice.below(2) {
            let (lines, value) = self.body_with_value(2, Kind::Text);
            let key = self.dice.pick(&["input.s", "\"a\"", "data.cfg.names[_]", "input.item.name"]);
            text.push_str(&self.with_body(&format!("{name}[{key}] contains {value}"), &lines));
        }
        self.know(name, Kind::Any, Vec::new());
        text
    }
}
