//! Scans of trivy-operator (`VulnerabilityReport`, aquasecurity.github.io/v1alpha1) in the cluster, by the digest of what
//! they are about: where that kind is installed, and the installation lets us read it. Nobody signed them; they are as
//! good as the rights in the cluster are.

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use crate::discovery::Kinds;
use crate::mirror::{Mirror, Selection, Task};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::{Api, PostParams};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::{info, warn};
use wayguard_images::digest::Digest;
use wayguard_images::scan::{Scan, trivy};

/// The kind's group…
pub const GROUP: &str = "aquasecurity.github.io";
/// … and its plural, for the right to read it.
pub const PLURAL: &str = "vulnerabilityreports";
const VERSION: &str = "v1alpha1";
const KIND: &str = "VulnerabilityReport";

/// Between looks whether the kind is there and may be read.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// The operator writes reports by the dozen.
const QUIET: Duration = Duration::from_millis(500);
/// A report may have a megabyte.
const PAGE: u32 = 20;

/// Scans by digest.
pub type Reports = HashMap<Digest, Vec<Scan>>;

/// The watch; it ends when it is dropped.
pub struct ReportWatch {
    reports: watch::Receiver<Arc<Reports>>,
    _task: Task,
}

impl ReportWatch {
    /// Starts looking for the kind.
    pub fn start(client: &Client) -> Self {
        let (publisher, reports) = watch::channel(Arc::default());
        Self { reports, _task: Task(tokio::spawn(run(client.clone(), publisher))) }
    }

    /// Announces every change.
    pub fn changes(&self) -> watch::Receiver<Arc<Reports>> {
        self.reports.clone()
    }
}

async fn run(client: Client, publisher: watch::Sender<Arc<Reports>>) {
    let kinds = Kinds::new(client.clone());
    let mut told = String::new();
    let resource = loop {
        let problem = match kinds.find(GROUP, VERSION, KIND).await {
            // Most clusters do not have it, which is nothing to tell.
            Ok(None) => None,
            Ok(Some(resource)) => match may_read(&client).await {
                Ok(true) => break resource,
                Ok(false) => Some(format!(
                    "the server may not read them; `wayguard install` grants it with policies that read images, and `--inventory {GROUP}/{PLURAL}` always"
                )),
                Err(problem) => Some(problem.to_string()),
            },
            Err(problem) => Some(problem.to_string()),
        };
        if let Some(problem) = problem.filter(|problem| *problem != told) {
            warn!(problem, "VulnerabilityReports are not read");
            told = problem;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    };
    info!("VulnerabilityReports are read");
    let selection = Selection { page: Some(PAGE), ..Selection::default() };
    let mirror = Mirror::start(Api::all_with(client, &resource.api_resource(VERSION)), selection, |object| {
        let (digest, scan) = trivy::read_report(&object.data);
        Some(Arc::new((digest?, scan)))
    });
    let mut changes = mirror.changes();
    mirror.wait_synced().await;
    loop {
        changes.mark_unchanged();
        publisher.send_replace(Arc::new(by_digest(mirror.all().into_values())));
        if changes.changed().await.is_err() {
            return;
        }
        tokio::time::sleep(QUIET).await;
    }
}

/// Of one scanner the last look at each digest: every workload of an image has a report of its own.
fn by_digest(all: impl IntoIterator<Item = Arc<(Digest, Scan)>>) -> Reports {
    let mut reports = Reports::new();
    for one in all {
        let (digest, scan) = &*one;
        let known = reports.entry(*digest).or_default();
        match known.iter_mut().find(|other| other.scanner == scan.scanner) {
            Some(other) if other.finished_at < scan.finished_at => other.clone_from(scan),
            Some(_) => {}
            None => known.push(scan.clone()),
        }
    }
    reports
}

async fn may_read(client: &Client) -> Result<bool, ApiError> {
    for verb in ["list", "watch"] {
        let of = ResourceAttributes {
            group: Some(GROUP.to_owned()),
            resource: Some(PLURAL.to_owned()),
            verb: Some(verb.to_owned()),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec {
            resource_attributes: Some(of),
            ..SelfSubjectAccessReviewSpec::default()
        };
        let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
        let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
        let answer = within(REQUEST_LIMIT, api.create(&PostParams::default(), &review)).await?;
        if !answer.status.is_some_and(|status| status.allowed) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discovery::samples;
    use crate::fake_api::{client, eventually, failure};
    use serde_json::{Value, json};

    fn report(digest: &str, at: &str, critical: u64) -> Arc<(Digest, Scan)> {
        let object: Value = json!({"report": {
            "artifact": {"digest": digest}, "scanner": {"name": "Trivy"}, "updateTimestamp": at,
            "summary": {"criticalCount": critical, "highCount": 0, "mediumCount": 0, "lowCount": 0},
        }});
        let (digest, scan) = trivy::read_report(&object);
        Arc::new((digest.unwrap(), scan))
    }

    #[test]
    fn the_last_report_on_a_digest_counts() {
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        let reports = by_digest([
            report(&one.to_string(), "2026-11-22T12:00:00Z", 1),
            report(&one.to_string(), "2026-11-23T12:00:00Z", 2),
            report(&one.to_string(), "2026-11-21T12:00:00Z", 3),
            report(&other.to_string(), "2026-11-21T12:00:00Z", 4),
        ]);
        let critical = |digest| -> Vec<u64> {
            let scans: &Vec<Scan> = &reports[digest];
            scans.iter().map(|scan| scan.counts.unwrap().critical).collect()
        };
        assert_eq!((critical(&one), critical(&other)), (vec![2], vec![4]));
        assert!(reports.values().flatten().all(|scan| !scan.signed));
    }

    fn api_server(allowed: bool) -> (Client, crate::fake_api::Log) {
        client(move |line, _| match line {
            "GET /apis" => {
                let resources = json!([samples::resource(PLURAL, KIND, "Namespaced", &[])]);
                (200, samples::list(&[samples::group(GROUP, VERSION, "Current", &resources)]))
            }
            line if line.contains("selfsubjectaccessreviews") => {
                (201, json!({"spec": {}, "status": {"allowed": allowed}}).to_string())
            }
            line if line.contains("watch=true") => (200, String::new()),
            line if line.contains(PLURAL) => {
                let item = json!({"metadata": {"namespace": "shop", "name": "r", "resourceVersion": "1"}, "report": {
                    "artifact": {"digest": Digest::of(b"one").to_string()}, "scanner": {"name": "Trivy"},
                    "vulnerabilities": [{"vulnerabilityID": "CVE-1", "severity": "CRITICAL", "resource": "zlib"}],
                }});
                // One without a digest is about nothing that could be asked for.
                let items = json!([item, {"metadata": {"namespace": "shop", "name": "s"}, "report": {}}]);
                (200, json!({"metadata": {"resourceVersion": "1"}, "items": items}).to_string())
            }
            line => samples::answer(line).unwrap_or_else(|| failure(404, "NotFound", "not found")),
        })
    }

    #[tokio::test]
    async fn reports_are_read_where_they_are_and_may_be() {
        let (client, log) = api_server(true);
        let watch = ReportWatch::start(&client);
        let mut changes = watch.changes();
        let read =
            tokio::time::timeout(Duration::from_secs(10), changes.wait_for(|reports| !reports.is_empty()));
        let reports = read.await.unwrap().unwrap().clone();
        assert_eq!(reports[&Digest::of(b"one")][0].findings[0].id, "CVE-1");
        assert_eq!(reports.len(), 1);
        assert!(log.lock().unwrap().iter().any(|line| line.contains("limit=20")));
    }

    #[tokio::test]
    async fn what_may_not_be_read_is_not_tried() {
        let (client, log) = api_server(false);
        let _watch = ReportWatch::start(&client);
        let asked = || log.lock().unwrap().iter().any(|line| line.contains("selfsubjectaccessreviews"));
        eventually("it is asked whether it may", asked).await;
        assert!(!log.lock().unwrap().iter().any(|line| line.contains(PLURAL)));
    }
}
