//! Statements that joins, modifiers and the newer syntax need: several variables, patterns, bodies within bodies.

use super::{Generator, Kind};

impl Generator {
    /// Adds a statement of the rarer forms.
    pub(super) fn rare(&mut self, depth: usize) {
        match self.dice.below(16) {
            0 => self.alias(),
            1 => self.inventory(),
            2 => self.destructured(),
            3 => self.known_key(),
            4 => self.several_withs(depth),
            5 => self.replaced_rule(depth),
            6 => self.nested_every(depth),
            7 | 8 if self.v2 => self.logical(depth),
            7 => self.cross(),
            8 => self.collection_key(),
            9 => self.false_place(),
            10 => {
                let truth = self.called(Kind::Truth, depth);
                self.lines.push(truth);
            }
            11 => self.undefined_first(depth),
            12 => self.by_rule(depth),
            13 => self.unified_objects(depth),
            14 => {
                let (name, kind) = (self.fresh(), self.any_kind());
                let term = self.called(kind, depth);
                self.lines.push(format!("{name} := {term}"));
                self.scope.push((name, kind));
            }
            _ => {
                let kind = self.any_kind();
                let (one, other) = (self.term(kind, depth), self.term(kind, depth));
                self.lines.push(format!("{{{one}: 1, {other}: 2}} != {{}}"));
            }
        }
    }

    fn alias(&mut self) {
        let (name, other) = (self.fresh(), self.fresh());
        let (root, field) = *self.dice.one(&[
            ("input", "s"),
            ("input.item", "name"),
            ("data.cfg", "names[0]"),
            ("data.table.a", "name"),
        ]);
        self.lines.push(format!("{name} := {root}"));
        let text = self.constant(Kind::Text);
        let line = match self.dice.below(4) {
            0 => format!("{name}.{field} == {text}"),
            1 => format!("{other} := {name}.{field}"),
            2 => format!("startswith({name}.{field}, \"a\")"),
            _ => format!("{name}.{field}"),
        };
        self.lines.push(line);
        self.scope.push((name, Kind::Any));
    }

    /// Objects of an inventory by namespace, kind and name, joined with what is at hand.
    fn inventory(&mut self) {
        let (namespace, name, object) = (self.fresh(), self.fresh(), self.fresh());
        let join = match self.dice.below(5) {
            0 => format!("{object}.name == input.item.name"),
            1 => format!("{namespace} == input.s"),
            2 => format!("not {object}.on"),
            3 => format!("{object}.tags[_] == input.words[_]"),
            _ => format!("{name} != {object}.name"),
        };
        self.lines.push(format!("{object} := data.inventory.namespace[{namespace}].v1.Pod[{name}]"));
        self.lines.push(join);
        self.scope.push((namespace, Kind::Text));
        self.scope.push((name, Kind::Text));
        self.scope.push((object, Kind::Item));
    }

    fn destructured(&mut self) {
        let (one, other) = (self.fresh(), self.fresh());
        let line = match self.dice.below(4) {
            0 => format!("some [{one}, {other}] in [[1, \"a\"], [2, input.s], [3]]"),
            1 => format!("some {{\"name\": {one}, \"n\": {other}, \"tags\": _, \"on\": _}} in input.items"),
            2 => format!("some {one}, {{\"n\": {other}, \"name\": \"a\"}} in data.table"),
            _ => format!("[[{one}, _], [_, {other}]] = [[input.n, 1], [2, input.m]]"),
        };
        self.lines.push(line);
        self.lines.push(format!("{one} != {other}"));
        self.scope.push((one, Kind::Any));
        self.scope.push((other, Kind::Any));
    }

    /// A key that is a constant by name.
    fn known_key(&mut self) {
        let name = self.fresh();
        let text = self.dice.pick(&["a", "b", "s", "n", "name"]);
        self.lines.push(format!("{name} := \"{text}\""));
        let line = match self.dice.below(4) {
            0 => format!("data.table[{name}].on == true"),
            1 => format!("input[{name}] != null"),
            2 => format!("input.item[{name}] == \"a\""),
            _ => format!("data.table[{name}]"),
        };
        self.lines.push(line);
        self.scope.push((name, Kind::Text));
    }

    fn several_withs(&mut self, depth: usize) {
        let (name, kind) = (self.fresh(), self.any_kind());
        let term = self.term(kind, depth);
        let (number, text) = (self.term(Kind::Number, 1), self.term(Kind::Text, 1));
        let more = match self.dice.below(4) {
            0 => "with data.table.a.on as false".to_owned(),
            1 => "with upper as lower".to_owned(),
            2 => format!("with input.item as {}", self.term(Kind::Item, 1)),
            _ => "with to_number as 7".to_owned(),
        };
        self.lines.push(format!("{name} := {term} with input.n as {number} with input.s as {text} {more}"));
        self.scope.push((name, kind));
    }

    fn replaced_rule(&mut self, depth: usize) {
        let Some(known) = self.known.iter().rfind(|known| known.name.starts_with("data.")).cloned() else {
            return self.inventory();
        };
        let (name, kind) = (self.fresh(), self.any_kind());
        let term = self.term(kind, depth);
        let value = self.term(known.kind, 1);
        self.lines.push(format!("{name} := {term} with {} as {value}", known.name));
        self.scope.push((name, kind));
    }

    fn nested_every(&mut self, depth: usize) {
        let (item, tag) = (self.fresh(), self.fresh());
        let condition = {
            self.scope.push((tag.clone(), Kind::Text));
            let condition = self.truth(depth.min(1));
            self.scope.pop();
            condition
        };
        let inner = format!("every {tag} in {item}.tags {{ {condition}; {tag} != 1 }}");
        self.lines.push(format!(
            "every {item} in {} {{ {inner} }}",
            self.dice.pick(&["input.items", "data.table"])
        ));
    }

    /// `and`, `or`, and `not` with a body.
    fn logical(&mut self, depth: usize) {
        let (one, other) = (self.truth(depth), self.truth(depth));
        let line = match self.dice.below(5) {
            0 => format!("{one} and {other}"),
            1 => format!("{one} or {other}"),
            2 => format!("not {{ {one}; {other} }}"),
            3 => format!("{{ input.s == \"a\" }} or {{ {one}; {other} }}"),
            _ => format!("input.item.name == {} or input.s in {{\"a\", \"ab\"}}", self.constant(Kind::Text)),
        };
        self.lines.push(line);
    }

    fn cross(&mut self) {
        let (one, other) = (self.fresh(), self.fresh());
        self.lines.push(format!("input.items[{one}].name == input.items[{other}].name"));
        self.lines.push(format!("{one} < {other}"));
        self.scope.push((one, Kind::Number));
        self.scope.push((other, Kind::Number));
    }

    /// That something is a key of a base document.
    fn collection_key(&mut self) {
        let line = match self.dice.below(4) {
            0 => "data.table[input.s]".to_owned(),
            1 => "data.inventory.namespace[input.s]".to_owned(),
            2 => "data.cfg.names[input.n]".to_owned(),
            _ => "data.inventory.namespace.a.v1.Pod[input.item.name].on".to_owned(),
        };
        self.lines.push(line);
    }

    /// What is there and false is begun and does not hold.
    fn false_place(&mut self) {
        let place = self.dice.pick(&[
            "input.flag",
            "input.item.on",
            "data.cfg.on",
            "data.table.b.on",
            "input.items[0].on",
        ]);
        self.lines.push(place.to_owned());
    }

    /// What fails before or after what is undefined.
    fn undefined_first(&mut self, depth: usize) {
        let (name, number) = (self.fresh(), self.term(Kind::Number, depth));
        let missing =
            self.dice.pick(&["input.nope", "data.nope.x", "input.item.nope", "input.nums[9]", "data.t.nope"]);
        let line = match self.dice.below(4) {
            0 => format!("{name} := [{missing}, {number}]"),
            1 => format!("{name} := {{\"b\": {number}, \"a\": {missing}}}"),
            2 => format!("{name} := {number} + {missing}"),
            _ => format!("{name} := {{{missing}, {number}}}"),
        };
        self.lines.push(line);
        self.scope.push((name, Kind::Any));
    }

    /// Asks a rule for one of its elements, by pattern, key or constant.
    fn by_rule(&mut self, depth: usize) {
        let fitting: Vec<_> =
            self.known.iter().filter(|known| known.parameters.is_empty()).cloned().collect();
        if fitting.is_empty() {
            return self.inventory();
        }
        let known = self.dice.one(&fitting).clone();
        let name = self.fresh();
        let line = match self.dice.below(5) {
            0 => format!("{}[\"a\"]", known.name),
            1 => format!("{name} := {}[{}]", known.name, self.term(known.kind.element(), depth)),
            2 => format!("{}[{name}] == {}", known.name, self.term(known.kind.element(), 1)),
            3 => format!("{name} := {{k | {}[k]}}", known.name),
            _ => format!("not {}[{}]", known.name, self.term(Kind::Text, 1)),
        };
        if line.contains(&name) {
            self.scope.push((name, Kind::Any));
        }
        self.lines.push(line);
    }

    fn unified_objects(&mut self, depth: usize) {
        let name = self.fresh();
        let (text, number) = (self.term(Kind::Text, depth), self.term(Kind::Number, depth));
        let other = self.term(Kind::Number, 1);
        self.lines.push(format!("{{\"x\": {name}, \"y\": {number}}} = {{\"y\": {other}, \"x\": {text}}}"));
        self.scope.push((name, Kind::Text));
    }
}
