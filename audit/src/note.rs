//! What came of judging, in a form of which a cluster needs few: the same finding on a thousand Pods is one note.

use serde::{Deserialize, Serialize};
use std::hash::Hash;
use std::sync::Arc;
use wayguard_engine::Finding;
use wayguard_engine::decision::{Effect, Severity};

/// Stands for the object's name in a message; such a character is in no name and in no printable text.
const NAME: &str = "\u{1}";
/// A name is looked for in messages only if it is at least this long: `a` is in every word.
const LONG_ENOUGH: usize = 3;

/// What is alike in all findings of one rule of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The name of the Policy object.
    pub policy_object: Box<str>,
    /// The policy's id as people know it.
    pub policy: Box<str>,
    /// The rule within it.
    pub rule: Box<str>,
    /// How much it matters.
    pub severity: Severity,
    /// The policy's category.
    pub category: Box<str>,
    /// Control ids, such as `CIS-5.2.2`.
    pub controls: Box<[Box<str>]>,
    /// How to mend it.
    pub remedy: Box<str>,
    /// Where to read more.
    pub docs: Box<str>,
}

/// One finding, the object's name taken out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Note {
    /// Which rule.
    pub rule: Arc<Rule>,
    /// What it would do at admission, exceptions applied.
    pub effect: Effect,
    /// JSON Pointer to the place.
    pub path: Box<str>,
    /// The place as people read it.
    pub field: Box<str>,
    /// The exception that covers it.
    pub exception: Option<Box<str>>,
    message: Box<str>,
}

/// A finding as reports word it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// An exception covers it.
    Skip,
    /// The policy only records or warns.
    Warn,
    /// The policy refuses such objects.
    Fail,
    /// The policy could not be evaluated.
    Error,
}

impl Outcome {
    /// As reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

impl Rule {
    pub(crate) fn of(finding: &Finding) -> Self {
        Self {
            policy_object: finding.policy_object.as_str().into(),
            policy: finding.policy.as_str().into(),
            rule: finding.rule.as_str().into(),
            severity: finding.severity,
            category: finding.category.as_str().into(),
            controls: finding.controls.iter().map(|control| control.as_str().into()).collect(),
            remedy: finding.remedy.as_str().into(),
            docs: finding.docs.as_str().into(),
        }
    }
}

impl Note {
    pub(crate) fn of(finding: &Finding, rule: Arc<Rule>, name: &str) -> Self {
        let message = finding.message.replace(NAME, "\u{fffd}");
        let message = if name.len() < LONG_ENOUGH { message } else { message.replace(name, NAME) };
        Self {
            rule,
            effect: finding.effect,
            path: finding.path.as_str().into(),
            field: finding.field.as_str().into(),
            exception: finding.exception.as_deref().map(Into::into),
            message: message.into(),
        }
    }

    /// The finding in one sentence, about the object of that name.
    pub fn message(&self, name: &str) -> String {
        self.message.replace(NAME, name)
    }

    /// What findings of one object are ordered by.
    pub(crate) fn order(&self) -> (&str, &str, &str, &str, &str) {
        (&self.rule.policy, &self.rule.policy_object, &self.rule.rule, &self.path, &self.message)
    }

    /// What becomes of it in reports.
    pub fn outcome(&self) -> Outcome {
        match self.effect {
            _ if self.exception.is_some() => Outcome::Skip,
            Effect::Error => Outcome::Error,
            Effect::Deny => Outcome::Fail,
            Effect::Warn | Effect::Audit => Outcome::Warn,
        }
    }

    /// Whether such an object would be refused.
    pub fn denies(&self) -> bool {
        self.outcome() >= Outcome::Fail
    }
}
