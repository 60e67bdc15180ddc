//! What `wayguard audit` and `wayguard report` share: what is looked at, by which policies, and everything that comes of it.

use super::coverage::Coverage;
use super::{cluster, folder};
use crate::exit::Failure;
use crate::images::ImageArgs;
use crate::output::Output;
use crate::policies::{PolicyArgs, Sources};
use crate::suite::SuiteArgs;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use wayguard_audit::{Auditor, Host, KindName};
use wayguard_engine::PolicySet;
use wayguard_engine::facts::{Fact, FactKey, Facts};
use wayguard_engine::value::{Document, Value};

/// Options that say what is looked at, and by which policies.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::command) struct GatherArgs {
    /// Manifests to look at instead of a cluster: files, folders of them, or `-` for stdin
    #[arg(value_name = "FILE|DIR|-")]
    pub(in crate::command) paths: Vec<PathBuf>,

    /// The kubeconfig of the cluster. [default: as kubectl finds it]
    #[arg(long, value_name = "FILE", env = "WAYGUARD_KUBECONFIG", conflicts_with = "in_cluster")]
    pub(in crate::command) kubeconfig: Option<PathBuf>,

    /// The context of the kubeconfig. [default: its current one]
    #[arg(long, value_name = "NAME")]
    pub(in crate::command) context: Option<String>,

    /// The cluster that this process runs in, by its ServiceAccount
    #[arg(long, env = "WAYGUARD_IN_CLUSTER", conflicts_with = "paths")]
    pub(in crate::command) in_cluster: bool,

    #[command(flatten)]
    pub(in crate::command) policies: PolicyArgs,

    /// The label, of objects or their namespaces, that says who answers for them
    #[arg(long, value_name = "LABEL", default_value = "team")]
    pub(in crate::command) owner_label: String,

    /// Requests a second that the API server is asked at most
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::command) requests_per_second: u32,

    /// The files are all that a cluster has: what is not among them does not exist
    #[arg(long, requires = "paths")]
    pub(in crate::command) complete: bool,

    /// The namespace of objects in files that name none
    #[arg(long, short = 'n', value_name = "NAME", default_value = "default", env = "WAYGUARD_NAMESPACE")]
    pub(in crate::command) namespace: String,

    /// Read Gatekeeper's objects of the cluster too
    #[arg(long, env = "WAYGUARD_GATEKEEPER")]
    pub(in crate::command) gatekeeper: bool,

    /// The suite's own namespace in the cluster; only there exceptions count
    #[arg(long, value_name = "NAME", env = "WAYGUARD_OWN_NAMESPACE", default_value = "wayguard-system")]
    pub(in crate::command) own_namespace: String,

    #[command(flatten)]
    pub(in crate::command) images: ImageArgs,
}

/// What was looked at, and what came of it.
pub(in crate::command) struct Audit {
    pub(in crate::command) auditor: Arc<Auditor>,
    pub(in crate::command) coverage: Coverage,
    /// File and line of each object, where it is in one: by kind, namespace and name.
    pub(in crate::command) places: BTreeMap<(String, String, String), (String, usize)>,
    /// The objects of a file, to find the line of a finding.
    pub(in crate::command) found: Vec<crate::input::FoundObject>,
    /// Some input was not valid.
    pub(in crate::command) invalid: bool,
    /// Some of the cluster could not be read.
    pub(in crate::command) incomplete: bool,
    /// What answered questions beside the objects, and still does.
    pub(in crate::command) host: Arc<dyn Host>,
    /// uid of the namespace `kube-system`; empty: of no cluster, or not told.
    pub(in crate::command) cluster_uid: String,
}

/// Hears of every object that is judged, for what results do not hold.
pub(in crate::command) trait Witness: Send + Sync {
    /// An object, as it is.
    fn met(&self, kind: &KindName, object: Value<'_>);
}

/// Judges everything that the options name, as of a time: exceptions that have ended by then do not count.
///
/// # Errors
/// If files, policies or the cluster cannot be read at all.
pub(in crate::command) fn gather(
    args: &GatherArgs,
    now: Timestamp,
    witness: Option<Arc<dyn Witness>>,
    out: &mut Output,
) -> Result<Audit, Failure> {
    // The environment may name a kubeconfig for other commands; a context is always meant.
    if !args.paths.is_empty() && args.context.is_some() {
        return Err(Failure::Invalid(
            "`--context` names a cluster, and the paths name files: give one of them".to_owned(),
        ));
    }
    let sources = Sources::new(args.policies.clone())?;
    if args.paths.is_empty() {
        cluster::audit(args, now, witness, &sources, out)
    } else {
        folder::audit(args, now, witness, &sources, out)
    }
}

/// Says what of the policies could not be loaded.
pub(super) fn tell_failures(set: &PolicySet, out: &mut Output) -> bool {
    for failure in set.failures() {
        failure.errors.iter().for_each(|error| out.error(error));
    }
    !set.failures().is_empty()
}

impl GatherArgs {
    pub(super) fn suite(&self) -> SuiteArgs {
        SuiteArgs {
            own_namespace: self.own_namespace.clone(),
            gatekeeper: self.gatekeeper,
            ..SuiteArgs::default()
        }
    }
}

/// What is known beside the objects, as `check` knows it.
pub(super) struct Known {
    /// What answers.
    pub(super) knowledge: crate::knowledge::Knowledge,
    /// Who hears of objects.
    pub(super) witness: Option<Arc<dyn Witness>>,
}

impl Host for Known {
    fn answer(&self, keys: Vec<FactKey>, facts: &mut Facts) {
        self.knowledge.answer(keys, facts);
    }

    fn namespace(&self, name: &str) -> Option<Arc<Document>> {
        let mut facts = Facts::new();
        let key = FactKey::Namespace(name.to_owned());
        self.knowledge.answer(vec![key.clone()], &mut facts);
        match facts.get(&key) {
            Some(Fact::Known(namespace)) => Some(Arc::clone(namespace)),
            _ => None,
        }
    }

    fn met(&self, kind: &KindName, object: Value<'_>) {
        if let Some(witness) = &self.witness {
            witness.met(kind, object);
        }
    }
}
