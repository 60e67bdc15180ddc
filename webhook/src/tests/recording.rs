//! What goes into the history, and what a full queue does to a reply.

use super::fixture::{eventually, parts, pod, review, rig_of};
use crate::{Config, Parts, Path, Recording};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wayguard_history::{AuditPart, DecisionRecord, Recorder, RecorderOptions, Sink, SinkError};

type Taking<'s> = Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 's>>;

/// Keeps what it is given, or never answers.
#[derive(Default)]
struct Kept {
    all: Mutex<Vec<DecisionRecord>>,
    hangs: bool,
}

impl Sink for Kept {
    fn write<'s>(&'s self, batch: &'s [DecisionRecord]) -> Taking<'s> {
        Box::pin(async move {
            if self.hangs {
                std::future::pending::<()>().await;
            }
            self.all.lock().unwrap().extend_from_slice(batch);
            Ok(())
        })
    }

    fn write_state<'s>(&'s self, _: &'s AuditPart) -> Taking<'s> {
        Box::pin(std::future::pending())
    }
}

fn recorded(sink: &Arc<Kept>, options: RecorderOptions) -> Parts {
    let sink = Arc::clone(sink) as Arc<dyn Sink>;
    let (recorder, _task) = Recorder::start(sink, options);
    let recording = Recording { recorder, cluster: "test".into(), replica: "serve-1".into() };
    Parts { recording: Some(Arc::new(recording)), ..parts(Config::default()) }
}

#[tokio::test]
async fn denials_and_changes_are_recorded_allows_and_dry_runs_are_not() {
    let sink = Arc::<Kept>::default();
    let rig = rig_of(recorded(&sink, RecorderOptions::default()));
    let moving = pod("web:latest");
    let dry = review("dry", &moving).replace(r#""dryRun":false"#, r#""dryRun":true"#);
    assert_eq!(rig.post(Path::Fail, dry).await.review("dry")["allowed"], false);
    rig.post(Path::Fail, review("fine", &pod("web:1"))).await.review("fine");
    let denied = rig.post(Path::Fail, review("denied", &moving)).await.review("denied");
    rig.post(Path::Mutate, review("changed", &moving)).await.review("changed");
    eventually("two decisions are stored", async || sink.all.lock().unwrap().len() == 2).await;
    assert_eq!(rig.metric("wayguard_history_stored_total").await, Some(2));

    let all = sink.all.lock().unwrap();
    let (denial, change) = (&all[0], &all[1]);
    let message = denied["status"]["message"].as_str().unwrap();
    assert!(message.ends_with(&format!("(decision {})", denial.id)), "{message}");
    assert_eq!(denial.message, message);
    let told =
        (&*denial.uid, &*denial.kind, &*denial.namespace, &*denial.name, &*denial.user, &*denial.verdict);
    assert_eq!(told, ("denied", "Pod", "team-a", "web", "ada", "deny"));
    assert_eq!(denial.findings.len(), 1);
    assert_eq!(denial.findings[0].path, "spec.containers[web].image");
    assert_eq!((&*change.uid, &*change.stage), ("changed", "mutate"));
    let paths: Vec<_> = change.changes.iter().map(|it| (&*it.operation, &*it.path)).collect();
    assert_eq!(paths, [("add", "/spec/automountServiceAccountToken")]);
}

#[tokio::test]
async fn a_store_that_hangs_slows_nobody_and_a_denial_says_that_it_is_not_stored() {
    let sink = Arc::new(Kept { hangs: true, ..Kept::default() });
    let rig = rig_of(recorded(&sink, RecorderOptions { waiting: 4, batch: 1, ..RecorderOptions::default() }));
    let started = Instant::now();
    let mut untold = 0;
    for number in 0..100 {
        let uid = format!("u-{number}");
        let denied = rig.post(Path::Fail, review(&uid, &pod("web:latest"))).await.review(&uid);
        let message = denied["status"]["message"].as_str().unwrap();
        untold += u32::from(message.ends_with(", not stored)"));
    }
    // One attempt to store takes ten seconds until it is given up: none of the requests can have waited for it.
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(untold >= 90, "{untold}");
    let dropped = rig.metric("wayguard_history_dropped_total").await.unwrap();
    assert_eq!(dropped, i64::from(untold));
}
