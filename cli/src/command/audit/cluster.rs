//! Everything that runs in a cluster, kind by kind, page by page.

use super::coverage::Coverage;
use super::gathering::{Audit, GatherArgs, Known, Witness, tell_failures};
use crate::cluster::ClusterArgs;
use crate::exit::Failure;
use crate::images::ImageDesk;
use crate::knowledge::Knowledge;
use crate::live::Live;
use crate::output::Output;
use crate::policies::Sources;
use crate::progress::Progress;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use wayguard_audit::{Auditor, Edition, Host, scan};
use wayguard_cluster::listing::{Concerns, Listing, Pace};
use wayguard_cluster::{ApiError, Resources};
use wayguard_engine::facts::{Fact, FactKey};

/// Requests at once after a rest.
const BURST: u32 = 10;

/// Audits the cluster.
///
/// # Errors
/// If it cannot be reached, or its policies cannot be read.
pub(super) fn audit(
    args: &GatherArgs,
    now: Timestamp,
    witness: Option<Arc<dyn Witness>>,
    sources: &Sources,
    out: &mut Output,
) -> Result<Audit, Failure> {
    let connection = ClusterArgs {
        kubeconfig: args.kubeconfig.clone(),
        context: args.context.clone(),
        in_cluster: args.in_cluster,
    };
    let (live, set) = Live::open_any(&connection, sources, &args.suite(), out)?;
    let invalid = tell_failures(&set, out);
    let live = Arc::new(live);
    let images = ImageDesk::open(&args.images, live.authorities())?;
    let knowledge = Knowledge::new().asking(Some(Arc::clone(&live))).asking_images(images);
    let host: Arc<dyn Host> = Arc::new(Known { knowledge, witness });
    let resources = live.run(Resources::discover(live.client()));
    let resources = resources
        .map_err(|error| Failure::Ours(format!("cannot ask the cluster which kinds it has: {error}")))?;
    let concerns = Concerns::of(&set, &resources);
    let mut coverage = Coverage::of(&set, now);
    concerns.left_out.iter().for_each(|(kind, why)| coverage.kind(kind, why));
    concerns.idle.iter().for_each(|(policy, why)| coverage.policy(policy, why));
    for group in &resources.stale_groups {
        coverage.kind(&format!("the API group {group}"), "its own server does not answer");
    }
    let auditor = Arc::new(Auditor::new(Edition::of(&set, now), &args.owner_label));
    let pace = Arc::new(Pace::new(args.requests_per_second, BURST));
    let mut incomplete = false;
    let progress = Mutex::new(Progress::new("auditing", 0));
    let mut before = 0;
    for (kind, _) in concerns.kinds {
        let (plural, kind_name) = (kind.plural.clone(), kind.kind.clone());
        let name = if kind.group.is_empty() { plural.clone() } else { format!("{plural}.{}", kind.group) };
        let listing = Listing::new(live.client(), kind, &pace);
        let told = |met: u64, left: u64| {
            let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress.at(before + met, before + met + left, &plural);
        };
        match live.run(scan(&listing, None, &auditor, &host, false, &told)) {
            Ok(scanned) => before += scanned.counts.all(),
            Err(ApiError::Forbidden(message)) => {
                coverage.kind_of(&name, &kind_name, &format!("they may not be listed: {message}"));
            }
            // Gone since discovery.
            Err(ApiError::NotFound(_)) => {}
            Err(error) => {
                incomplete = true;
                coverage.kind_of(&name, &kind_name, &format!("they could not be read to the end: {error}"));
            }
        }
    }
    drop(progress);
    let cluster_uid = uid(&live.ask(FactKey::Namespace("kube-system".to_owned())));
    Ok(Audit {
        auditor,
        coverage,
        places: BTreeMap::new(),
        found: Vec::new(),
        invalid,
        incomplete,
        host,
        cluster_uid,
    })
}

/// The uid of an object that may be known.
fn uid(namespace: &Fact) -> String {
    let Fact::Known(namespace) = namespace else { return String::new() };
    let metadata = namespace.value().get("metadata").unwrap_or_default();
    metadata.str_or_empty("uid").to_owned()
}
