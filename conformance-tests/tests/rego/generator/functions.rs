//! Terms by functions that a policy calls now and then: each family of builtins, mostly given what it takes.

use super::{Generator, Kind};

/// Numbers as people and programs write them.
const NOTATIONS: [&str; 18] = [
    "1E2",
    "1e-3",
    "0.10",
    "-0",
    "1e20",
    "100000000000000000000",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "0.1e1",
    "1e21",
    "4.9e-324",
    "1.7976931348623157e308",
    "0.30000000000000004",
    "1000000.0",
    "12345678.9",
    "1e2",
    "-1.50",
];
const QUANTITIES: [&str; 16] = [
    "1", "100m", "1Gi", "1.5k", "0.5", "2Ki", "10MiB", "1e3", "-1", "1 k", "", "K", "1E", "0x10", "5GB",
    ".5M",
];
const TIMES: [&str; 8] = [
    "2024-02-29T12:00:00Z",
    "2024-12-31T23:59:59.999999999+14:00",
    "1970-01-01T00:00:00Z",
    "2024-02-30T00:00:00Z",
    "2024-01-01",
    "1677-09-21T00:12:43Z",
    "2262-04-11T23:47:16.854775807Z",
    "2024-06-01T00:00:00-07:30",
];
const DURATIONS: [&str; 8] = ["1h", "1.5h30m", "-2s", "1d", "100ms", "1us", "", "2562047h47m16.854775807s"];
const NETS: [&str; 10] = [
    "10.0.0.0/8",
    "10.1.2.3",
    "10.1.0.0/16",
    "::1/128",
    "fe80::/10",
    "256.1.1.1",
    "0.0.0.0/0",
    "10.0.0.1/33",
    "192.168.0.0/30",
    "::ffff:10.0.0.1",
];
const VERSIONS: [&str; 8] =
    ["1.2.3", "1.2.3-alpha.1", "1.10.0", "v1.2.3", "1.2", "1.2.3+build", "0.0.0", "1.2.3-1"];
const GLOBS: [&str; 10] = ["*", "a*", "*-y", "**", "?", "[a-c]", "{a,ab}", "a.*", "*:*", "x-[!z]"];
const FORMATS: [&str; 22] = [
    "%8.3f|", "%e", "%X", "%#x", "%o", "%b", "%c", "%U", "%T", "% d", "%6v|", "%-6v|", "%06d", "%.1s", "%#v",
    "%+v", "%!", "%", "%*d", "%[3]v", "%O", "%5.1f|%v",
];

impl Generator {
    fn quoted(&mut self, texts: &[&str]) -> String {
        format!("\"{}\"", self.dice.one(texts))
    }

    /// A text: one of these, or any.
    fn text_of(&mut self, texts: &[&str], depth: usize) -> String {
        if self.dice.chance(80) { self.quoted(texts) } else { self.term(Kind::Text, depth) }
    }

    /// A call of that kind.
    pub(super) fn called(&mut self, kind: Kind, depth: usize) -> String {
        match kind {
            Kind::Number => self.called_number(depth),
            Kind::Text => self.called_text(depth),
            Kind::Truth => self.called_truth(depth),
            Kind::Numbers => self.called_numbers(depth),
            Kind::Texts => self.called_texts(depth),
            Kind::TextSet => match self.dice.below(3) {
                0 => format!("object.keys({})", self.term(Kind::Scores, depth)),
                1 => format!("{{k | some k, _ in {}}}", self.term(Kind::Scores, depth)),
                _ => format!("{{t | t := input.items[_].tags[_]; t != {}}}", self.term(Kind::Text, 0)),
            },
            Kind::NumberSet => match self.dice.below(3) {
                0 => format!("{{n | n := data.table[_].n; n > {}}}", self.term(Kind::Number, depth)),
                1 => format!("{{{}, {}}}", self.notation(), self.term(Kind::Number, depth)),
                _ => format!("{{n | some n in {}}}", self.term(Kind::Numbers, depth)),
            },
            Kind::Scores => self.called_scores(depth),
            Kind::Item => match self.dice.below(4) {
                0 => format!("json.remove(input.item, [\"{}\"])", self.dice.pick(&["tags/0", "name", "n/x"])),
                1 => format!("json.filter(input.item, [\"{}\"])", self.dice.pick(&["tags", "name", "on"])),
                2 => format!(
                    "json.patch(input.item, [{{\"op\": \"{}\", \"path\": \"{}\", \"value\": {}}}])",
                    self.dice.pick(&["add", "replace", "test"]),
                    self.dice.pick(&["/name", "/tags/-", "/tags/0", "/x/y"]),
                    self.term(Kind::Text, depth)
                ),
                _ => "data.inventory.namespace.a.v1.Pod.b".to_owned(),
            },
            Kind::Items => match self.dice.below(3) {
                0 => "[o | o := data.inventory.namespace[_].v1.Pod[_]]".to_owned(),
                1 => "[o | some ns; o := data.inventory.namespace[ns].v1[_][_]; ns != \"b\"]".to_owned(),
                _ => format!("[it | some it in input.items; it.name == {}]", self.term(Kind::Text, depth)),
            },
            Kind::Any => match self.dice.below(5) {
                0 => format!(
                    "json.unmarshal({})",
                    self.quoted(&["[1, 1.0, 1e0]", "{}", "nope", "1e400", "{\\\"a\\\": 1}"])
                ),
                1 => format!("yaml.unmarshal({})", self.quoted(&["a: 1", "- 1\\n- x", "~", "a: [", "0o17"])),
                2 => format!("object.get(input, {}, null)", self.term(Kind::Texts, depth)),
                3 => format!(
                    "graph.reachable({{\"a\": [\"b\"], \"b\": {}}}, {{\"a\"}})",
                    self.term(Kind::Texts, depth)
                ),
                _ => "data.inventory.namespace".to_owned(),
            },
        }
    }

    fn notation(&mut self) -> String {
        (*self.dice.one(&NOTATIONS)).to_owned()
    }

    fn called_number(&mut self, depth: usize) -> String {
        match self.dice.below(15) {
            0 | 1 => self.notation(),
            2 => format!("units.parse({})", self.text_of(&QUANTITIES, depth)),
            3 => format!("units.parse_bytes({})", self.text_of(&QUANTITIES, depth)),
            4 => format!("time.parse_rfc3339_ns({})", self.text_of(&TIMES, depth)),
            5 => format!("time.parse_duration_ns({})", self.text_of(&DURATIONS, depth)),
            6 => format!("time.clock({})[{}]", self.term(Kind::Number, depth), self.dice.below(3)),
            7 => format!("time.date(time.parse_rfc3339_ns({}))[0]", self.quoted(&TIMES)),
            8 => format!(
                "time.add_date(time.parse_rfc3339_ns({}), {}, {}, {})",
                self.quoted(&TIMES),
                self.dice.below(3),
                self.term(Kind::Number, 0),
                self.dice.below(40)
            ),
            9 => {
                let number = self.term(Kind::Number, depth);
                // A shift by much more is more memory than the machine has.
                match self.dice.below(3) {
                    0 => format!("bits.lsh({number}, {})", self.dice.below(70)),
                    1 => format!("bits.rsh({number}, {})", self.dice.below(70)),
                    _ => {
                        let function = self.dice.pick(&["bits.and", "bits.or", "bits.xor"]);
                        format!("{function}({number}, {})", self.term(Kind::Number, depth))
                    }
                }
            }
            10 => format!("strings.count({}, {})", self.term(Kind::Text, depth), self.constant(Kind::Text)),
            11 => format!(
                "to_number({})",
                self.quoted(&["0x10", "+1", "1e5", " 1", "-0", "1.", ".5", "Inf", ""])
            ),
            12 => format!("semver.compare({}, {})", self.text_of(&VERSIONS, depth), self.quoted(&VERSIONS)),
            13 => format!(
                "({} {} {})",
                self.notation(),
                self.dice.pick(&["+", "-", "*", "/", "%"]),
                self.notation()
            ),
            _ => format!(
                "object.get(input, [\"item\", {}], {})",
                self.quoted(&["n", "x", "name"]),
                self.notation()
            ),
        }
    }

    fn called_text(&mut self, depth: usize) -> String {
        match self.dice.below(16) {
            0..=2 => {
                let format = *self.dice.one(&FORMATS);
                let mut terms = Vec::new();
                for _ in 0..=self.dice.below(2) {
                    let kind = *self.dice.one(&[Kind::Number, Kind::Text, Kind::Number, Kind::Any]);
                    terms.push(self.term(kind, depth));
                }
                format!("sprintf(\"{format}\", [{}])", terms.join(", "))
            }
            3 => format!("sprintf(\"%v\", [{}])", self.notation()),
            4 => format!("json.marshal([{}, {}])", self.notation(), self.term(Kind::Any, depth)),
            5 => format!("time.format({})", self.term(Kind::Number, depth)),
            6 => format!("time.weekday(time.parse_rfc3339_ns({}))", self.quoted(&TIMES)),
            7 => {
                let function = self.dice.pick(&[
                    "hex.encode",
                    "crypto.sha256",
                    "crypto.md5",
                    "base64url.encode",
                    "glob.quote_meta",
                ]);
                format!("{function}({})", self.term(Kind::Text, depth))
            }
            8 => {
                let function =
                    self.dice.pick(&["base64.decode", "hex.decode", "urlquery.decode", "base64url.decode"]);
                format!(
                    "{function}({})",
                    self.text_of(&["YQ==", "YQ", "6162", "a%20b", "%zz", "w6k="], depth)
                )
            }
            9 => format!("json.marshal({})", self.term(Kind::Scores, depth)),
            10 => format!(
                "substring({}, {}, {})",
                self.term(Kind::Text, depth),
                self.dice.pick(&["-1", "0", "1", "9"]),
                self.dice.pick(&["-5", "0", "2"])
            ),
            11 => format!("format_int({}, {})", self.notation(), self.dice.pick(&["2", "8", "10", "16"])),
            12 => format!(
                "regex.replace({}, {}, {})",
                self.term(Kind::Text, depth),
                self.quoted(&["(a)(b)?", "x*", "(?i)A", "^", "[[:alpha:]]"]),
                self.quoted(&["$1", "${2}x", "$$", "<$0>"])
            ),
            13 => format!("{}[{}]", self.term(Kind::Texts, 0), self.term(Kind::Number, 0)).replacen(
                "[]",
                "input.words",
                1,
            ),
            14 => {
                format!("concat(\"-\", [{}, {}])", self.term(Kind::Text, depth), self.term(Kind::Text, depth))
            }
            _ => format!(
                "strings.split_n({}, \"-\", {})[0]",
                self.term(Kind::Text, depth),
                self.dice.pick(&["1", "2", "-1", "0"])
            ),
        }
    }

    fn called_truth(&mut self, depth: usize) -> String {
        match self.dice.below(14) {
            0 | 1 => {
                let delimiters = self.dice.pick(&["[]", "[\"-\"]", "[\".\", \":\"]", "null", "[\"\"]"]);
                let text = self.term(Kind::Text, depth);
                format!("glob.match({}, {delimiters}, {text})", self.text_of(&GLOBS, 0))
            }
            2 => {
                let function = self.dice.pick(&["strings.any_prefix_match", "strings.any_suffix_match"]);
                let (kind, other) = (
                    *self.dice.one(&[Kind::Text, Kind::Texts]),
                    *self.dice.one(&[Kind::Texts, Kind::TextSet, Kind::Text]),
                );
                format!("{function}({}, {})", self.term(kind, depth), self.term(other, depth))
            }
            3 => {
                let function = self.dice.pick(&["strings.any_prefix_match", "strings.any_suffix_match"]);
                format!(
                    "{function}({}, {})",
                    self.dice.pick(&["input.s", "input.item.name", "input.words"]),
                    self.dice.pick(&["[\"a\", \"x\"]", "{\"b\"}", "\"a\""])
                )
            }
            4 => format!(
                "{}({}, \"{}\")",
                self.dice.pick(&["startswith", "endswith"]),
                self.dice.pick(&["input.s", "input.item.name", "data.cfg.names[0]"]),
                self.dice.pick(&["a", "", "x-"])
            ),
            5 => format!(
                "{} in {}",
                self.dice.pick(&["input.s", "input.item.name", "input.n"]),
                self.dice.pick(&[
                    "[\"a\", \"ab\"]",
                    "{\"a\", 1, null}",
                    "{\"k\": \"a\", \"l\": 1}",
                    "[[1], \"a\"]"
                ])
            ),
            6 => format!(
                "{} in {}",
                self.dice.pick(&["\"a\"", "1", "null"]),
                self.dice.pick(&[
                    "input.words",
                    "input.nums",
                    "data.cfg.names",
                    "input.item.tags",
                    "input.scores"
                ])
            ),
            7 => format!(
                "object.subset({}, {})",
                self.term(Kind::Item, depth),
                self.dice.pick(&["{\"on\": true}", "{\"tags\": [\"a\"]}", "{}"])
            ),
            8 => {
                let function = self.dice.pick(&["net.cidr_contains", "net.cidr_intersects"]);
                format!("{function}({}, {})", self.text_of(&NETS, depth), self.text_of(&NETS, 0))
            }
            9 => {
                let function = self.dice.pick(&[
                    "semver.is_valid",
                    "regex.is_valid",
                    "json.is_valid",
                    "base64.is_valid",
                    "net.cidr_is_valid",
                    "yaml.is_valid",
                ]);
                format!(
                    "{function}({})",
                    self.text_of(&["1.2.3", "[", "{\\\"a\\\": 1}", "YQ==", "10.0.0.0/8"], depth)
                )
            }
            10 => format!(
                "regex.match({}, {})",
                self.quoted(&["^[a-z]+$", "(?i)^A", "\\\\bab\\\\b", "^.{2,}$", "é", "a|b"]),
                self.term(Kind::Text, depth)
            ),
            11 => format!("input.item.name == {}", self.constant(Kind::Text)),
            12 => format!(
                "input.{}[_] == {}",
                self.dice.pick(&["words", "nums", "scores"]),
                self.dice.pick(&["\"a\"", "1", "0"])
            ),
            _ => format!("{} == {}", self.term(Kind::Scores, depth), self.term(Kind::Scores, depth)),
        }
    }

    fn called_numbers(&mut self, depth: usize) -> String {
        match self.dice.below(6) {
            0 => format!(
                "numbers.range_step({}, {}, {})",
                self.dice.below(3),
                self.dice.below(9),
                self.dice.below(4)
            ),
            1 => format!("indexof_n({}, {})", self.term(Kind::Text, depth), self.constant(Kind::Text)),
            2 => format!("[{}, {}]", self.notation(), self.notation()),
            3 => "[n | n := input.items[_].n]".to_owned(),
            4 => format!("array.flatten([{}, [1]])", self.term(Kind::Numbers, depth)),
            _ => {
                format!("[v | some i, v in {}; i != {}]", self.term(Kind::Numbers, depth), self.dice.below(2))
            }
        }
    }

    fn called_texts(&mut self, depth: usize) -> String {
        match self.dice.below(7) {
            0 => format!(
                "regex.split({}, {})",
                self.quoted(&["-", "[a-c]", "", "x*"]),
                self.term(Kind::Text, depth)
            ),
            1 => format!(
                "regex.find_n({}, {}, {})",
                self.quoted(&["[a-z]", "a|b", ""]),
                self.term(Kind::Text, depth),
                self.dice.pick(&["-1", "1", "2"])
            ),
            2 => format!("sort(object.keys({}))", self.term(Kind::Scores, depth)),
            3 => "[ns | some ns; data.inventory.namespace[ns].v1.Pod]".to_owned(),
            4 => format!("[x.name | some x in {}]", self.term(Kind::Items, depth)),
            5 => format!("[sprintf(\"%v-%v\", [k, v]) | some k, v in {}]", self.term(Kind::Scores, depth)),
            _ => format!("[y | some x in {}; y := upper(x)]", self.term(Kind::Texts, depth)),
        }
    }

    fn called_scores(&mut self, depth: usize) -> String {
        match self.dice.below(7) {
            0 => format!(
                "object.union_n([{}, {}])",
                self.term(Kind::Scores, depth),
                self.term(Kind::Scores, depth)
            ),
            // Two items of one name are a conflict.
            1 => "{it.name: it.n | it := input.items[_]}".to_owned(),
            2 => "{it.name: i | some i, it in input.items}".to_owned(),
            3 => format!(
                "{{k: count([x | some x in input.items; x.name == k]) | some k in {}}}",
                self.term(Kind::Texts, depth)
            ),
            4 => format!("json.filter({}, [\"a\", \"b\"])", self.term(Kind::Scores, depth)),
            5 => format!(
                "{{\"b\": {}, \"a\": {}}}",
                self.term(Kind::Number, depth),
                self.term(Kind::Number, depth)
            ),
            _ => format!("{{{}: {}}}", self.term(Kind::Text, depth), self.notation()),
        }
    }
}
