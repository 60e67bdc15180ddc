//! The mutants of a module: each a small change of its text, at the places that its syntax tree names.

use wayguard_engine::rego::syntax::tree::{
    Body, Expr, ExprKind, HeadKind, Infix, Module, Operator, Rule, Span, Term, TermKind,
};

/// One change of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mutant {
    /// Bytes of the text that are replaced.
    start: usize,
    end: usize,
    by: String,
    /// Where it is, from 1.
    pub(super) line: u32,
    pub(super) column: u32,
    /// The rule that it is in.
    pub(super) rule: String,
    /// What was done.
    pub(super) mutation: &'static str,
}

impl Mutant {
    /// The text with the change.
    pub(super) fn text(&self, text: &str) -> String {
        let (before, after) = (text.get(..self.start), text.get(self.end..));
        [before.unwrap_or_default(), &self.by, after.unwrap_or_default()].concat()
    }

    /// The lines that are changed, before and after.
    pub(super) fn lines(&self, text: &str) -> (String, String) {
        let before = text.get(..self.start).unwrap_or_default();
        let first = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(self.end..).unwrap_or_default();
        let last = self.end + rest.find('\n').unwrap_or(rest.len());
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let after = [part(first, self.start), &self.by, part(self.end, last)].concat();
        (part(first, last).to_owned(), after)
    }
}

/// All mutants of a module, in the order of their places.
pub(super) fn of(text: &str, module: &Module) -> Vec<Mutant> {
    let mut maker = Maker { text, rule: String::new(), made: Vec::new() };
    for rule in &module.rules {
        maker.rule(rule);
    }
    let mut made = maker.made;
    made.sort_by_key(|mutant| (mutant.start, mutant.end));
    made
}

struct Maker<'t> {
    text: &'t str,
    rule: String,
    made: Vec<Mutant>,
}

/// Calls that are put for each other.
const CALLS: [(&str, &str); 12] = [
    ("startswith", "endswith"),
    ("endswith", "startswith"),
    ("contains", "startswith"),
    ("min", "max"),
    ("max", "min"),
    ("lower", "upper"),
    ("upper", "lower"),
    ("trim_left", "trim_right"),
    ("trim_right", "trim_left"),
    ("trim_prefix", "trim_suffix"),
    ("trim_suffix", "trim_prefix"),
    ("strings.any_prefix_match", "strings.any_suffix_match"),
];

/// What an operator becomes: its neighbour, and its contrary.
fn others(operator: Operator) -> &'static [Operator] {
    match operator {
        Operator::Equal => &[Operator::NotEqual],
        Operator::NotEqual => &[Operator::Equal],
        Operator::Less => &[Operator::LessOrEqual, Operator::GreaterOrEqual],
        Operator::LessOrEqual => &[Operator::Less, Operator::Greater],
        Operator::Greater => &[Operator::GreaterOrEqual, Operator::LessOrEqual],
        Operator::GreaterOrEqual => &[Operator::Greater, Operator::Less],
        Operator::Add => &[Operator::Subtract],
        Operator::Subtract => &[Operator::Add],
        Operator::Multiply => &[Operator::Divide],
        Operator::Divide => &[Operator::Multiply],
        Operator::Remainder => &[Operator::Multiply],
        Operator::Intersect => &[Operator::Unite],
        Operator::Unite => &[Operator::Intersect],
    }
}

fn offsets(span: Span) -> (usize, usize) {
    let offset = |it: u32| usize::try_from(it).unwrap_or(usize::MAX);
    (offset(span.start.offset), offset(span.end.offset))
}

impl Maker<'_> {
    fn make(&mut self, span: Span, by: &str, mutation: &'static str) {
        let (start, end) = offsets(span);
        if self.text.get(start..end) == Some(by) {
            return;
        }
        let rule = self.rule.clone();
        let (line, column) = (span.start.line, span.start.column);
        self.made.push(Mutant { start, end, by: by.to_owned(), line, column, rule, mutation });
    }

    fn rule(&mut self, rule: &Rule) {
        self.rule.clone_from(&rule.head.name.text);
        self.make(rule.span, "", if rule.default { "drop default" } else { "drop rule" });
        rule.head.args.iter().for_each(|it| self.term(it));
        match &rule.head.kind {
            HeadKind::Value { value, omitted, .. } => {
                if !omitted {
                    self.term(value);
                }
            }
            HeadKind::Element { key, .. } => self.term(key),
        }
        if !rule.body_omitted {
            self.body(&rule.body);
        }
        for other in &rule.elses {
            self.make(other.span, "", "drop else");
            if !other.value_omitted {
                self.term(&other.value);
            }
            if !other.body_omitted {
                self.body(&other.body);
            }
        }
    }

    fn body(&mut self, body: &Body) {
        body.iter().for_each(|it| self.expression(it));
    }

    fn expression(&mut self, expr: &Expr) {
        let here = Span { start: expr.span.start, end: expr.span.start };
        // Without what they bind nothing that follows could be evaluated: that does not load.
        let binds =
            matches!(expr.kind, ExprKind::Some(_) | ExprKind::SomeIn { .. } | ExprKind::Assign { .. });
        if !binds {
            self.make(expr.span, "true", "drop expression");
        }
        match &expr.kind {
            ExprKind::Term(term) => {
                if expr.negated {
                    self.make(Span { start: expr.span.start, end: term.span.start }, "", "drop not");
                } else if !is_comparison(term) {
                    self.make(here, "not ", "negate");
                }
                self.term(term);
            }
            ExprKind::Assign { right, .. } => self.term(right),
            ExprKind::Unify { left, right } => {
                self.term(left);
                self.term(right);
            }
            ExprKind::Some(_) => {}
            ExprKind::SomeIn { domain, .. } => {
                self.make(domain.span, "[]", "empty iteration");
                self.inside(domain);
            }
            ExprKind::Every { domain, body, .. } => {
                self.term(domain);
                self.body(body);
            }
            ExprKind::Not { body, braces } => {
                if let (Some(first), false) = (body.first(), braces) {
                    self.make(Span { start: expr.span.start, end: first.span.start }, "", "drop not");
                }
                self.body(body);
            }
            ExprKind::And(left, right) => {
                self.make(Span { start: left.span.end, end: right.span.start }, " or ", "and to or");
                self.body(&left.body);
                self.body(&right.body);
            }
            ExprKind::Or(left, right) => {
                self.make(Span { start: left.span.end, end: right.span.start }, " and ", "or to and");
                self.body(&left.body);
                self.body(&right.body);
            }
        }
        expr.with.iter().for_each(|with| self.term(&with.value));
    }

    fn term(&mut self, term: &Term) {
        match &term.kind {
            TermKind::Bool(value) => {
                self.make(term.span, if *value { "false" } else { "true" }, "flip boolean");
            }
            TermKind::Number(number) => {
                if let Ok(number) = number.parse::<i64>() {
                    self.make(term.span, &number.saturating_add(1).to_string(), "one more");
                    // Where it is a length or a count, any number below nothing means all of it.
                    if number >= 0 {
                        self.make(term.span, &number.saturating_sub(1).to_string(), "one less");
                    }
                }
            }
            TermKind::String { text, .. } if text.is_empty() => {
                self.make(term.span, "\"mutant\"", "fill string");
            }
            TermKind::String { .. } => self.make(term.span, "\"\"", "empty string"),
            TermKind::Array(items) => self.members(term.span, items, "[]"),
            TermKind::Set(items) => self.members(term.span, items, "set()"),
            _ => self.inside(term),
        }
    }

    /// A collection without each of its members, and each member changed.
    fn members(&mut self, span: Span, items: &[Term], empty: &str) {
        for (at, item) in items.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| items.get(at));
            match (items.get(at + 1), before) {
                (Some(next), _) => {
                    self.make(Span { start: item.span.start, end: next.span.start }, "", "drop member");
                }
                (None, Some(before)) => {
                    self.make(Span { start: before.span.end, end: item.span.end }, "", "drop member");
                }
                (None, None) => self.make(span, empty, "drop member"),
            }
            // Dropped is enough for a plain member.
            if !matches!(item.kind, TermKind::String { .. } | TermKind::Number(_)) {
                self.term(item);
            }
        }
    }

    /// What stands within a term, not the term itself.
    fn inside(&mut self, term: &Term) {
        match &term.kind {
            TermKind::Ref(reference) => {
                self.inside(&reference.head);
                let is_key = |it: &&Term| !matches!(it.kind, TermKind::String { .. } | TermKind::Number(_));
                reference.path.iter().filter(is_key).for_each(|it| self.term(it));
            }
            TermKind::Call(call) => {
                let name = call.dotted().unwrap_or_default();
                if let Some((_, other)) = CALLS.iter().find(|(known, _)| *known == name) {
                    self.make(call.name_span, other, "other function");
                }
                call.args.iter().for_each(|it| self.term(it));
            }
            TermKind::Infix(infix) => self.infix(infix),
            TermKind::Member(member) => {
                member.key.iter().chain([&member.value, &member.collection]).for_each(|it| self.term(it));
            }
            TermKind::Array(items) | TermKind::Set(items) => items.iter().for_each(|it| self.term(it)),
            TermKind::Object(pairs) => {
                for (key, value) in pairs {
                    self.inside(key);
                    self.term(value);
                }
            }
            TermKind::ArrayComprehension(of) | TermKind::SetComprehension(of) => {
                self.term(&of.term);
                self.body(&of.body);
            }
            TermKind::ObjectComprehension(of) => {
                self.inside(&of.key);
                self.term(&of.value);
                self.body(&of.body);
            }
            _ => {}
        }
    }

    fn infix(&mut self, infix: &Infix) {
        for other in others(infix.operator) {
            self.make(infix.operator_span, other.symbol(), "other operator");
        }
        self.term(&infix.left);
        self.term(&infix.right);
    }
}

fn is_comparison(term: &Term) -> bool {
    let TermKind::Infix(infix) = &term.kind else { return false };
    matches!(
        infix.operator,
        Operator::Equal
            | Operator::NotEqual
            | Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use wayguard_engine::rego::syntax::parse_module;
    use wayguard_engine::rego::syntax::tree::Version;

    /// What becomes of the one rule of a text.
    fn mutated(rule: &str) -> Vec<String> {
        let text = format!("package p\n\n{rule}\n");
        let module = parse_module(&text, Version::V1).unwrap();
        let shown = |mutant: &Mutant| {
            let text = mutant.text(&text);
            format!("{}: {}", mutant.mutation, text.lines().skip(2).collect::<Vec<_>>().join("\n").trim())
        };
        of(&text, &module).iter().map(shown).collect()
    }

    #[test]
    fn each_place_is_changed_in_each_way() {
        assert_eq!(
            mutated("a if { not input.x; count(input.y) < 3 }"),
            [
                "drop rule: ",
                "drop not: a if { input.x; count(input.y) < 3 }",
                "drop expression: a if { true; count(input.y) < 3 }",
                "drop expression: a if { not input.x; true }",
                "other operator: a if { not input.x; count(input.y) <= 3 }",
                "other operator: a if { not input.x; count(input.y) >= 3 }",
                "one more: a if { not input.x; count(input.y) < 4 }",
                "one less: a if { not input.x; count(input.y) < 2 }",
            ]
        );
        assert_eq!(
            mutated("a := {\"x\", \"y\"} if some v in input.xs\nelse := [true]")
                .into_iter()
                .skip(1)
                .collect::<Vec<_>>(),
            [
                "drop member: a := {\"y\"} if some v in input.xs\nelse := [true]",
                "drop member: a := {\"x\"} if some v in input.xs\nelse := [true]",
                "empty iteration: a := {\"x\", \"y\"} if some v in []\nelse := [true]",
                "drop else: a := {\"x\", \"y\"} if some v in input.xs",
                "drop member: a := {\"x\", \"y\"} if some v in input.xs\nelse := []",
                "flip boolean: a := {\"x\", \"y\"} if some v in input.xs\nelse := [false]",
            ]
        );
        assert_eq!(
            mutated("a if startswith(input.b[\"c\"], \"d\")").into_iter().skip(1).collect::<Vec<_>>(),
            [
                "negate: a if not startswith(input.b[\"c\"], \"d\")",
                "other function: a if endswith(input.b[\"c\"], \"d\")",
                "drop expression: a if true",
                "empty string: a if startswith(input.b[\"c\"], \"\")",
            ]
        );
    }

    #[test]
    fn changed_lines_are_shown_whole() {
        let text = "package p\n\na if {\n\tnot input.x\n}\n";
        let module = parse_module(text, Version::V1).unwrap();
        let mutants = of(text, &module);
        let not = mutants.iter().find(|mutant| mutant.mutation == "drop not").unwrap();
        assert_eq!(not.lines(text), ("\tnot input.x".to_owned(), "\tinput.x".to_owned()));
        assert_eq!((not.line, not.column, not.rule.as_str()), (4, 2, "a"));
    }
}
