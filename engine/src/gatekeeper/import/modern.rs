//! Rego v0 as v1: `if` before bodies, `contains` for elements of sets, one rule per body. Everything else, comments
//! and layout too, stays as it was written.

use crate::rego::syntax::parse_module;
use crate::rego::syntax::tree::{Else, Head, HeadKind, Module, Rule, Span, Version};

/// The text as Rego v1, with what the parser says of it.
///
/// # Errors
/// What keeps it from being read, or from being v1 afterwards, in words.
pub(super) fn modern(text: &str, v0: bool) -> Result<(String, Module), String> {
    let first = |errors: Vec<crate::rego::syntax::SyntaxError>| {
        let error = errors.into_iter().next();
        error.map_or_else(String::new, |it| format!("line {}: {}", it.span.start.line, it.message))
    };
    let version = if v0 { Version::V0 } else { Version::V1 };
    let module = parse_module(text, version).map_err(first)?;
    if !v0 {
        return Ok((text.to_owned(), module));
    }
    let mut edits = Edits { text, list: Vec::new() };
    let mut head = String::new();
    for rule in &module.rules {
        if !rule.chained {
            head = edits.head(&rule.head);
        }
        edits.rule(rule, &head);
    }
    let modern = edits.apply();
    let module = parse_module(&modern, Version::V1).map_err(first)?;
    Ok((modern, module))
}

struct Edits<'t> {
    text: &'t str,
    /// From, to, and what stands there instead.
    list: Vec<(usize, usize, String)>,
}

impl Edits<'_> {
    fn of(&self, span: Span) -> &str {
        self.text.get(offset(span.start.offset)..offset(span.end.offset)).unwrap_or_default()
    }

    /// The head as v1 has it, and the edit that makes it so.
    fn head(&mut self, head: &Head) -> String {
        let HeadKind::Element { key, with_contains: false } = &head.kind else {
            return self.of(head.span).to_owned();
        };
        let last = head.path.last().map_or(head.name.span, |term| term.span);
        let (from, to) = (offset(last.end.offset), offset(head.span.end.offset));
        // A path that ends in brackets ends after its term.
        let gap = self.text.get(from..to).unwrap_or_default();
        let from = from + if head.path.is_empty() { 0 } else { gap.find('[').unwrap_or_default() };
        let contains = format!(" contains {}", self.of(key.span));
        let start = offset(head.span.start.offset);
        let whole = format!("{}{contains}", self.text.get(start..from).unwrap_or_default());
        self.list.push((from, to, contains));
        whole
    }

    fn rule(&mut self, rule: &Rule, head: &str) {
        if rule.chained {
            let start = offset(rule.span.start.offset);
            self.list.push((start, start, format!("\n\n{head} if ")));
        } else if !rule.body_omitted && !rule.with_if && !rule.default {
            let end = offset(rule.head.span.end.offset);
            self.list.push((end, end, " if".into()));
        }
        for other in &rule.elses {
            self.alternative(other);
        }
    }

    fn alternative(&mut self, other: &Else) {
        if other.body_omitted || other.with_if {
            return;
        }
        let start = offset(other.span.start.offset);
        let end =
            if other.value_omitted { start + "else".len() } else { offset(other.value.span.end.offset) };
        self.list.push((end, end, " if".into()));
    }

    fn apply(mut self) -> String {
        self.list.sort_by_key(|(from, to, _)| (*from, *to));
        let mut out = String::with_capacity(self.text.len() + 256);
        let mut at = 0;
        for (from, to, new) in &self.list {
            out.push_str(self.text.get(at..*from).unwrap_or_default());
            out.push_str(new);
            at = *to;
        }
        out.push_str(self.text.get(at..).unwrap_or_default());
        out
    }
}

fn offset(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_get_if_and_sets_get_contains() {
        let old = "package p\n\n# why\nviolation[{\"msg\": msg}] {\n  x := input.a[_]\n  msg := sprintf(\"%v\", [x])\n}\n\nf(x) = y { y := x } else = 2 { true }\n\ndefault ok = false\n\nok { f(1) == 1 }\n\nm[k] = v { v := input[k] }\n\nc = 3\n";
        let new = "package p\n\n# why\nviolation contains {\"msg\": msg} if {\n  x := input.a[_]\n  msg := sprintf(\"%v\", [x])\n}\n\nf(x) = y if { y := x } else = 2 if { true }\n\ndefault ok = false\n\nok if { f(1) == 1 }\n\nm[k] = v if { v := input[k] }\n\nc = 3\n";
        assert_eq!(modern(old, true).unwrap().0, new);
    }

    #[test]
    fn a_further_body_becomes_a_rule_of_its_own() {
        let old = "package p\n\nviolation[{\"msg\": \"x\"}] { input.a } { input.b }\n";
        let new = "package p\n\nviolation contains {\"msg\": \"x\"} if { input.a } \n\nviolation contains {\"msg\": \"x\"} if { input.b }\n";
        assert_eq!(modern(old, true).unwrap().0, new);
    }

    #[test]
    fn what_v1_reads_otherwise_is_said() {
        let problem = modern("package p\n\nif := 1\n", true).unwrap_err();
        assert!(problem.starts_with("line 3: "), "{problem}");
    }
}
