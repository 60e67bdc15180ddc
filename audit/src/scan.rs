//! Reading a kind's objects page by page, and judging each page while the next one is on its way.

use crate::auditor::{Auditor, Counts, Host};
use crate::store::KindName;
use std::sync::Arc;
use wayguard_cluster::ApiError;
use wayguard_cluster::listing::{Listing, Page, Pages};

/// What came of a scan.
#[derive(Clone, Debug, Default)]
pub struct Scanned {
    /// The version that the list was of: changes are told from there on.
    pub version: String,
    /// How many objects were judged how.
    pub counts: Counts,
}

/// The kind that a listing lists.
pub(crate) fn kind_name(listing: &Listing) -> KindName {
    let kind = listing.kind();
    KindName {
        group: kind.group.clone(),
        version: kind.versions.first().cloned().unwrap_or_default(),
        kind: kind.kind.clone(),
    }
}

/// Judges all objects of a kind, or (`namespace`) those of one namespace; what is not met is forgotten. `told` hears how
/// many were met and how many are left. Memory is bounded by two pages.
///
/// # Errors
/// What the API server says; what was judged until then stays.
pub async fn scan(
    listing: &Listing,
    namespace: Option<&str>,
    auditor: &Arc<Auditor>,
    host: &Arc<dyn Host>,
    refresh: bool,
    told: &(dyn Fn(u64, u64) + Sync),
) -> Result<Scanned, ApiError> {
    let kind = kind_name(listing);
    let mut pages = listing.pages(namespace.unwrap_or_default());
    let mut pass = auditor.begin();
    let mut scanned = Scanned::default();
    let mut waiting = pages.next().await?;
    while let Some(page) = waiting {
        if page.first {
            // Begun anew: what was met before has to be met again.
            pass = auditor.begin();
        }
        let remaining = page.remaining;
        let job = Job {
            auditor: Arc::clone(auditor),
            host: Arc::clone(host),
            kind: kind.clone(),
            plural: listing.kind().plural.clone(),
            pass,
            refresh,
        };
        let (counts, next) = tokio::join!(judged(job, page), following(&mut pages));
        scanned.counts.join(counts);
        told(counts.all(), remaining);
        waiting = next?;
    }
    pages.version().clone_into(&mut scanned.version);
    auditor.end(&kind, namespace, pass);
    Ok(scanned)
}

async fn following(pages: &mut Pages<'_>) -> Result<Option<Page>, ApiError> {
    pages.next().await
}

struct Job {
    auditor: Arc<Auditor>,
    host: Arc<dyn Host>,
    kind: KindName,
    plural: String,
    pass: u32,
    refresh: bool,
}

/// Judging is pure work of up to seconds: not for the threads that wait for the network.
async fn judged(job: Job, page: Page) -> Counts {
    let work = tokio::task::spawn_blocking(move || {
        let Job { auditor, host, kind, plural, pass, refresh } = job;
        auditor.judge(&kind, &plural, page.items(), &*host, pass, refresh)
    });
    match work.await {
        Ok(counts) => counts,
        Err(panicked) => {
            tracing::error!(%panicked, "a page of objects could not be judged");
            Counts::default()
        }
    }
}
