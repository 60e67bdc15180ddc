//! The outcome of tests as plain data, and its three forms.

use super::coverage::Coverage;
use crate::exit::ExitStatus;
use crate::junit;
use crate::output::{BAD, GOOD, Output, PLACE, QUIET, STRONG, WARNING, styled};
use serde::Serialize;
use serde_json::json;

/// All cases, grouped by suite.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) cases: Vec<Case>,
    /// If it was asked for.
    pub(super) coverage: Option<Covered>,
}

/// What was covered, and what was to be.
#[derive(Debug)]
pub(super) struct Covered {
    pub(super) coverage: Coverage,
    /// In percent of lines.
    pub(super) threshold: Option<f64>,
}

impl Covered {
    /// Those of all, in percent with two digits; nothing at all is all of it. Never 100 as long as one is missing.
    pub(super) fn percent(those: usize, others: usize) -> f64 {
        if others == 0 {
            return 100.0;
        }
        let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        (number(those) / number(those + others) * 10_000.0).floor() / 100.0
    }

    /// That it is too little, in words.
    pub(super) fn problem(&self) -> Option<String> {
        let (percent, threshold) = (self.coverage.percent(), self.threshold?);
        (percent < threshold)
            .then(|| format!("{percent} % of lines are covered, less than the threshold of {threshold} %"))
    }
}

/// One test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Case {
    /// The policy's id, or the shared module's.
    pub(super) suite: String,
    /// The rule's name, or the sample's file.
    pub(super) name: String,
    /// How it ended.
    pub(super) outcome: Outcome,
    /// Why, unless it passed.
    pub(super) message: String,
    /// File and line.
    #[serde(skip)]
    pub(super) place: Option<(String, usize)>,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    Passed,
    Failed,
    Skipped,
}

impl Report {
    fn count(&self, outcome: Outcome) -> usize {
        self.cases.iter().filter(|case| case.outcome == outcome).count()
    }

    /// 2 if anything failed, or too little is covered.
    pub(super) fn status(&self) -> ExitStatus {
        let too_little = self.coverage.as_ref().is_some_and(|covered| covered.problem().is_some());
        if too_little || self.count(Outcome::Failed) > 0 { ExitStatus::Denied } else { ExitStatus::Fine }
    }

    /// One line per suite, what failed in full, and the counts.
    pub(super) fn human(&self, out: &mut Output) {
        for suite in self.suites() {
            let failed: Vec<_> = suite.iter().filter(|case| case.outcome == Outcome::Failed).collect();
            let name = suite.first().map(|case| case.suite.as_str()).unwrap_or_default();
            let passed = suite.iter().filter(|case| case.outcome == Outcome::Passed).count();
            let mark = if failed.is_empty() { styled(GOOD, "ok") } else { styled(BAD, "FAILED") };
            out.data(format_args!(
                "{mark} {} {}",
                styled(STRONG, name),
                styled(QUIET, format_args!("({passed} passed)"))
            ));
            for case in suite.iter().filter(|case| case.outcome == Outcome::Skipped) {
                out.data(format_args!("  {} {}: {}", styled(WARNING, "skipped"), case.name, case.message));
            }
            for case in failed {
                out.data(format_args!("  {} {}", styled(BAD, "failed"), case.name));
                if let Some((file, line)) = &case.place {
                    out.data(format_args!("    {}", styled(PLACE, format_args!("{file}:{line}"))));
                }
                for line in case.message.lines() {
                    out.data(format_args!("    {line}"));
                }
            }
        }
        let (passed, failed, skipped) =
            (self.count(Outcome::Passed), self.count(Outcome::Failed), self.count(Outcome::Skipped));
        let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        if let Some(covered) = &self.coverage {
            covered.coverage.human(out);
        }
        out.data(format_args!("{passed} passed, {failed} failed{skipped}"));
    }

    /// The shape of design §5.
    pub(super) fn json(&self, out: &mut Output) {
        let mut document = json!({
            "passed": self.count(Outcome::Passed),
            "failed": self.count(Outcome::Failed),
            "skipped": self.count(Outcome::Skipped),
            "cases": self.cases,
        });
        if let (Some(covered), Some(document)) = (&self.coverage, document.as_object_mut()) {
            document.insert("coverage".to_owned(), covered.coverage.json(covered.threshold));
        }
        out.data(format_args!("{document:#}"));
    }

    /// JUnit XML.
    pub(super) fn junit(&self, out: &mut Output) {
        let suite = |cases: &[Case]| junit::Suite {
            name: cases.first().map(|case| case.suite.clone()).unwrap_or_default(),
            cases: cases.iter().map(junit_case).collect(),
        };
        let suites: Vec<_> = self.suites().map(suite).collect();
        out.write(&junit::document("wayguard test", &suites));
    }

    fn suites(&self) -> impl Iterator<Item = &[Case]> {
        self.cases.chunk_by(|one, next| one.suite == next.suite)
    }
}

fn junit_case(case: &Case) -> junit::Case {
    let outcome = match case.outcome {
        Outcome::Passed => junit::Outcome::Passed,
        Outcome::Failed => junit::Outcome::Failed(case.message.clone()),
        Outcome::Skipped => junit::Outcome::Skipped(case.message.clone()),
    };
    junit::Case {
        name: case.name.clone(),
        class: case.suite.clone(),
        place: case.place.clone(),
        outcome,
        remarks: String::new(),
    }
}
