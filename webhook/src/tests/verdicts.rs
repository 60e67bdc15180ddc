//! Verdicts of real policies, and what comes instead of one: panics, time-outs, full queues, missing facts.

use super::fixture::{
    FakeFacts, Rig, decided, eventually, judged_by, parts, pod, policy, policy_set, post, review, rig, rig_of,
};
use crate::{BoxFuture, Config, FactSource, NoCluster, Parts, Path};
use serde_json::json;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use wayguard_engine::facts::Fact;
use wayguard_engine::{FactKey, Outcome, Verdict};

#[tokio::test]
async fn each_group_judges_its_own_policies() {
    let rig = rig();
    let denied = rig.post(Path::Fail, review("u-1", &pod("web:latest"))).await.review("u-1");
    assert_eq!(denied["allowed"], false);
    assert_eq!(denied["status"]["code"], 403);
    let message = denied["status"]["message"].as_str().unwrap();
    assert!(message.contains("spec.containers[web].image"), "{message}");
    assert!(message.contains("must be pinned to a tag") && message.contains("pin the tag"), "{message}");
    assert_eq!(rig.post(Path::Fail, review("u-2", &pod("web:1"))).await.review("u-2")["allowed"], true);
    assert_eq!(
        rig.post(Path::Ignore, review("u-3", &pod("web:latest"))).await.review("u-3")["allowed"],
        true
    );

    let mutated = rig.post(Path::Mutate, review("u-4", &pod("web:latest"))).await.review("u-4");
    assert_eq!((&mutated["allowed"], &mutated["patchType"]), (&json!(true), &json!("JSONPatch")));
    assert_eq!(
        rig.metric(r#"wayguard_policy_findings_total{policy="latest",effect="deny",severity="medium"}"#)
            .await,
        Some(1)
    );
    let count = r#"wayguard_admission_request_duration_seconds_count{path="/validate/fail",decision="deny"}"#;
    assert_eq!(rig.metric(count).await, Some(1));
}

#[tokio::test]
async fn a_policy_whose_rego_fails_answers_by_its_own_on_error() {
    let failing = "# METADATA\n# scope: package\n# title: Broken\n# description: Reads a word as a number.\n# custom:\n#   remedy: none\npackage broken.number\n\ndeny contains \"never\" if to_number(input.review.object.kind) == 1\n";
    let set = policy_set(&[
        ("denies", policy(failing, json!({}))),
        ("allows", policy(failing, json!({"onError": "Allow"}))),
    ]);
    let rig = rig();
    rig.policies.replace(set);
    let denied = rig.post(Path::Fail, review("u", &pod("a:1"))).await.review("u");
    assert_eq!(denied["allowed"], false);
    assert!(denied["status"]["message"].as_str().unwrap().contains("denies"), "{denied}");
    let admitted = rig.post(Path::Ignore, review("u", &pod("a:1"))).await.review("u");
    assert_eq!(admitted["allowed"], true);
}

#[tokio::test]
async fn a_panic_is_an_explicit_answer_and_the_server_lives() {
    let rig = rig_of(judged_by(parts(Config::default()), |request, _, _| {
        assert!(request.name != "web", "a fault, on purpose");
        decided(Verdict::Allow, "")
    }));
    for path in [Path::Mutate, Path::Fail, Path::Ignore] {
        for _ in 0..3 {
            let reply = rig.post(path, review("u-9", &pod("a:1"))).await;
            reply.assert_unjudged(path, "u-9", 500, "the evaluation panicked");
            assert!(!reply.text().contains("on purpose"), "what a panic says stays inside");
        }
    }
    let other = review("u-10", &pod("a:1"))
        .replace("\"name\":\"web\",\"namespace\"", "\"name\":\"db\",\"namespace\"");
    assert_eq!(rig.post(Path::Fail, other).await.review("u-10")["allowed"], true);
    let sample =
        r#"wayguard_admission_unjudged_total{path="/validate/fail",reason="panicked",answer="deny"}"#;
    assert_eq!(rig.metric(sample).await, Some(3));
}

/// A judge that blocks, deaf to its time limit, until the sender is used or dropped.
fn deaf(config: Config) -> (Rig, mpsc::Sender<()>, Arc<AtomicUsize>) {
    let (release, held) = mpsc::channel();
    let (held, begun) = (Mutex::new(held), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&begun);
    let rig = rig_of(judged_by(parts(config), move |_, _, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        let _ = held.lock().unwrap().recv();
        decided(Verdict::Allow, "")
    }));
    (rig, release, begun)
}

fn one_worker() -> Config {
    Config { workers: NonZeroUsize::MIN, ..Config::default() }
}

#[tokio::test]
async fn no_verdict_by_the_deadline_is_an_explicit_answer() {
    let (rig, release, begun) = deaf(one_worker());
    for path in [Path::Fail, Path::Ignore, Path::Mutate] {
        let started = Instant::now();
        let url = format!("{}?timeout=1s", path.url());
        let reply = rig.send(post(&url, review("u-5", &pod("a:1")))).await;
        reply.assert_unjudged(path, "u-5", 504, "time-out: there was no verdict within 0.9 s");
        assert!(started.elapsed() < Duration::from_secs(5), "its own deadline, not the default of 10 s");
    }
    assert_eq!(begun.load(Ordering::SeqCst), 1, "the others waited behind the first");
    drop(release);
    // What nobody waits for any more is not judged: the next in the queue is this one.
    let reply = rig.post(Path::Fail, review("u-6", &pod("a:1"))).await;
    assert_eq!(reply.review("u-6")["allowed"], true);
    assert_eq!(begun.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_full_queue_sheds_at_once() {
    let (rig, release, begun) = deaf(Config { max_waiting: 1, ..one_worker() });
    let rig = Arc::new(rig);
    let ask = |uid: &'static str| {
        let rig = Arc::clone(&rig);
        tokio::spawn(async move { rig.post(Path::Fail, review(uid, &pod("a:1"))).await })
    };
    let first = ask("first");
    eventually("the worker is busy", async || begun.load(Ordering::SeqCst) == 1).await;
    let second = ask("second");
    eventually("the queue is full", async || {
        rig.metric("wayguard_admission_in_flight_requests").await == Some(2)
    })
    .await;
    let shed = rig.post(Path::Fail, review("shed", &pod("a:1"))).await;
    shed.assert_unjudged(Path::Fail, "shed", 429, "too many reviews are waiting to be judged; try again");
    let shed = rig.post(Path::Ignore, review("shed", &pod("a:1"))).await;
    shed.assert_unjudged(Path::Ignore, "shed", 429, "too many reviews are waiting to be judged; try again");
    drop(release);
    assert_eq!(first.await.unwrap().review("first")["allowed"], true);
    assert_eq!(second.await.unwrap().review("second")["allowed"], true);
    let sample =
        r#"wayguard_admission_unjudged_total{path="/validate/ignore",reason="queue_full",answer="allow"}"#;
    assert_eq!(rig.metric(sample).await, Some(1));
}

#[tokio::test]
async fn the_engine_gets_less_time_than_the_deadline_leaves() {
    let limits = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&limits);
    let rig = rig_of(judged_by(parts(Config::default()), move |_, _, context| {
        seen.lock().unwrap().push(context.time_limit);
        decided(Verdict::Allow, "")
    }));
    rig.send(post("/validate/fail?timeout=1s", review("u", &pod("a:1")))).await.review("u");
    rig.send(post("/validate/fail?timeout=30s", review("u", &pod("a:1")))).await.review("u");
    let limits = limits.lock().unwrap();
    assert!(limits[0] <= Duration::from_millis(810), "{limits:?}");
    assert_eq!(limits[1], Config::default().evaluation_limit);
}

fn key(name: &str) -> FactKey {
    FactKey::Named { name: name.into(), namespace: "team-a".into() }
}

/// A judge that wants `wanted` facts one after the other, and denies with the last answer.
fn asking(wanted: usize, parts: Parts) -> Rig {
    rig_of(judged_by(parts, move |_, facts, _| {
        let missing = (0..wanted).map(|number| key(&number.to_string())).find(|key| facts.get(key).is_none());
        missing.map_or_else(
            || {
                let last = facts.get(&key(&(wanted - 1).to_string()));
                decided(Verdict::Deny, &format!("{last:?}"))
            },
            |key| Outcome::NeedsFacts(vec![key]),
        )
    }))
}

fn with_facts<F>(fetch: F) -> Parts
where
    F: Fn(Vec<FactKey>) -> crate::BoxFuture<'static, Vec<(FactKey, Fact)>> + Send + Sync + 'static,
{
    Parts { facts: Arc::new(FakeFacts(fetch)), ..parts(Config::default()) }
}

async fn last_answer(rig: &Rig) -> String {
    let reply = rig.send(post("/validate/fail?timeout=1s", review("u", &pod("a:1")))).await;
    reply.review("u")["status"]["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn facts_are_fetched_for_sixteen_rounds() {
    let absent = |keys: Vec<FactKey>| -> crate::BoxFuture<'static, _> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            keys.into_iter().map(|key| (key, Fact::Absent)).collect()
        })
    };
    assert_eq!(last_answer(&asking(16, with_facts(absent))).await, "Some(Absent)");
    let rig = asking(17, with_facts(absent));
    for path in [Path::Fail, Path::Ignore, Path::Mutate] {
        let reply = rig.post(path, review("u", &pod("a:1"))).await;
        reply.assert_unjudged(path, "u", 500, "the policies kept asking for more facts");
    }
}

#[tokio::test]
async fn facts_at_hand_need_no_fetching() {
    let rig = asking(4, parts(Config::default()));
    assert!(last_answer(&rig).await.contains("OutOfReach"));
}

#[tokio::test]
async fn a_look_up_without_an_answer_is_an_unavailable_fact() {
    let silent = with_facts(|_| Box::pin(async { Vec::new() }));
    assert!(last_answer(&asking(1, silent)).await.contains("Unavailable(\"the look-up gave no answer\")"));
    let broken = with_facts(|_| Box::pin(async { panic!("a fault, on purpose") }));
    assert!(
        last_answer(&asking(1, broken)).await.contains("Unavailable(\"the look-up failed unexpectedly\")")
    );
    let slow = with_facts(|_| Box::pin(std::future::pending()));
    assert!(last_answer(&asking(1, slow)).await.contains("Unavailable(\"the look-up took too long\")"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_keeps_the_policy_set_that_it_began_with() {
    let rig = Arc::new(rig());
    let one = policy_set(&[("latest", policy(super::fixture::LATEST, json!({})))]);
    let other = policy_set(&[("latest", policy(super::fixture::LATEST, json!({"existing": "Deny"})))]);
    let digests = [one.digest().to_owned(), other.digest().to_owned()];
    rig.policies.replace(Arc::clone(&one));
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let rig = Arc::clone(&rig);
            tokio::spawn(async move {
                let mut seen = Vec::new();
                for _ in 0..50 {
                    let response = rig.post(Path::Fail, review("u", &pod("a:latest"))).await.review("u");
                    assert_eq!(response["allowed"], false);
                    seen.push(response["auditAnnotations"]["policy-set"].as_str().unwrap().to_owned());
                }
                seen
            })
        })
        .collect();
    for round in 0..200 {
        rig.policies.replace(Arc::clone(if round % 2 == 0 { &other } else { &one }));
        tokio::task::yield_now().await;
    }
    for seen in asking {
        assert!(seen.await.unwrap().iter().all(|digest| digests.contains(digest)));
    }
}

/// A cluster whose watches have heard nothing for so long.
struct Unheard(Duration);

impl FactSource for Unheard {
    fn at_hand(&self, key: &FactKey) -> Option<Fact> {
        NoCluster.at_hand(key)
    }

    fn fetch(&self, keys: Vec<FactKey>, deadline: Instant) -> BoxFuture<'_, Vec<(FactKey, Fact)>> {
        NoCluster.fetch(keys, deadline)
    }

    fn last_heard(&self) -> Option<Duration> {
        Some(self.0)
    }
}

#[tokio::test]
async fn verdicts_go_on_and_say_on_how_old_a_state_they_rest() {
    let rig_after = |seconds| {
        let facts = Arc::new(Unheard(Duration::from_secs(seconds)));
        rig_of(Parts { facts, ..parts(Config::default()) })
    };
    let fresh = rig_after(61);
    let denied = fresh.post(Path::Fail, review("u", &pod("web:latest"))).await.review("u");
    assert!(
        denied.get("warnings").is_none() && denied["auditAnnotations"].get("assumed").is_none(),
        "{denied}"
    );
    assert_eq!(fresh.metric("wayguard_cluster_stale").await, Some(0));

    let stale = rig_after(600);
    let words = "wayguard judged this by policies and namespaces as they were 10 minutes ago: \
                 its server has no contact to the API server";
    for (image, allowed) in [("web:latest", false), ("web:1", true)] {
        let reply = stale.post(Path::Fail, review("u", &pod(image))).await.review("u");
        assert_eq!(reply["allowed"], allowed, "{reply}");
        assert_eq!(reply["warnings"], json!([words]));
        assert_eq!(reply["auditAnnotations"]["assumed"], words);
    }
    assert_eq!(stale.metric("wayguard_cluster_stale").await, Some(1));
}
