//! Results after any sequence of changes are those of judging everything anew.

use super::*;
use crate::policy_report::{MOST_RESULTS, outlines, report};
use crate::totals::{Totals, groups, totals};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use wayguard_cluster::reports::Flavour;
use wayguard_engine::facts::Fact;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::{PolicySet, PolicySetBuilder};

const PODS: &str =
    "#   match: {resourceRules: [{apiGroups: [''], resources: [pods], operations: [CREATE, UPDATE]}]}\n";

fn rego(package: &str, more: &str, body: &str) -> String {
    format!(
        "# METADATA\n# title: T\n# custom:\n#   severity: high\n#   remedy: Mend it.\n{PODS}{more}package {package}\n\n{body}\n"
    )
}

/// The policies of the tests by number, each in one of two wordings.
fn policy(number: usize, wording: bool) -> (String, Json) {
    let words = if wording { "is bad" } else { "is not good" };
    let (name, text) = match number {
        0 => (
            "labels",
            rego(
                "labels",
                "",
                &format!(
                    "deny contains {{\"msg\": sprintf(\"%s {words}\", [input.review.object.metadata.name]), \"path\": \"/metadata/labels\"}} if input.review.object.metadata.labels.bad"
                ),
            ),
        ),
        1 => (
            "spaces",
            rego(
                "spaces",
                "",
                &format!(
                    "warn contains \"its namespace {words}\" if not input.namespace.metadata.labels.fine"
                ),
            ),
        ),
        _ => (
            "asks",
            rego(
                "asks",
                "#   needs: [user]\n",
                &format!("deny contains \"{words}\" if input.review.userInfo.username"),
            ),
        ),
    };
    (name.to_owned(), json!({"source": {"rego": text}}))
}

#[derive(Clone, Debug, Default, PartialEq)]
struct World {
    /// Namespace and name to whether it is bad, and a revision.
    pods: BTreeMap<(usize, usize), (bool, u32)>,
    /// Whether each namespace is fine.
    spaces: [bool; 3],
    policies: BTreeMap<usize, bool>,
    excepted: bool,
    revision: u32,
}

#[derive(Clone, Debug)]
enum Step {
    Pod(usize, usize, bool),
    Gone(usize, usize),
    Space(usize, bool),
    Policy(usize, Option<bool>),
    Except(bool),
}

impl World {
    fn edition(&self) -> Edition {
        let mut builder = PolicySetBuilder::new(Arc::new(Library::default()), SetConfig::default());
        for (number, wording) in &self.policies {
            let (name, spec) = policy(*number, *wording);
            builder.policy(&name, serde_json::from_value(spec).unwrap(), "test", None);
        }
        if self.excepted {
            let spec = json!({"policies": ["labels"], "objects": [{"name": "pod-1*"}], "reason": "r", "owner": "o", "expiresAt": "2030-01-01T00:00:00Z"});
            builder.exception("e", serde_json::from_value(spec).unwrap(), "test");
        }
        let set: PolicySet = builder.build();
        assert!(set.failures().is_empty(), "{:?}", set.failures());
        Edition::of(&Arc::new(set), "2026-01-01T00:00:00Z".parse().unwrap())
    }

    fn pod(&self, namespace: usize, name: usize) -> Document {
        let (bad, revision) = self.pods[&(namespace, name)];
        let labels = if bad { json!({"bad": "yes", "team": "shop"}) } else { json!({}) };
        Document::from_serde(&json!({"metadata": {
            "name": format!("pod-{name}"), "namespace": format!("space-{namespace}"), "uid": format!("u{namespace}{name}"),
            "resourceVersion": revision.to_string(), "labels": labels,
        }}))
    }

    fn judge(&self, auditor: &Auditor, chosen: impl Fn(usize) -> bool, refresh: bool) -> Counts {
        let pods: Vec<_> = self
            .pods
            .keys()
            .filter(|(space, _)| chosen(*space))
            .map(|(space, name)| self.pod(*space, *name))
            .collect();
        let values: Vec<_> = pods.iter().map(Document::value).collect();
        auditor.judge(&pod_kind(), "pods", &values, self, auditor.begin(), refresh)
    }

    fn apply(&mut self, step: &Step, auditor: &Auditor) {
        self.revision += 1;
        match step {
            Step::Pod(space, name, bad) => {
                self.pods.insert((*space, *name), (*bad, self.revision));
                let pod = self.pod(*space, *name);
                auditor.judge(&pod_kind(), "pods", &[pod.value()], self, 0, false);
            }
            Step::Gone(space, name) => {
                self.pods.remove(&(*space, *name));
                auditor.remove(&pod_kind(), &format!("space-{space}"), &format!("pod-{name}"));
            }
            Step::Space(space, fine) => {
                self.spaces[*space] = *fine;
                self.judge(auditor, |other| other == *space, false);
            }
            Step::Policy(number, wording) => {
                match wording {
                    Some(wording) => self.policies.insert(*number, *wording),
                    None => self.policies.remove(number),
                };
                auditor.adopt(self.edition());
                self.judge(auditor, |_| true, false);
            }
            Step::Except(excepted) => {
                self.excepted = *excepted;
                auditor.adopt(self.edition());
                self.judge(auditor, |_| true, false);
            }
        }
    }
}

impl Host for World {
    fn answer(&self, keys: Vec<FactKey>, facts: &mut Facts) {
        for key in keys {
            let fact = match &key {
                FactKey::Namespace(name) => self.namespace(name).map_or(Fact::Absent, Fact::Known),
                other => Fact::OutOfReach(format!("{other:?}")),
            };
            facts.insert(key, fact);
        }
    }

    fn namespace(&self, name: &str) -> Option<Arc<Document>> {
        let number: usize = name.strip_prefix("space-")?.parse().ok()?;
        let labels = if self.spaces[number] {
            json!({"fine": "yes", "team": "base"})
        } else {
            json!({"team": "base"})
        };
        Some(Arc::new(Document::from_serde(
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}),
        )))
    }
}

fn pod_kind() -> KindName {
    KindName { group: String::new(), version: "v1".into(), kind: "Pod".into() }
}

/// Everything that is told of.
fn told(auditor: &Auditor) -> (Totals, Vec<String>) {
    let mut lines = Vec::new();
    auditor.each(&mut |found| {
        let (subject, note) = (found.subject, found.note);
        lines.push(format!(
            "{}/{} {} {}: {:?} {} {:?}",
            subject.namespace,
            subject.name,
            subject.owner,
            note.rule.policy,
            note.outcome(),
            note.message(subject.name),
            note.exception
        ));
    });
    (totals(auditor), lines)
}

fn world() -> World {
    let mut world = World { policies: [(0, true), (1, true), (2, true)].into(), ..World::default() };
    for (number, bad) in [true, false, true, false].into_iter().enumerate() {
        world.pods.insert((number % 2, 10 + number), (bad, 1));
    }
    world
}

fn audited(world: &World) -> Auditor {
    let auditor = Auditor::new(world.edition(), "team");
    world.judge(&auditor, |_| true, false);
    auditor
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3_usize, 0..20_usize, any::<bool>()).prop_map(|(space, name, bad)| Step::Pod(space, name, bad)),
        (0..3_usize, 0..20_usize).prop_map(|(space, name)| Step::Gone(space, name)),
        (0..3_usize, any::<bool>()).prop_map(|(space, fine)| Step::Space(space, fine)),
        (0..3_usize, any::<Option<bool>>()).prop_map(|(number, wording)| Step::Policy(number, wording)),
        any::<bool>().prop_map(Step::Except),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn results_after_any_changes_are_those_of_judging_everything_anew(steps in proptest::collection::vec(step(), 1..25)) {
        let mut world = world();
        let auditor = audited(&world);
        for step in &steps {
            world.apply(step, &auditor);
        }
        prop_assert_eq!(told(&auditor), told(&audited(&world)));
    }
}

#[test]
fn a_second_pass_over_what_is_unchanged_asks_no_policy() {
    let world = world();
    let auditor = audited(&world);
    assert_eq!(world.judge(&auditor, |_| true, false), Counts { same: 4, ..Counts::default() });
    assert_eq!(world.judge(&auditor, |_| true, true), Counts { same: 4, ..Counts::default() });
}

#[test]
fn a_new_version_with_the_same_content_is_the_same_object() {
    let mut world = world();
    let auditor = audited(&world);
    world.pods.values_mut().for_each(|(_, revision)| *revision += 1);
    assert_eq!(world.judge(&auditor, |_| true, false).same, 4);
}

#[test]
fn a_changed_policy_is_asked_alone_and_told_no_more_until_it_was() {
    let mut world = world();
    let auditor = audited(&world);
    let before = told(&auditor).1;
    assert_eq!(before.iter().filter(|line| line.contains("is bad")).count(), 6, "{before:?}");
    world.policies.insert(0, false);
    auditor.adopt(world.edition());
    let between = told(&auditor).1;
    assert!(!between.iter().any(|line| line.contains(" labels:")), "{between:?}");
    assert_eq!(between.iter().filter(|line| line.contains(" spaces:")).count(), 4);
    assert_eq!(world.judge(&auditor, |_| true, false), Counts { partly: 4, ..Counts::default() });
    let after = told(&auditor).1;
    assert_eq!(after.iter().filter(|line| line.contains("is not good")).count(), 2, "{after:?}");
}

#[test]
fn what_needs_a_requester_is_skipped_and_neither_passed_nor_failed() {
    let totals = totals(&audited(&world()));
    let asks = &totals.policies["asks"];
    assert_eq!((asks.judged, asks.failing, asks.skipped.values().sum::<u64>()), (0, 0, 4));
    assert!(asks.skipped.keys().all(|reason| reason.contains("needs who asks")), "{:?}", asks.skipped);
}

#[test]
fn groups_come_worst_first_with_who_answers_for_them() {
    let groups = groups(&audited(&world()), 1);
    let words: Vec<_> = groups
        .iter()
        .map(|group| {
            (group.note.rule.policy.to_string(), group.objects, group.owners.clone(), group.examples.len())
        })
        .collect();
    assert_eq!(words[0].0, "labels");
    assert_eq!(words[0].2, BTreeMap::from([("shop".to_owned(), 2)]));
    assert_eq!((words[1].0.as_str(), words[1].1, words[1].3), ("spaces", 4, 1));
    assert_eq!(words[1].2, BTreeMap::from([("base".to_owned(), 2), ("shop".to_owned(), 2)]));
}

#[test]
fn an_exception_is_a_skip_with_its_reason_and_its_end() {
    let mut world = world();
    world.excepted = true;
    let auditor = audited(&world);
    let outlines = outlines(&auditor, "space-0");
    let labels = outlines.iter().find(|outline| outline.policy == "labels").unwrap();
    let report = report(&auditor, Flavour::PolicyReport, "space-0", labels, 0);
    let result = &report.object["results"][0];
    assert_eq!(result["result"], "skip", "{result}");
    assert_eq!(result["properties"]["exceptionExpiresAt"], "2030-01-01T00:00:00Z");
    assert_eq!(result["resources"][0]["uid"], "u010");
    assert_eq!(report.object["summary"], json!({"pass": 0, "fail": 0, "warn": 0, "error": 0, "skip": 2}));
    assert_eq!(report.name, "wayguard-labels");
}

#[test]
fn reports_hold_a_thousand_results_at_most_and_have_the_same_names_and_contents_again() {
    let mut world = World { policies: [(0, true)].into(), ..World::default() };
    for name in 0..2500 {
        world.pods.insert((0, name), (true, 1));
    }
    let reports = |auditor: &Auditor| -> Vec<(String, String, usize)> {
        let outline = outlines(auditor, "space-0").remove(0);
        (0..outline.shards())
            .map(|shard| report(auditor, Flavour::OpenReports, "space-0", &outline, shard))
            .map(|report| (report.name, report.content, report.object["results"].as_array().unwrap().len()))
            .collect()
    };
    let first = reports(&audited(&world));
    let counts: Vec<_> = first.iter().map(|(name, _, count)| (name.as_str(), *count)).collect();
    assert_eq!(
        counts,
        [("wayguard-labels", MOST_RESULTS), ("wayguard-labels-2", MOST_RESULTS), ("wayguard-labels-3", 500)]
    );
    assert_eq!(first, reports(&audited(&world)));
}

#[test]
fn what_is_not_met_by_a_pass_is_gone() {
    let mut world = world();
    let auditor = audited(&world);
    world.pods.remove(&(0, 10));
    let pods: Vec<_> = world.pods.keys().map(|(space, name)| world.pod(*space, *name)).collect();
    let pass = auditor.begin();
    let values: Vec<_> = pods.iter().map(Document::value).collect();
    auditor.judge(&pod_kind(), "pods", &values, &world, pass, false);
    auditor.end(&pod_kind(), None, pass);
    assert_eq!(auditor.len(), 3);
    assert_eq!(told(&auditor), told(&audited(&world)));
}
