//! What policies cost before, as a file, and how what they cost now differs.

use crate::exit::Failure;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What one policy costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cost {
    /// Of one decision on each of its samples.
    pub(super) steps: u64,
    /// Likewise, in blocks of the arena.
    pub(super) bytes: u64,
    /// One decision, in runs of the reference loop.
    pub(super) time: f64,
}

/// What all cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    policies: BTreeMap<String, Cost>,
}

/// How a policy's cost differs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    kind: Kind,
    /// In one sentence, the policy named.
    pub(super) text: String,
    short: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Same,
    New,
    Better,
    Worse,
}

impl Change {
    pub(super) fn is_worse(&self) -> bool {
        self.kind == Kind::Worse
    }

    pub(super) fn is_better(&self) -> bool {
        self.kind == Kind::Better
    }

    pub(super) fn is_new(&self) -> bool {
        self.kind == Kind::New
    }

    /// In a few words.
    pub(super) fn short(&self) -> &str {
        &self.short
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Same => "same",
            Kind::New => "new",
            Kind::Better => "better",
            Kind::Worse => "worse",
        }
    }
}

impl Baseline {
    pub(super) fn of(costs: impl Iterator<Item = (String, Cost)>) -> Self {
        Self { policies: costs.collect() }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, or is no baseline.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
        serde_json::from_str(&text).map_err(|error| {
            let shown = path.display();
            Failure::Invalid(format!("`{shown}` is no baseline (`--update` writes one): {error}"))
        })
    }

    /// The file's text.
    pub(super) fn text(&self) -> String {
        let value = serde_json::to_value(self).unwrap_or_default();
        format!("{value:#}\n")
    }

    /// How what is measured now differs from this.
    pub(super) fn changes(&self, now: &Self, fail_above: f64) -> BTreeMap<String, Change> {
        now.policies
            .iter()
            .map(|(id, cost)| (id.clone(), change(id, self.policies.get(id), cost, fail_above)))
            .collect()
    }
}

fn change(id: &str, before: Option<&Cost>, now: &Cost, fail_above: f64) -> Change {
    let Some(before) = before else {
        let text = format!("`{id}` is not in the baseline; `--update` adds it");
        return Change { kind: Kind::New, text, short: "new".to_owned() };
    };
    let factor = now.time / before.time.max(f64::MIN_POSITIVE);
    if now.steps > before.steps {
        let short = format!("{} steps, were {}", now.steps, before.steps);
        let text = format!("`{id}` takes {short}");
        return Change { kind: Kind::Worse, text, short };
    }
    if factor > fail_above {
        let short = format!("{factor:.2} times as long");
        let text = format!("`{id}` takes {short} as in the baseline; at most {fail_above} times is fine");
        return Change { kind: Kind::Worse, text, short };
    }
    if now.steps < before.steps {
        let short = format!("{} steps, were {}", now.steps, before.steps);
        let text = format!("`{id}` takes {short}; `--update` keeps that");
        return Change { kind: Kind::Better, text, short };
    }
    Change { kind: Kind::Same, text: format!("`{id}` costs what it did"), short: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Cost = Cost { steps: 100, bytes: 4096, time: 0.1 };

    fn kind_of(now: Cost) -> &'static str {
        change("a/b", Some(&BEFORE), &now, 1.3).kind()
    }

    #[test]
    fn steps_are_compared_exactly_and_times_by_a_factor() {
        assert_eq!(kind_of(BEFORE), "same");
        assert_eq!(kind_of(Cost { steps: 101, ..BEFORE }), "worse");
        assert_eq!(kind_of(Cost { steps: 99, ..BEFORE }), "better");
        assert_eq!(kind_of(Cost { time: 0.129, ..BEFORE }), "same");
        assert_eq!(kind_of(Cost { time: 0.131, ..BEFORE }), "worse");
        assert_eq!(change("a/b", None, &BEFORE, 1.3).kind(), "new");
    }

    #[test]
    fn a_baseline_is_read_as_it_was_written_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bench.json");
        let baseline = Baseline::of([("a/b".to_owned(), BEFORE)].into_iter());
        std::fs::write(&file, baseline.text()).unwrap();
        assert_eq!(Baseline::read(&file).unwrap(), baseline);
        std::fs::write(&file, "{\"policys\": {}}").unwrap();
        assert!(Baseline::read(&file).unwrap_err().to_string().contains("is no baseline"));
    }
}
