//! What the results come to: for metrics, and in groups that somebody can act on.

use crate::auditor::Auditor;
use crate::note::{Note, Outcome};
use std::collections::BTreeMap;
use wayguard_engine::decision::Severity;

/// Counts of one policy, by the id that people know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyTotals {
    /// Objects that it judged.
    pub judged: u64,
    /// Objects of which it found something that no exception covers.
    pub failing: u64,
    /// Findings by what becomes of them and how much they matter.
    pub findings: BTreeMap<(Outcome, Severity), u64>,
    /// Objects that it could not judge, by reason.
    pub skipped: BTreeMap<String, u64>,
}

/// Counts of everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Objects that are known.
    pub objects: u64,
    /// Objects with a finding that would refuse them.
    pub denied: u64,
    /// Objects with other findings only.
    pub warned: u64,
    /// Objects by kind.
    pub kinds: BTreeMap<String, u64>,
    /// By policy.
    pub policies: BTreeMap<String, PolicyTotals>,
    /// Objects that could not be judged, with why.
    pub problems: Vec<(String, String)>,
    /// Objects that no policy judges, by reason: those of exempt namespaces.
    pub untouched: BTreeMap<String, u64>,
    /// The same by namespace and reason.
    pub untouched_in: BTreeMap<(String, String), u64>,
    /// Objects of which no policy judged anything, for whatever reason.
    pub unjudged: u64,
    /// Those of them whose kind no policy had anything to say about, by kind.
    pub unjudged_kinds: BTreeMap<String, u64>,
}

/// Counts what an auditor knows.
pub fn totals(auditor: &Auditor) -> Totals {
    let edition = auditor.edition();
    let live = &edition.live;
    let store = auditor.store();
    let mut totals = Totals::default();
    for object in store.objects(None) {
        let subject = object.subject;
        totals.objects += 1;
        *totals.kinds.entry(subject.kind.kind.clone()).or_default() += 1;
        for id in object.judged() {
            // A policy that is gone has judged nothing.
            if live.contains(id) {
                totals.policy(id).judged += 1;
            }
        }
        for skip in object.skipped() {
            if skip.policy != "*" && !live.contains(skip.policy.as_str()) {
                continue;
            }
            if skip.policy == "*" {
                *totals.untouched.entry(skip.reason.clone()).or_default() += 1;
                let place = (subject.namespace.to_owned(), skip.reason.clone());
                *totals.untouched_in.entry(place).or_default() += 1;
            } else {
                *totals.policy(&skip.policy).skipped.entry(skip.reason.clone()).or_default() += 1;
            }
        }
        if let Some(problem) = object.problem() {
            let place = format!("{} {}/{}", subject.kind.kind, subject.namespace, subject.name);
            totals.problems.push((place, problem.to_owned()));
        }
        let (mut worst, mut failing) = (None, Vec::new());
        for found in object.found(&edition.stamps) {
            let note = found.note;
            let outcome = note.outcome();
            let policy = totals.policy(&note.rule.policy);
            *policy.findings.entry((outcome, note.rule.severity)).or_default() += 1;
            if outcome != Outcome::Skip && !failing.contains(&&*note.rule.policy) {
                policy.failing += 1;
                failing.push(&*note.rule.policy);
            }
            worst = worst.max(Some(outcome));
        }
        match worst {
            Some(Outcome::Error | Outcome::Fail) => totals.denied += 1,
            Some(Outcome::Warn) => totals.warned += 1,
            Some(Outcome::Skip) => {}
            None if object.judged().iter().any(|id| live.contains(id)) => {}
            None => {
                totals.unjudged += 1;
                if object.problem().is_none() && object.skipped().next().is_none() {
                    *totals.unjudged_kinds.entry(subject.kind.kind.clone()).or_default() += 1;
                }
            }
        }
    }
    totals
}

impl Totals {
    fn policy(&mut self, id: &str) -> &mut PolicyTotals {
        self.policies.entry(id.to_owned()).or_default()
    }
}

/// The findings of one rule of a policy that have one outcome: what somebody can act on.
#[derive(Clone, Debug)]
pub struct Group {
    /// One of its findings: all have its rule.
    pub note: Note,
    /// What becomes of them.
    pub outcome: Outcome,
    /// How many there are.
    pub findings: u64,
    /// On how many objects.
    pub objects: u64,
    /// Objects by who answers for them; the empty name: nobody is known.
    pub owners: BTreeMap<String, u64>,
    /// The first of them, worded: kind, namespace, name, message.
    pub examples: Vec<Example>,
}

/// A finding of a group.
#[derive(Clone, Debug)]
pub struct Example {
    /// Kind.
    pub kind: String,
    /// Namespace, or empty.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Who answers for it, or empty.
    pub owner: String,
    /// The finding in one sentence.
    pub message: String,
    /// The exception that covers it.
    pub exception: Option<String>,
}

/// All findings in groups, worst first; of each at most `examples` are worded.
pub fn groups(auditor: &Auditor, examples: usize) -> Vec<Group> {
    let edition = auditor.edition();
    let store = auditor.store();
    let mut groups: BTreeMap<(String, String, Outcome, Severity), Group> = BTreeMap::new();
    for object in store.objects(None) {
        let mut seen: Vec<(&str, &str, Outcome)> = Vec::new();
        for found in object.found(&edition.stamps) {
            let (note, subject) = (found.note, found.subject);
            let (rule, outcome) = (&note.rule, note.outcome());
            let key = (rule.policy.to_string(), rule.rule.to_string(), outcome, rule.severity);
            let group = groups.entry(key).or_insert_with(|| Group {
                note: note.clone(),
                outcome,
                findings: 0,
                objects: 0,
                owners: BTreeMap::new(),
                examples: Vec::new(),
            });
            group.findings += 1;
            if !seen.contains(&(&rule.policy, &rule.rule, outcome)) {
                seen.push((&rule.policy, &rule.rule, outcome));
                group.objects += 1;
                *group.owners.entry(subject.owner.to_owned()).or_default() += 1;
            }
            if group.examples.len() < examples {
                group.examples.push(Example {
                    kind: subject.kind.kind.clone(),
                    namespace: subject.namespace.to_owned(),
                    name: subject.name.to_owned(),
                    owner: subject.owner.to_owned(),
                    message: note.message(subject.name),
                    exception: note.exception.as_deref().map(str::to_owned),
                });
            }
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse((group.outcome, group.note.rule.severity, group.objects)));
    groups
}

impl Auditor {
    /// Tells of every finding, by namespace, kind and name.
    pub fn each(&self, told: &mut dyn FnMut(crate::store::Found<'_>)) {
        let edition = self.edition();
        let store = self.store();
        for object in store.objects(None) {
            object.found(&edition.stamps).for_each(&mut *told);
        }
    }

    /// Tells of every object: who it is, and the worst of its findings.
    pub fn each_object(&self, told: &mut dyn FnMut(crate::store::Subject<'_>, &[crate::store::Found<'_>])) {
        let edition = self.edition();
        let store = self.store();
        for object in store.objects(None) {
            let found: Vec<_> = object.found(&edition.stamps).collect();
            told(object.subject, &found);
        }
    }
}
