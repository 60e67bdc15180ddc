//! A report's numbers are those of a count by hand, over policies and objects of every kind that counts differently.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail"
)]

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use wayguard_audit::{Auditor, Edition, Host, KindName, Outcome};
use wayguard_engine::PolicySetBuilder;
use wayguard_engine::facts::{Fact, FactKey, Facts};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::SetConfig;
use wayguard_engine::value::{Document, Value};
use wayguard_report::{
    About, Finding, Given, Past, PastProblem, Report, Status, assemble, csv, html, recount,
};

const SPACES: [&str; 4] = ["shop", "pay", "lab", "exempt"];

/// A Pod by what the test's policies look at.
#[derive(Clone, Debug)]
struct Pod {
    space: usize,
    name: usize,
    team: Option<u8>,
    bad: bool,
    ugly: bool,
    /// The exception is about it.
    pardoned: bool,
}

impl Pod {
    fn name(&self) -> String {
        format!("{}pod-{}", if self.pardoned { "pardoned-" } else { "" }, self.name)
    }

    fn owner(&self) -> String {
        // Namespace `shop` belongs to team 9.
        match (self.team, SPACES[self.space]) {
            (Some(team), _) => format!("team-{team}"),
            (None, "shop") => "team-9".to_owned(),
            (None, _) => String::new(),
        }
    }

    fn object(&self) -> Json {
        let mut labels = serde_json::Map::new();
        if let Some(team) = self.team {
            labels.insert("team".to_owned(), json!(format!("team-{team}")));
        }
        if self.bad {
            labels.insert("bad".to_owned(), json!("yes"));
        }
        if self.ugly {
            labels.insert("ugly".to_owned(), json!("yes"));
        }
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {
            "name": self.name(), "namespace": SPACES[self.space], "uid": format!("{}-{}", self.space, self.name()), "labels": labels,
        }, "spec": {}})
    }

    fn is_exempt(&self) -> bool {
        SPACES[self.space] == "exempt"
    }
}

struct Spaces;

impl Host for Spaces {
    fn answer(&self, keys: Vec<FactKey>, facts: &mut Facts) {
        for key in keys {
            let fact = match &key {
                FactKey::Namespace(name) => Fact::Known(self.namespace(name).unwrap()),
                _ => Fact::OutOfReach("not in this test".to_owned()),
            };
            facts.insert(key, fact);
        }
    }

    fn namespace(&self, name: &str) -> Option<Arc<Document>> {
        let labels = if name == "shop" { json!({"team": "team-9"}) } else { json!({}) };
        let object =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        Some(Arc::new(Document::from_serde(&object)))
    }
}

/// `bad` refuses and is critical, `ugly` warns and is low, `asks` needs what an audit has not.
fn edition(time: Timestamp) -> Edition {
    let config = SetConfig { exempt_namespaces: vec!["exempt".to_owned()], ..SetConfig::default() };
    let mut builder = PolicySetBuilder::new(Arc::new(Library::default()), config);
    let rego = |name: &str, severity: &str, more: &str, body: &str| {
        format!(
            "# METADATA\n# title: No {name} Pods\n# custom:\n#   severity: {severity}\n#   remedy: Mend <{name}>.\n#   controls: [CIS-5.2.2, {name}]\n{more}#   match: {{resourceRules: [{{apiGroups: [''], resources: [pods], operations: [CREATE]}}]}}\npackage {name}\n\n{body}\n"
        )
    };
    let deny = "deny contains {\"msg\": sprintf(\"%s is <b>bad</b>\", [input.review.object.metadata.name]), \"path\": \"/metadata/labels/bad\"} if input.review.object.metadata.labels.bad";
    let warn = "warn contains \"ugly & dull\" if input.review.object.metadata.labels.ugly";
    let asks = "deny contains \"x\" if input.review.userInfo.username";
    for (name, text) in [
        ("bad", rego("bad", "critical", "", deny)),
        ("ugly", rego("ugly", "low", "", warn)),
        ("asks", rego("asks", "high", "#   needs: [user]\n", asks)),
    ] {
        let spec = json!({"source": {"rego": text}});
        builder.policy(name, serde_json::from_value(spec).unwrap(), "test", None);
    }
    let exception = json!({"policies": ["bad"], "objects": [{"name": "pardoned-*"}], "reason": "r", "owner": "o", "expiresAt": "2030-01-01T00:00:00Z"});
    builder.exception("pardon", serde_json::from_value(exception).unwrap(), "test");
    Edition::of(&Arc::new(builder.build()), time)
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn about(at: Timestamp) -> About {
    About { time: at, owner_label: "team".to_owned(), ..About::default() }
}

fn report_of(pods: &[Pod], at: &str, past: &[Report]) -> Result<Report, PastProblem> {
    let at = time(at);
    let auditor = Auditor::new(edition(at), "team");
    let documents: Vec<Document> = pods.iter().map(|pod| Document::from_serde(&pod.object())).collect();
    let values: Vec<Value<'_>> = documents.iter().map(Document::value).collect();
    let kind = KindName { group: String::new(), version: "v1".to_owned(), kind: "Pod".to_owned() };
    auditor.judge(&kind, "pods", &values, &Spaces, auditor.begin(), false);
    let about = about(at);
    let past = Past::of_reports(past.to_vec(), &about)?;
    Ok(assemble(&auditor, Given { about, ..Given::default() }, &past))
}

fn pods() -> impl Strategy<Value = Vec<Pod>> {
    let pod =
        (0..4_usize, 0..6_usize, proptest::option::of(0..3_u8), any::<bool>(), any::<bool>(), any::<bool>());
    let pod = pod.prop_map(|(space, name, team, bad, ugly, pardoned)| Pod {
        space,
        name,
        team,
        bad,
        ugly,
        pardoned,
    });
    proptest::collection::vec(pod, 0..24).prop_map(|pods| {
        // One name is one object.
        let mut by_name: BTreeMap<(usize, String), Pod> = BTreeMap::new();
        for pod in pods {
            by_name.insert((pod.space, pod.name()), pod);
        }
        by_name.into_values().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Every number against a count of the objects themselves, without engine or auditor.
    #[test]
    fn totals_are_those_of_a_count_by_hand(pods in pods()) {
        let report = report_of(&pods, "2026-11-23T00:00:00Z", &[]).unwrap();
        let count = |wanted: &dyn Fn(&Pod) -> bool| {
            u64::try_from(pods.iter().filter(|pod| wanted(pod)).count()).unwrap()
        };
        let totals = &report.totals;
        prop_assert_eq!(totals.objects, count(&|_| true));
        prop_assert_eq!(totals.unjudged, count(&Pod::is_exempt));
        prop_assert_eq!(totals.refused, count(&|pod| !pod.is_exempt() && pod.bad && !pod.pardoned));
        prop_assert_eq!(totals.warned, count(&|pod| !pod.is_exempt() && pod.ugly && (pod.pardoned || !pod.bad)));
        prop_assert_eq!(totals.excepted, count(&|pod| !pod.is_exempt() && pod.bad && pod.pardoned && !pod.ugly));
        prop_assert_eq!(totals.clean, count(&|pod| !pod.is_exempt() && !pod.bad && !pod.ugly));
        prop_assert_eq!(totals.findings.critical, count(&|pod| !pod.is_exempt() && pod.bad && !pod.pardoned));
        prop_assert_eq!(totals.findings.skip, count(&|pod| !pod.is_exempt() && pod.bad && pod.pardoned));
        prop_assert_eq!(totals.findings.warn, count(&|pod| !pod.is_exempt() && pod.ugly));
        for space in SPACES {
            let row = report.groups.namespaces.iter().find(|row| row.name == space);
            let own = |pod: &Pod| SPACES[pod.space] == space && !pod.is_exempt();
            let open = count(&|pod| own(pod) && ((pod.bad && !pod.pardoned) || pod.ugly));
            prop_assert_eq!(row.map_or(0, |row| row.objects), open);
        }
        for row in &report.groups.owners {
            let own = |pod: &Pod| pod.owner() == row.name && !pod.is_exempt();
            prop_assert_eq!(row.findings.critical, count(&|pod| own(pod) && pod.bad && !pod.pardoned));
            prop_assert_eq!(row.findings.low, count(&|pod| own(pod) && pod.ugly));
        }
        prop_assert_eq!(recount(&report), vec![]);
    }

    /// What is new, fixed, excepted between two states is what a comparison of the states themselves says.
    #[test]
    fn changes_are_those_of_the_objects((before, after) in (pods(), pods())) {
        let first = report_of(&before, "2026-11-01T00:00:00Z", &[]).unwrap();
        let second = report_of(&after, "2026-11-11T00:00:00Z", std::slice::from_ref(&first)).unwrap();
        let open = |pods: &[Pod]| {
            let mut open = Vec::new();
            for pod in pods.iter().filter(|pod| !pod.is_exempt()) {
                if pod.bad && !pod.pardoned { open.push((pod.space, pod.name(), "bad")); }
                if pod.ugly { open.push((pod.space, pod.name(), "ugly")); }
            }
            open
        };
        let (then, now) = (open(&before), open(&after));
        let new = now.iter().filter(|it| !then.contains(it)).count();
        let fixed = then.iter().filter(|it| !now.contains(it)).count();
        let change = second.change.clone().unwrap();
        prop_assert_eq!(change.new, u64::try_from(new).unwrap());
        // A Pod may have come to an exempt namespace; nothing leaves one here, and names tell who is excepted.
        let gone = change.fixed.len() + change.no_longer_judged.len();
        prop_assert_eq!(gone, fixed);
        prop_assert_eq!(second.repairs.count, u64::try_from(change.fixed.len()).unwrap());
        if let Some(mean) = second.repairs.mean_seconds() {
            prop_assert_eq!(mean, 10 * 86_400);
        }
        for finding in second.findings.iter().filter(|finding| finding.is_open()) {
            let since = if finding.new { "2026-11-11T00:00:00Z" } else { "2026-11-01T00:00:00Z" };
            prop_assert_eq!(finding.first_seen, time(since), "{:?}", finding);
        }
        prop_assert_eq!(recount(&second), vec![]);
    }
}

fn pod(name: usize, bad: bool) -> Pod {
    Pod { space: 0, name, team: None, bad, ugly: false, pardoned: false }
}

#[test]
fn a_number_that_was_changed_is_noticed() {
    let mut report = report_of(&[pod(1, true)], "2026-11-01T00:00:00Z", &[]).unwrap();
    report.totals.findings.critical = 0;
    report.groups.owners.clear();
    let told: Vec<String> = recount(&report).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "totals, open and critical is told as 0, and counted from its findings as 1",
            "findings by owner is told as 0, and counted from its findings as 1"
        ]
    );
}

#[test]
fn the_json_is_read_back_and_the_same_input_makes_the_same_bytes() {
    let make = || {
        let report = report_of(&[pod(1, true), pod(2, false)], "2026-11-01T00:00:00Z", &[]).unwrap();
        (serde_json::to_string(&report).unwrap(), html(&report), csv(&report).unwrap())
    };
    let (json, page, table) = make();
    assert_eq!((json.clone(), page, table.clone()), make());
    let read = Report::from_json(&json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    assert_eq!(table.lines().count(), 2);
}

#[test]
fn what_cannot_be_compared_says_why() {
    let problem = |text: &str| Report::from_json(text).unwrap_err().to_string();
    assert!(
        problem("{}").contains("`wayguard report --format json -o FILE` writes one"),
        "{}",
        problem("{}")
    );
    assert!(problem("{\"schema\": \"x/2\"}").contains("it says that it is `x/2`"));
    let first = report_of(&[], "2026-11-01T00:00:00Z", &[]).unwrap();
    let later = report_of(&[], "2026-10-01T00:00:00Z", std::slice::from_ref(&first)).unwrap_err();
    assert!(later.to_string().contains("not before 2026-10-01"), "{later}");
    let mut other = about(time("2026-12-01T00:00:00Z"));
    other.cluster.uid = "b".to_owned();
    let mut theirs = first;
    theirs.about.cluster.uid = "a".to_owned();
    assert!(matches!(Past::of_reports(vec![theirs], &other), Err(PastProblem::OtherCluster { .. })));
}

#[test]
fn a_policy_that_is_not_asked_any_more_has_fixed_nothing() {
    let first = report_of(&[pod(1, true)], "2026-11-01T00:00:00Z", &[]).unwrap();
    let mut renamed = first.clone();
    renamed.findings[0].policy = "retired".to_owned();
    renamed.findings[0].id = "of another policy".to_owned();
    let second = report_of(&[], "2026-11-02T00:00:00Z", &[renamed]).unwrap();
    let change = second.change.unwrap();
    assert_eq!((change.fixed.len(), change.no_longer_judged.len()), (0, 1));
    assert_eq!(second.repairs.count, 0);
}

#[test]
fn controls_are_no_pass_where_a_policy_could_not_judge() {
    let status = |pods: &[Pod], id: &str| {
        let report = report_of(pods, "2026-11-01T00:00:00Z", &[]).unwrap();
        let all = report.compliance.iter().flat_map(|framework| &framework.controls);
        all.filter(|control| control.id == id).map(|control| control.status).next().unwrap()
    };
    assert_eq!(status(&[pod(1, true)], "CIS-5.2.2"), Status::Violated);
    // `asks` tests it too, and never can.
    assert_eq!(status(&[pod(1, false)], "CIS-5.2.2"), Status::Incomplete);
    assert_eq!(status(&[pod(1, false)], "bad"), Status::NoViolations);
    assert_eq!(status(&[], "bad"), Status::NothingJudged);
    assert_eq!(status(&[pod(1, false)], "CIS-5.2.3"), Status::NotCovered);
}

#[test]
fn strangers_texts_are_texts_in_the_page() {
    let mut report = report_of(&[pod(1, true)], "2026-11-01T00:00:00Z", &[]).unwrap();
    let hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\" onmouseover=\"x";
    let finding: &mut Finding = &mut report.findings[0];
    for text in [
        &mut finding.message,
        &mut finding.owner,
        &mut finding.object.name,
        &mut finding.object.namespace,
        &mut finding.remedy,
        &mut finding.docs,
        &mut finding.policy,
        &mut finding.title,
        &mut finding.rule,
    ] {
        hostile.clone_into(text);
    }
    finding.exception = Some(hostile.to_owned());
    finding.result = Outcome::Skip;
    let page = html(&report);
    assert_eq!(page.matches("<script>").count(), 1, "only the page's own");
    assert_eq!(page.matches("<img").count(), 0);
    assert!(!page.contains("\" onmouseover"), "no text leaves its attribute");
    report.findings[0].docs = "javascript:alert(1)".to_owned();
    assert!(!html(&report).contains("href=\"javascript:"));
}
