//! Terms of a kind.

use super::{Generator, Kind};

const TEXTS: [&str; 12] = ["", "a", "b", "ab", "abc", "A", "x-y", "é", "1", "10", "a b", "name"];
const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "2",
    "3",
    "10",
    "-1",
    "1.5",
    "0.1",
    "2.50",
    "1e3",
    "-0.5",
    "9007199254740993",
    "1.0",
    "123456789012345678901234567890",
];
const PATTERNS: [&str; 8] = ["a", "^a", "[a-c]+", "^$", "(a)(b)?", "\\d+", ".", "b$"];
const FORMATS: [&str; 16] = [
    "%v",
    "%s",
    "%d",
    "a %v b",
    "%q",
    "%5v|",
    "%-4s|",
    "%05d",
    "%x",
    "%v and %v",
    "%.2f",
    "%t",
    "%%",
    "%[2]v %[1]v",
    "%+d",
    "%g",
];

impl Generator {
    /// An expression of that kind; `depth` bounds how much it may hold.
    pub(super) fn term(&mut self, kind: Kind, depth: usize) -> String {
        if self.dice.chance(1) {
            // Not what is wanted here.
            let other = self.any_kind();
            return self.well(other, depth.min(1));
        }
        self.well(kind, depth)
    }

    fn well(&mut self, kind: Kind, depth: usize) -> String {
        if self.dice.chance(45) {
            let fitting: Vec<String> = self
                .scope
                .iter()
                .filter(|(_, known)| *known == kind || (kind == Kind::Any))
                .map(|(name, _)| name.clone())
                .collect();
            if !fitting.is_empty() {
                return self.dice.one(&fitting).clone();
            }
        }
        if depth > 0
            && self.dice.chance(22)
            && let Some(call) = self.known_of(kind, depth)
        {
            return call;
        }
        if depth == 0 || self.dice.chance(35) {
            return self.simple(kind);
        }
        if self.dice.chance(25) {
            return self.called(kind, depth - 1);
        }
        self.compound(kind, depth - 1)
    }

    /// A rule or function of that kind, with arguments.
    fn known_of(&mut self, kind: Kind, depth: usize) -> Option<String> {
        let fitting: Vec<_> =
            self.known.iter().filter(|known| known.kind == kind || kind == Kind::Any).cloned().collect();
        if fitting.is_empty() {
            return None;
        }
        let known = self.dice.one(&fitting).clone();
        if known.parameters.is_empty() {
            return Some(known.name);
        }
        let arguments: Vec<_> = known.parameters.iter().map(|kind| self.term(*kind, depth - 1)).collect();
        Some(format!("{}({})", known.name, arguments.join(", ")))
    }

    pub(super) fn constant(&mut self, kind: Kind) -> String {
        match kind {
            Kind::Number => (*self.dice.one(&NUMBERS)).to_owned(),
            Kind::Text => format!("\"{}\"", self.dice.one(&TEXTS)),
            Kind::Truth => self.dice.pick(&["true", "false", "true"]).to_owned(),
            Kind::Numbers => self.list("[", "]", Kind::Number),
            Kind::Texts => self.list("[", "]", Kind::Text),
            Kind::NumberSet => self.set_of(Kind::Number),
            Kind::TextSet => self.set_of(Kind::Text),
            Kind::Scores => {
                let pairs: Vec<_> = (0..self.dice.below(3))
                    .map(|_| {
                        let key = self.constant(Kind::Text);
                        let value = self.constant(Kind::Number);
                        format!("{key}: {value}")
                    })
                    .collect();
                format!("{{{}}}", pairs.join(", "))
            }
            Kind::Item => {
                let (name, n) = (self.constant(Kind::Text), self.constant(Kind::Number));
                format!("{{\"name\": {name}, \"n\": {n}, \"tags\": [\"a\"], \"on\": true}}")
            }
            Kind::Items => {
                let item = self.constant(Kind::Item);
                format!("[{item}]")
            }
            Kind::Any => match self.dice.below(5) {
                0 => "null".to_owned(),
                1 => self.constant(Kind::Number),
                2 => self.constant(Kind::Text),
                3 => self.constant(Kind::Numbers),
                _ => self.constant(Kind::Truth),
            },
        }
    }

    fn list(&mut self, open: &str, close: &str, kind: Kind) -> String {
        let items: Vec<_> = (0..self.dice.below(4)).map(|_| self.constant(kind)).collect();
        format!("{open}{}{close}", items.join(", "))
    }

    fn set_of(&mut self, kind: Kind) -> String {
        let set = self.list("{", "}", kind);
        if set == "{}" { "set()".to_owned() } else { set }
    }

    fn simple(&mut self, kind: Kind) -> String {
        if self.dice.chance(30) {
            return self.constant(kind);
        }
        let choices: &[&str] = match kind {
            Kind::Number => &[
                "input.n",
                "input.m",
                "input.nums[0]",
                "data.cfg.limit",
                "input.item.n",
                "data.nums[1]",
                "input.scores.a",
                "data.table.a.n",
            ],
            Kind::Text => &[
                "input.s",
                "input.words[0]",
                "input.item.name",
                "data.cfg.names[0]",
                "data.table.b.name",
                "input[\"s\"]",
            ],
            Kind::Truth => &["input.flag", "data.cfg.on", "input.item.on", "input.missing"],
            Kind::Numbers => &["input.nums", "data.nums"],
            Kind::Texts => &["input.words", "data.cfg.names", "input.item.tags"],
            Kind::NumberSet => &["{1, 2, 3}", "set()", "{input.n}", "{x | x := input.nums[_]}"],
            Kind::TextSet => &["{\"a\", \"b\"}", "set()", "{input.s, \"a\"}", "{x | x := input.words[_]}"],
            Kind::Scores => &["input.scores", "{\"a\": 1}", "{}", "{\"a\": input.n, \"b\": 2}"],
            Kind::Item => &["input.item", "data.table.a", "input.items[0]", "data.table[\"1\"]"],
            Kind::Items => &["input.items", "data.table", "[input.item]"],
            Kind::Any => &[
                "input",
                "input.n",
                "input.s",
                "input.items",
                "input.nope",
                "data.cfg",
                "input.scores",
                "null",
                "data.nope",
                "input.item.tags",
            ],
        };
        self.dice.pick(choices).to_owned()
    }

    fn compound(&mut self, kind: Kind, depth: usize) -> String {
        match kind {
            Kind::Number => self.number(depth),
            Kind::Text => self.text(depth),
            Kind::Truth => self.truth(depth),
            Kind::Numbers => self.array(Kind::Number, depth),
            Kind::Texts => self.array(Kind::Text, depth),
            Kind::NumberSet => self.set(Kind::Number, depth),
            Kind::TextSet => self.set(Kind::Text, depth),
            Kind::Scores => self.scores(depth),
            Kind::Item => {
                let (name, n) = (self.term(Kind::Text, depth), self.term(Kind::Number, depth));
                match self.dice.below(3) {
                    0 => format!("object.union(input.item, {{\"name\": {name}}})"),
                    1 => "object.remove(input.item, [\"tags\"])".to_owned(),
                    _ => {
                        format!("{{\"name\": {name}, \"n\": {n}, \"tags\": input.words, \"on\": input.flag}}")
                    }
                }
            }
            Kind::Items => {
                let condition = self.condition_on("it", Kind::Item, depth);
                match self.dice.below(3) {
                    0 => format!("[it | it := input.items[_]; {condition}]"),
                    1 => format!("[it | some it in data.table; {condition}]"),
                    _ => "array.concat(input.items, [input.item])".to_owned(),
                }
            }
            Kind::Any => {
                let kind = self.any_kind();
                let term = self.term(kind, depth);
                match self.dice.below(4) {
                    0 => format!("[{term}]"),
                    1 => format!("{{\"v\": {term}}}"),
                    2 => format!("{{{term}}}"),
                    _ => term,
                }
            }
        }
    }

    fn number(&mut self, depth: usize) -> String {
        let mut number = || self.term(Kind::Number, depth);
        let (one, other) = (number(), number());
        match self.dice.below(16) {
            0..=5 => {
                let operator = self.dice.pick(&["+", "-", "*", "/", "%"]);
                format!("({one} {operator} {other})")
            }
            6 => {
                let function = self.dice.pick(&["abs", "round", "ceil", "floor"]);
                format!("{function}({one})")
            }
            7 | 8 => {
                let kind = *self.dice.one(&[
                    Kind::Numbers,
                    Kind::Texts,
                    Kind::TextSet,
                    Kind::Scores,
                    Kind::Text,
                    Kind::Items,
                ]);
                let term = self.term(kind, depth);
                format!("count({term})")
            }
            9 => {
                let numbers = self.term(Kind::Numbers, depth);
                let function = self.dice.pick(&["sum", "product", "max", "min"]);
                format!("{function}({numbers})")
            }
            10 => {
                let set = self.term(Kind::NumberSet, depth);
                let function = self.dice.pick(&["sum", "max", "min", "count"]);
                format!("{function}({set})")
            }
            11 => {
                let text = self.term(Kind::Text, depth);
                format!("to_number({text})")
            }
            12 => {
                let (scores, key) = (self.term(Kind::Scores, depth), self.term(Kind::Text, depth));
                format!("object.get({scores}, {key}, {one})")
            }
            13 => {
                let (text, part) = (self.term(Kind::Text, depth), self.term(Kind::Text, depth));
                format!("indexof({text}, {part})")
            }
            14 => format!("-{}", self.dice.pick(&["input.n", "input.m", "data.cfg.limit"])),
            _ => {
                let numbers = self.term(Kind::Numbers, depth);
                {
                    let source = Self::bracketed(numbers);
                    format!("sum([(x * {one}) | x := {source}[_]])")
                }
            }
        }
    }

    fn text(&mut self, depth: usize) -> String {
        let text = self.term(Kind::Text, depth);
        match self.dice.below(18) {
            0..=3 => {
                let format = *self.dice.one(&FORMATS);
                let mut terms = Vec::new();
                for _ in 0..self.dice.below(3) {
                    let kind = self.any_kind();
                    terms.push(self.term(kind, depth));
                }
                format!("sprintf(\"{format}\", [{}])", terms.join(", "))
            }
            4 => format!("lower({text})"),
            5 => format!("upper({text})"),
            6 => {
                let texts = self.term(Kind::Texts, depth);
                format!("concat(\",\", {texts})")
            }
            7 => {
                let set = self.term(Kind::TextSet, depth);
                format!("concat({text}, {set})")
            }
            8 => {
                let (old, new) = (self.term(Kind::Text, depth), self.constant(Kind::Text));
                format!("replace({text}, {old}, {new})")
            }
            9 => format!(
                "substring({text}, {}, {})",
                self.dice.below(3),
                self.dice.pick(&["-1", "0", "1", "5"])
            ),
            10 => {
                let function = self.dice.pick(&[
                    "trim_space",
                    "json.marshal",
                    "type_name",
                    "base64.encode",
                    "urlquery.encode",
                    "strings.reverse",
                ]);
                format!("{function}({text})")
            }
            11 => {
                let kind = self.any_kind();
                let term = self.term(kind, depth);
                let function = self.dice.pick(&["json.marshal", "type_name"]);
                format!("{function}({term})")
            }
            12 => {
                let number = self.term(Kind::Number, depth);
                format!("format_int({number}, {})", self.dice.pick(&["10", "16", "2", "8"]))
            }
            13 => {
                let function =
                    self.dice.pick(&["trim", "trim_left", "trim_right", "trim_prefix", "trim_suffix"]);
                let cut = self.constant(Kind::Text);
                format!("{function}({text}, {cut})")
            }
            14 => format!("split({text}, \"-\")[{}]", self.dice.below(2)),
            15 if !self.v0 => {
                let kind = self.any_kind();
                let other = self.term(kind, depth);
                if other.contains('"') || text.contains('"') {
                    text
                } else {
                    format!("$\"a {{{text}}} {{{other}}}\"")
                }
            }
            16 => {
                let pattern = self.dice.one(&PATTERNS);
                format!("regex.replace({text}, `{pattern}`, \"z\")")
            }
            _ => {
                let number = self.term(Kind::Number, depth);
                format!("sprintf(\"%v\", [{number}])")
            }
        }
    }

    pub(super) fn truth(&mut self, depth: usize) -> String {
        match self.dice.below(14) {
            0..=4 => {
                let kind = *self.dice.one(&[
                    Kind::Number,
                    Kind::Number,
                    Kind::Text,
                    Kind::Any,
                    Kind::Texts,
                    Kind::TextSet,
                ]);
                let (one, other) = (self.term(kind, depth), self.term(kind, depth));
                let operator = self.dice.pick(&["==", "!=", "<", "<=", ">", ">="]);
                format!("{one} {operator} {other}")
            }
            5 => {
                let (one, other) = (self.term(Kind::Text, depth), self.term(Kind::Text, depth));
                let function = self.dice.pick(&["startswith", "endswith", "contains"]);
                format!("{function}({one}, {other})")
            }
            6 => {
                let (text, pattern) = (self.term(Kind::Text, depth), *self.dice.one(&PATTERNS));
                format!("regex.match(`{pattern}`, {text})")
            }
            7 | 8 => {
                let kind = *self.dice.one(&[
                    Kind::Numbers,
                    Kind::Texts,
                    Kind::NumberSet,
                    Kind::TextSet,
                    Kind::Scores,
                ]);
                let (element, collection) = (self.term(kind.element(), depth), self.term(kind, depth));
                format!("{element} in {collection}")
            }
            9 => {
                let (key, value) = (self.term(Kind::Text, depth), self.term(Kind::Number, depth));
                let scores = self.term(Kind::Scores, depth);
                format!("({key}, {value} in {scores})")
            }
            10 => {
                let kind = self.any_kind();
                let term = self.term(kind, depth);
                let function = self.dice.pick(&[
                    "is_number",
                    "is_string",
                    "is_array",
                    "is_object",
                    "is_set",
                    "is_null",
                    "is_boolean",
                ]);
                format!("{function}({term})")
            }
            11 if self.v0 => {
                let truths = self.term(Kind::Truth, depth);
                let function = self.dice.pick(&["any", "all"]);
                format!("{function}([{truths}, input.flag])")
            }
            12 => {
                let (one, other) = (self.term(Kind::TextSet, depth), self.term(Kind::TextSet, depth));
                format!("count({one} - {other}) == 0")
            }
            _ => {
                let one = self.term(Kind::Truth, depth);
                format!("({one} == true)")
            }
        }
    }

    fn array(&mut self, element: Kind, depth: usize) -> String {
        let own = if element == Kind::Number { Kind::Numbers } else { Kind::Texts };
        let set = if element == Kind::Number { Kind::NumberSet } else { Kind::TextSet };
        match self.dice.below(8) {
            0 => {
                let items: Vec<_> = (0..self.dice.below(3)).map(|_| self.term(element, depth)).collect();
                format!("[{}]", items.join(", "))
            }
            1 | 2 => {
                let source = self.term(own, depth);
                let condition = self.condition_on("x", element, depth);
                format!("[x | some x in {source}; {condition}]")
            }
            3 => {
                let (one, other) = (self.term(own, depth), self.term(own, depth));
                format!("array.concat({one}, {other})")
            }
            4 => {
                let set = self.term(set, depth);
                format!("sort({set})")
            }
            5 => {
                let (array, from) = (self.term(own, depth), self.dice.below(3));
                format!("array.slice({array}, {from}, {})", from + self.dice.below(3))
            }
            6 if element == Kind::Number => {
                format!("numbers.range({}, {})", self.dice.below(4), self.dice.below(5))
            }
            6 => {
                let text = self.term(Kind::Text, depth);
                format!("split({text}, \"\")")
            }
            _ => {
                let array = self.term(own, depth);
                format!("array.reverse({array})")
            }
        }
    }

    fn set(&mut self, element: Kind, depth: usize) -> String {
        let own = if element == Kind::Number { Kind::NumberSet } else { Kind::TextSet };
        let array = if element == Kind::Number { Kind::Numbers } else { Kind::Texts };
        match self.dice.below(6) {
            0 => {
                let items: Vec<_> = (0..=self.dice.below(2)).map(|_| self.term(element, depth)).collect();
                format!("{{{}}}", items.join(", "))
            }
            1 | 2 => {
                let source = self.term(array, depth);
                let source = Self::bracketed(source);
                let condition = self.condition_on("x", element, depth);
                format!("{{x | x := {source}[_]; {condition}}}")
            }
            3 | 4 => {
                let (one, other) = (self.term(own, depth), self.term(own, depth));
                let operator = self.dice.pick(&["|", "&", "-"]);
                format!("({one} {operator} {other})")
            }
            _ => {
                let (one, other) = (self.term(own, depth), self.term(own, depth));
                let function = self.dice.pick(&["union", "intersection"]);
                format!("{function}({{{one}, {other}}})")
            }
        }
    }

    fn scores(&mut self, depth: usize) -> String {
        match self.dice.below(5) {
            0 => {
                let (key, value) = (self.term(Kind::Text, depth), self.term(Kind::Number, depth));
                format!("{{{key}: {value}}}")
            }
            1 | 2 => {
                let source = self.term(Kind::Scores, depth);
                let condition = self.condition_on("v", Kind::Number, depth);
                format!("{{k: v | some k, v in {source}; {condition}}}")
            }
            3 => {
                let (one, other) = (self.term(Kind::Scores, depth), self.term(Kind::Scores, depth));
                format!("object.union({one}, {other})")
            }
            _ => {
                let (scores, key) = (self.term(Kind::Scores, depth), self.constant(Kind::Text));
                let function = self.dice.pick(&["object.remove", "object.filter"]);
                format!("{function}({scores}, [{key}])")
            }
        }
    }

    /// What a reference can start with: an iteration over it, if it is a literal.
    fn bracketed(source: String) -> String {
        if source.starts_with(|c: char| c.is_ascii_lowercase())
            && !source.starts_with("null")
            && !source.contains(' ')
        {
            source
        } else {
            format!("[{source}][0]")
        }
    }

    /// A condition in which a variable is in scope.
    fn condition_on(&mut self, name: &str, kind: Kind, depth: usize) -> String {
        self.scope.push((name.to_owned(), kind));
        let condition = self.truth(depth.min(1));
        self.scope.pop();
        condition
    }
}
