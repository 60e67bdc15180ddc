//! Statements of bodies.

use super::{Generator, Kind};

impl Generator {
    /// Adds a statement to the body at work.
    pub(super) fn statement(&mut self) {
        let depth = 1 + self.dice.below(3);
        match self.dice.below(32) {
            0..=3 => self.assign(depth),
            4..=7 => self.iterate(depth),
            8..=11 => {
                let condition = self.truth(depth);
                self.lines.push(condition);
            }
            12..=14 => self.negation(depth),
            15 => self.every(depth),
            16 | 17 => self.with(depth),
            18 => self.unify(depth),
            19 => self.reference(),
            20 => self.walk(),
            21 => {
                let kind = self.any_kind();
                let term = self.term(kind, depth);
                self.lines.push(term);
            }
            22 => self.output_argument(depth),
            23 => self.declared(),
            24..=29 => self.rare(depth),
            _ => self.comparison_with_rule(depth),
        }
        if self.dice.chance(1) && self.lines.len() > 1 {
            // OPA orders a body by what needs what; what is used before it is declared it refuses.
            let last = self.lines.len() - 1;
            let other = self.dice.below(last);
            self.lines.swap(last, other);
        }
    }

    fn assign(&mut self, depth: usize) {
        let (kind, name) = (self.any_kind(), self.fresh());
        let term = self.term(kind, depth);
        let operator = if self.dice.chance(85) { ":=" } else { "=" };
        self.lines.push(format!("{name} {operator} {term}"));
        self.scope.push((name, kind));
    }

    fn collection(&mut self) -> Kind {
        *self.dice.one(&[
            Kind::Numbers,
            Kind::Texts,
            Kind::NumberSet,
            Kind::TextSet,
            Kind::Scores,
            Kind::Items,
            Kind::Any,
        ])
    }

    fn iterate(&mut self, depth: usize) {
        let (kind, name) = (self.collection(), self.fresh());
        let source = self.term(kind, depth.min(2));
        match self.dice.below(5) {
            0 | 1 => {
                self.lines.push(format!("some {name} in {source}"));
                self.used(&format!("{name} != null"));
            }
            2 => {
                let key = self.fresh();
                self.lines.push(format!("some {key}, {name} in {source}"));
                self.used(&format!("{key} != {name}"));
                self.scope.push((key, Kind::Any));
            }
            3 => {
                let simple = self.dice.pick(&[
                    "input.nums",
                    "input.words",
                    "input.items",
                    "data.table",
                    "input.scores",
                    "data.cfg.names",
                ]);
                let index = if self.dice.chance(50) { "_".to_owned() } else { self.fresh() };
                self.lines.push(format!("{name} := {simple}[{index}]"));
                if index != "_" {
                    self.scope.push((index, Kind::Any));
                }
            }
            _ => {
                let index = self.fresh();
                self.lines.push(format!("some {index}, {name}"));
                self.lines.push(format!("input.items[{index}].name = {name}"));
                self.scope.push((index, Kind::Number));
                self.scope.push((name, Kind::Text));
                return;
            }
        }
        self.scope.push((name, kind.element()));
    }

    /// OPA refuses what is declared and never used.
    fn used(&mut self, use_: &str) {
        if self.dice.chance(98) {
            self.lines.push(use_.to_owned());
        }
    }

    fn negation(&mut self, depth: usize) {
        let term = match self.dice.below(5) {
            0 | 1 => self.truth(depth),
            2 => self.term(Kind::Truth, depth),
            3 => {
                let kind = self.any_kind();
                self.term(kind, depth)
            }
            _ => {
                let call = self.known.iter().rfind(|known| !known.parameters.is_empty()).cloned();
                match call {
                    Some(known) => {
                        let arguments: Vec<_> =
                            known.parameters.iter().map(|kind| self.term(*kind, 1)).collect();
                        format!("{}({})", known.name, arguments.join(", "))
                    }
                    None => "input.item.on".to_owned(),
                }
            }
        };
        self.lines.push(format!("not {term}"));
    }

    fn every(&mut self, depth: usize) {
        let (kind, name) = (self.collection(), self.fresh());
        let source = self.term(kind, depth.min(2));
        let key = self.dice.chance(25).then(|| self.fresh());
        let outer = self.scope.len();
        self.scope.push((name.clone(), kind.element()));
        self.scope.extend(key.iter().map(|key| (key.clone(), Kind::Any)));
        let condition = self.truth(1);
        let extra = usize::from(self.dice.chance(25));
        let mut body = self.body(extra, Some(condition));
        self.scope.truncate(outer);
        // OPA refuses what is declared and never used.
        body.push(format!("{name} != null"));
        body.extend(key.iter().map(|key| format!("{key} != {name}")));
        let key = key.map(|key| format!("{key}, ")).unwrap_or_default();
        self.lines.push(format!("every {key}{name} in {source} {{ {} }}", body.join("; ")));
    }

    fn with(&mut self, depth: usize) {
        let kind = self.any_kind();
        let term = if self.dice.chance(50) { self.truth(depth) } else { self.term(kind, depth) };
        let (target, replaced) = *self.dice.one(&[
            ("input", Kind::Any),
            ("input.n", Kind::Number),
            ("input.s", Kind::Text),
            ("input.items", Kind::Items),
            ("input.item.name", Kind::Text),
            ("data.cfg", Kind::Any),
            ("data.cfg.limit", Kind::Number),
            ("data.nums", Kind::Numbers),
            ("data.nope.x", Kind::Number),
            ("count", Kind::Number),
        ]);
        let value = self.term(replaced, 1);
        let line = match self.dice.below(3) {
            0 => {
                let name = self.fresh();
                let line = format!("{name} := {term} with {target} as {value}");
                self.scope.push((name, kind));
                line
            }
            1 => format!("not {term} with {target} as {value}"),
            _ => format!("{term} with {target} as {value}"),
        };
        self.lines.push(line);
    }

    fn unify(&mut self, depth: usize) {
        let (one, other) = (self.fresh(), self.fresh());
        let line = match self.dice.below(5) {
            0 => {
                let (left, right) = (self.term(Kind::Number, depth), self.term(Kind::Text, depth));
                self.scope.push((one.clone(), Kind::Number));
                self.scope.push((other.clone(), Kind::Text));
                format!("[{one}, {other}] = [{left}, {right}]")
            }
            1 => {
                self.scope.push((one.clone(), Kind::Text));
                format!("{{\"name\": {one}, \"n\": _, \"tags\": _, \"on\": _}} = input.item")
            }
            2 => {
                let texts = self.term(Kind::Texts, depth);
                self.scope.push((one.clone(), Kind::Text));
                self.scope.push((other.clone(), Kind::Text));
                format!("[{one}, {other}] := {texts}")
            }
            3 => {
                let items = self.term(Kind::Numbers, 1);
                self.scope.push((one.clone(), Kind::Number));
                format!("[[{one}, 1], _] = [{items}, 3]")
            }
            _ => {
                let number = self.term(Kind::Number, depth);
                self.scope.push((one.clone(), Kind::Number));
                format!("{number} = {one}")
            }
        };
        self.lines.push(line);
    }

    /// A reference that filters and binds at once.
    fn reference(&mut self) {
        let (one, other) = (self.fresh(), self.fresh());
        let line = match self.dice.below(6) {
            0 => {
                self.scope.push((one.clone(), Kind::Text));
                format!("data.table[{one}].on")
            }
            1 => {
                self.scope.push((one.clone(), Kind::Number));
                format!("input.items[{one}].tags[_] == \"a\"")
            }
            2 => {
                self.scope.push((one.clone(), Kind::Any));
                self.scope.push((other.clone(), Kind::Any));
                format!("input[{one}][{other}]")
            }
            3 => {
                self.scope.push((one.clone(), Kind::Any));
                format!("data.cfg[{one}] = _")
            }
            4 => {
                let text = self.term(Kind::Text, 1);
                format!("input[{text}]")
            }
            _ => {
                self.scope.push((one.clone(), Kind::Text));
                format!("{{\"a\": 1, \"b\": 2}}[{one}] > 1")
            }
        };
        self.lines.push(line);
    }

    fn walk(&mut self) {
        let (path, value) = (self.fresh(), self.fresh());
        let source = self.dice.pick(&["input.item", "input.scores", "input.items", "data.cfg"]);
        self.lines.push(format!("walk({source}, [{path}, {value}])"));
        if self.dice.chance(60) {
            self.lines.push(format!("is_{}({value})", self.dice.pick(&["string", "number"])));
        }
        self.scope.push((path, Kind::Texts));
        self.scope.push((value, Kind::Any));
    }

    /// A builtin with its result as one more argument.
    fn output_argument(&mut self, depth: usize) {
        let name = self.fresh();
        let text = self.term(Kind::Text, depth);
        let (function, kind) =
            *self.dice.one(&[("count", Kind::Number), ("upper", Kind::Text), ("json.marshal", Kind::Text)]);
        let result = if self.dice.chance(70) {
            self.scope.push((name.clone(), kind));
            name
        } else {
            self.constant(kind)
        };
        self.lines.push(format!("{function}({text}, {result})"));
    }

    fn declared(&mut self) {
        let (one, other) = (self.fresh(), self.fresh());
        self.lines.push(format!("some {one}, {other}"));
        self.lines.push(format!("input.words[{one}] == data.cfg.names[{other}]"));
        self.scope.push((one, Kind::Number));
        self.scope.push((other, Kind::Number));
    }

    /// Looks into what another rule gives.
    fn comparison_with_rule(&mut self, depth: usize) {
        if self.known.is_empty() {
            return self.assign(depth);
        }
        let known = self.dice.one(&self.known.clone()).clone();
        if !known.parameters.is_empty() {
            let arguments: Vec<_> = known.parameters.iter().map(|kind| self.term(*kind, 1)).collect();
            let name = self.fresh();
            self.lines.push(format!("{name} := {}({})", known.name, arguments.join(", ")));
            self.scope.push((name, known.kind));
            return;
        }
        let name = self.fresh();
        let line = match self.dice.below(4) {
            0 => format!("{}[{name}]", known.name),
            1 => {
                let key = self.term(known.kind.element(), 1);
                self.lines.push(format!("{}[{key}]", known.name));
                return;
            }
            2 => format!("{name} := {}[_]", known.name),
            _ => {
                self.lines.push(format!("some {name} in {}", known.name));
                format!("{name} != 1")
            }
        };
        self.lines.push(line);
        self.scope.push((name, known.kind.element()));
    }
}
