//! The same demands on both databases: a file of SQLite, and a real server of PostgreSQL.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail where it stands"
)]

#[path = "support/postgres.rs"]
mod postgres;
mod support;

use jiff::{SignedDuration, Timestamp};
use postgres::Postgres;
use std::path::Path;
use std::time::Duration;
use support::denial;
use wayguard_history::{
    AuditCount, AuditFinding, AuditPart, DecisionFilter, FindingFilter, Place, Retention, Store, StoreError,
};

async fn all_demands(place: Place) {
    // Two that start at once.
    let (one, other) = tokio::join!(Store::open(place.clone()), Store::open(place.clone()));
    let (store, other) = (one.unwrap(), other.unwrap());
    decisions(&store, &other).await;
    states(&store).await;
    limits(&store).await;
    let reading = Store::read(place).await.unwrap();
    assert_eq!(reading.decisions_named("0000000001f3").await.unwrap(), [denial(0x1f3)]);
    assert!(!store.shown().is_empty());
}

async fn decisions(store: &Store, other: &Store) {
    let batch: Vec<_> = (0..500).map(denial).collect();
    store.write(&batch).await.unwrap();
    // Sent again, by another replica's connection, with one more: only that one is new.
    other.write(&[denial(499), denial(500)]).await.unwrap();
    assert_eq!(store.decision_count().await.unwrap(), 501);
    assert_eq!(store.decisions_named("00000000000a").await.unwrap(), [denial(10)]);
    assert_eq!(store.decisions_named("00000000001").await.unwrap().len(), 16);
    assert_eq!(store.decisions_named("f").await.unwrap(), []);
    // The same id of another request is another decision.
    let twin = wayguard_history::DecisionRecord { uid: "uid-twin".into(), ..denial(10) };
    store.write(std::slice::from_ref(&twin)).await.unwrap();
    let both = store.decisions_named("00000000000a").await.unwrap();
    assert!(both.len() == 2 && both.contains(&twin) && both.contains(&denial(10)));

    let counted = async |filter: DecisionFilter| store.decisions(&filter).await.unwrap().len();
    let base = DecisionFilter { limit: 1000, ..DecisionFilter::default() };
    assert_eq!(counted(DecisionFilter { namespace: "team-b".into(), ..base.clone() }).await, 250);
    assert_eq!(counted(DecisionFilter { name: "web-7".into(), ..base.clone() }).await, 1);
    assert_eq!(counted(DecisionFilter { policy: "images/latest-tag".into(), ..base.clone() }).await, 502);
    assert_eq!(counted(DecisionFilter { policy: "other".into(), ..base.clone() }).await, 0);
    assert_eq!(counted(DecisionFilter { verdict: "warn".into(), ..base.clone() }).await, 0);
    assert_eq!(counted(DecisionFilter { user: "' OR 1=1 --".into(), ..base.clone() }).await, 0);
    assert_eq!(counted(DecisionFilter::default()).await, 100);
    let since = Some(denial(490).at);
    let newest =
        store.decisions(&DecisionFilter { since, until: Some(denial(492).at), ..base }).await.unwrap();
    assert_eq!(newest, [denial(491), denial(490)]);
}

fn finding(name: &str) -> AuditFinding {
    AuditFinding {
        policy: "workload/limits".into(),
        rule: "deny".into(),
        severity: "high".into(),
        result: "fail".into(),
        group: "apps".into(),
        kind: "Deployment".into(),
        namespace: "team-a".into(),
        name: name.into(),
        path: "spec".into(),
        message: "is missing".into(),
        owner: "alpha".into(),
    }
}

fn state(hour: i64, names: &[&str]) -> AuditPart {
    let count = |result: &str, count| AuditCount {
        namespace: "team-a".into(),
        policy: "workload/limits".into(),
        severity: "high".into(),
        result: result.into(),
        count,
    };
    AuditPart {
        cluster: "test".into(),
        at: Timestamp::from_second(1_800_000_000 + hour * 3600).unwrap(),
        objects: 10,
        counts: vec![count("fail", names.len() as u64), count("pass", 10 - names.len() as u64)],
        findings: names.iter().map(|name| finding(name)).collect(),
        last: true,
        ..AuditPart::default()
    }
}

async fn states(store: &Store) {
    store.write_state(&state(0, &["a", "b"])).await.unwrap();
    // A part that is not the last fixes nothing.
    store.write_state(&AuditPart { last: false, counts: Vec::new(), ..state(2, &["c"]) }).await.unwrap();
    let all = FindingFilter::default();
    assert_eq!(store.oldest(&all, 10).await.unwrap().len(), 3);
    store.write_state(&state(2, &["b"])).await.unwrap();
    // Sent again, and an older one that was late: nothing changes.
    store.write_state(&state(2, &[])).await.unwrap();
    store.write_state(&state(1, &["late"])).await.unwrap();
    // `a` comes back, and a kind that could not be looked at keeps what it had.
    store.write_state(&state(4, &["a", "b", "c"])).await.unwrap();
    let blind = AuditPart { unknown_kinds: ["Deployment.apps".to_owned()].into(), ..state(5, &["a"]) };
    store.write_state(&blind).await.unwrap();

    let names = |found: Vec<wayguard_history::StoredFinding>| -> Vec<String> {
        found.into_iter().map(|it| it.finding.name).collect()
    };
    let at = |hour: i64| state(hour, &[]).at;
    assert_eq!(names(store.oldest(&all, 1).await.unwrap()), ["b"]);
    let mut new = names(store.new_since(&all, at(3), 10).await.unwrap());
    new.sort();
    assert_eq!(new, ["a"]);
    let fixed = store.fixed_since(&all, at(0), 10).await.unwrap();
    assert_eq!(names(fixed.clone()), ["a"]);
    assert_eq!((fixed[0].first_seen, fixed[0].fixed_at), (at(0), Some(at(2))));
    let mean = store.mean_time_to_fix(&all, at(0)).await.unwrap();
    assert_eq!((mean.fixed, mean.mean), (1, SignedDuration::from_hours(2)));
    let elsewhere = FindingFilter { owner: "beta".into(), ..FindingFilter::default() };
    assert_eq!(store.oldest(&elsewhere, 10).await.unwrap(), []);
    let trend = store.trend(&all, None, None).await.unwrap();
    let fails: Vec<_> = trend.iter().filter(|it| it.result == "fail").map(|it| (it.at, it.count)).collect();
    assert_eq!(fails, [(at(0), 2), (at(2), 1), (at(4), 3), (at(5), 1)]);
    assert_eq!(store.trend(&all, Some(at(3)), Some(at(5))).await.unwrap().len(), 2);
}

async fn limits(store: &Store) {
    let keep_all = Retention { age: Duration::from_hours(1), bytes: u64::MAX };
    let now = denial(500).at;
    assert_eq!(store.keep_within(keep_all, now).await.unwrap(), 0);
    let young = Retention { age: Duration::from_secs(50), bytes: u64::MAX };
    assert_eq!(store.keep_within(young, now).await.unwrap(), 451);
    assert_eq!(store.decision_count().await.unwrap(), 51);
    let one = denial(1).bytes() as u64;
    let small = Retention { age: Duration::from_hours(1000), bytes: one * 20 };
    store.keep_within(small, now).await.unwrap();
    assert!(store.stored_bytes().await.unwrap() <= one * 20);
    store.write(&[denial(0x1f3)]).await.unwrap();
    // What is there stays in view, however old.
    let later = now + SignedDuration::from_hours(10_000);
    store.keep_within(Retention::default(), later).await.unwrap();
    assert_eq!(store.fixed_since(&FindingFilter::default(), now, 10).await.unwrap(), []);
    assert_eq!(store.oldest(&FindingFilter::default(), 10).await.unwrap().len(), 3);
    store.write(&[denial(0x1f3)]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    all_demands(Place::file(&folder.path().join("a history.db"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql() {
    match Postgres::start("") {
        Ok(server) => {
            let url = format!("postgres://wayguard@127.0.0.1:{}/postgres", server.port());
            all_demands(Place::server(&url).unwrap()).await;
        }
        Err(reason) => println!("skipped: {reason}"),
    }
}

#[tokio::test]
async fn a_damaged_file_and_one_that_is_none_are_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let open = async |path: &Path| Store::open(Place::file(path)).await.map(drop).unwrap_err();
    std::fs::write(&path, "not a database at all, but long enough to look at: ".repeat(100)).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = open(&path).await;
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("move the file"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);

    std::fs::remove_file(&path).unwrap();
    let store = Store::open(Place::file(&path)).await.unwrap();
    store.write(&(0..300).map(denial).collect::<Vec<_>>()).await.unwrap();
    store.close().await;
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle - 8192..middle].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(open(&path).await, StoreError::Damaged { .. }));

    let error = Store::read(Place::file(&folder.path().join("none.db"))).await.map(drop).unwrap_err();
    assert!(matches!(error, StoreError::NotThere { .. }), "{error}");
    assert!(!folder.path().join("none.db").exists());
}

#[tokio::test]
async fn a_newer_layout_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::file(&folder.path().join("history.db"));
    Store::open(place.clone()).await.unwrap().close().await;
    let status = std::process::Command::new("sqlite3")
        .arg(folder.path().join("history.db"))
        .arg("INSERT INTO wayguard_layout VALUES (99)")
        .status();
    if !status.is_ok_and(|status| status.success()) {
        println!("skipped: sqlite3 is not installed");
        return;
    }
    for error in [Store::open(place.clone()).await.map(drop), Store::read(place).await.map(drop)] {
        assert!(matches!(error, Err(StoreError::Newer { found: 99, known: 1, .. })));
    }
}
