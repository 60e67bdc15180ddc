//! A rule of the linter, and what it finds.

use crate::rego::LoadError;
use crate::rego::syntax::tree::{Position, Span};
use serde::Serialize;

/// How much a finding of the linter matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A matter of taste or of speed; the policy does what it says.
    Warning,
    /// The policy may not do what it says, or breaks the contract.
    Error,
}

impl Severity {
    /// In lower case.
    pub fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A rule of the linter.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, by which it is disabled and ignored.
    pub id: &'static str,
    /// How much its findings matter.
    pub severity: Severity,
    /// What it wants, in a few words.
    pub wants: &'static str,
    /// Why.
    pub why: &'static str,
    /// Rego that it complains of, and the same as it should be. A part without `package` is the rest of a policy whose
    /// METADATA is complete. `None`: it is about what lies in a folder.
    pub example: Option<[&'static str; 2]>,
}

/// Something that a rule complains of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// Where, and what is wrong.
    pub error: LoadError,
    /// Just after its end: line and column, 1-based.
    pub end: (u32, u32),
    /// What would mend it.
    pub remedy: String,
    /// The file and line of a shared module that it is about.
    pub through: Option<(String, u32)>,
}

/// A place with the text around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    pub(super) path: &'a str,
    pub(super) text: &'a str,
    pub(super) span: Span,
    /// The file and line of a shared module that it is about.
    pub(super) through: Option<(&'a str, u32)>,
}

impl<'s> At<'s> {
    /// The same, about a line of a shared module.
    pub(super) fn through(self, file: &'s str, line: u32) -> Self {
        Self { through: Some((file, line)), ..self }
    }

    /// The whole of a line, by its number.
    pub(super) fn line<'a>(path: &'a str, text: &'a str, line: u32) -> At<'a> {
        let place = |column: u32| Position { offset: 0, line, column };
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or_default();
        let whole = text.lines().nth(index).unwrap_or_default();
        let long = u32::try_from(whole.chars().count()).unwrap_or(u32::MAX).saturating_add(1);
        At { path, text, span: Span { start: place(1), end: place(long) }, through: None }
    }
}

/// Collects what rules find.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) findings: Vec<Finding>,
}

impl Found {
    pub(super) fn add(
        &mut self,
        rule: &'static Rule,
        at: At<'_>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let Span { start, end } = at.span;
        self.findings.push(Finding {
            rule,
            error: LoadError::at(at.path, at.text, start.line, start.column, message),
            end: (end.line, end.column),
            remedy: remedy.into(),
            through: at.through.map(|(file, line)| (file.to_owned(), line)),
        });
    }
}
