//! What is written at the marks of a program: the text of each expression, and which expressions a body has.

use super::Line;
use crate::rego::marks::{Mark, Marked, Marks};
use crate::rego::place::Place;
use crate::rego::program::Module;
use crate::rego::syntax::tree::{self, Body, Span};
use std::collections::HashMap;
use std::sync::Arc;

/// Longer texts end after their first line.
const LINE: usize = 100;
/// And there.
const LONGEST: usize = 160;

/// The texts of a program's marks.
#[derive(Debug, Default)]
pub(in crate::rego) struct Outline {
    /// By the number of the mark.
    lines: Vec<Arc<Line>>,
    clauses: HashMap<Place, Written>,
}

/// A body with its head.
#[derive(Debug, Default)]
pub(in crate::rego) struct Written {
    pub(in crate::rego) head: Arc<Line>,
    /// The expressions of the body itself.
    pub(in crate::rego) body: Vec<Arc<Line>>,
}

impl Outline {
    /// The texts of what the marks of these modules stand for.
    pub(in crate::rego) fn of(modules: &[Module], trees: &[tree::Module], marks: &Marks) -> Self {
        let all: Vec<Mark> = marks.outcome().map(|(mark, _)| mark).collect();
        let line = |mark: &Mark| Arc::new(line_of(modules, mark.file, mark.span, mark.what));
        let lines: Vec<Arc<Line>> = all.iter().map(line).collect();
        let mut outline = Self { lines, clauses: HashMap::new() };
        for (file, tree) in (0..).zip(trees) {
            for rule in &tree.rules {
                let own = (!rule.body_omitted).then_some(&rule.body);
                outline.clause(marks, Place::of(file, rule.span), file, own);
                for other in &rule.elses {
                    let own = (!other.body_omitted).then_some(&other.body);
                    outline.clause(marks, Place::of(file, other.span), file, own);
                }
            }
        }
        outline
    }

    fn clause(&mut self, marks: &Marks, place: Place, file: u16, body: Option<&Body>) {
        let line = |place| self.line(marks.at(place)?);
        let body = body.into_iter().flat_map(|body| body.iter());
        let body = body.filter_map(|expr| line(Place::of(file, expr.span))).collect();
        let head = line(place).unwrap_or_default();
        self.clauses.insert(place, Written { head, body });
    }

    /// What a mark stands for.
    pub(in crate::rego) fn line(&self, mark: u32) -> Option<Arc<Line>> {
        self.lines.get(mark as usize).cloned()
    }

    /// The body that begins there.
    pub(in crate::rego) fn written(&self, clause: Place) -> Option<&Written> {
        self.clauses.get(&clause)
    }
}

fn line_of(modules: &[Module], file: u16, span: Span, what: Marked) -> Line {
    let module = modules.get(usize::from(file));
    let range = span.start.offset as usize..span.end.offset as usize;
    let text = module.and_then(|module| module.text.get(range)).unwrap_or_default();
    let text = match what {
        // `default` and `else` say what they are; a further body has no head of its own.
        Marked::Head if text.is_empty() => "(a further body)",
        Marked::Else if text.is_empty() => "else",
        _ => text,
    };
    Line {
        file: module.map(|module| module.path.clone()).unwrap_or_default(),
        line: span.start.line,
        text: on_one_line(text),
    }
}

/// All of it if that is short, else its first line.
fn on_one_line(text: &str) -> String {
    let is_commented = text.lines().any(|line| line.trim_start().starts_with('#'));
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if joined.chars().count() <= LINE && !is_commented {
        return joined;
    }
    let first = text.lines().next().unwrap_or_default().trim_end();
    let short: String = first.chars().take(LONGEST).collect();
    format!("{short} …")
}

#[cfg(test)]
mod tests {
    use super::on_one_line;

    #[test]
    fn texts_are_told_on_one_line() {
        assert_eq!(on_one_line("every x in xs {\n\tx > 1\n}"), "every x in xs { x > 1 }");
        let long = format!("found := {{\n\t\"a\": \"{}\",\n}}", "x".repeat(100));
        assert_eq!(on_one_line(&long), "found := { …");
        assert_eq!(on_one_line("{\n# why\nx}"), "{ …");
    }
}
