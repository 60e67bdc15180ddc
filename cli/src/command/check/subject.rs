//! What is judged, by what and as whose request: the options that `check` and `explain` share.

use super::judge::Judge;
use crate::cluster::ClusterArgs;
use crate::exit::Failure;
use crate::images::ImageArgs;
use crate::input::Rendering;
use crate::live::Live;
use crate::output::Output;
use crate::policies::{PolicyArgs, Sources, gather};
use crate::suite::SuiteArgs;
use std::path::PathBuf;
use std::sync::Arc;
use wayguard_engine::request::Operation;

/// The options.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::command) struct SubjectArgs {
    /// Manifests (YAML or JSON), folders of them, Helm charts, Kustomize folders, or `-` for stdin
    #[arg(value_name = "FILE|DIR|-", required = true)]
    pub(in crate::command) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) policies: PolicyArgs,

    /// A folder or file of objects that exist already: Namespaces with their labels, what policies look up, and what
    /// Gatekeeper's providers would say (`externalData`)
    #[arg(long, value_name = "DIR", env = "WAYGUARD_CONTEXT", value_delimiter = ',')]
    pub(super) context: Vec<PathBuf>,

    /// A file of values for Helm charts; repeatable
    #[arg(long, value_name = "FILE", env = "WAYGUARD_VALUES", value_delimiter = ',')]
    pub(super) values: Vec<PathBuf>,

    /// Ask the cluster that kubectl talks to: its policies and exceptions, its namespaces, and what policies look up
    #[arg(long, env = "WAYGUARD_CLUSTER")]
    pub(in crate::command) cluster: bool,

    /// The kubeconfig of that cluster. [default: as kubectl finds it]
    #[arg(long, value_name = "FILE", env = "WAYGUARD_KUBECONFIG", requires = "cluster")]
    pub(in crate::command) kubeconfig: Option<PathBuf>,

    /// Ask it for Gatekeeper's objects too
    #[arg(long, env = "WAYGUARD_GATEKEEPER", requires = "cluster")]
    pub(super) gatekeeper: bool,

    /// The suite's own namespace in that cluster; only there exceptions count
    #[arg(long, value_name = "NAME", env = "WAYGUARD_OWN_NAMESPACE", default_value = "wayguard-system")]
    pub(in crate::command) own_namespace: String,

    /// The namespace of objects that name none
    #[arg(long, short = 'n', value_name = "NAME", default_value = "default", env = "WAYGUARD_NAMESPACE")]
    pub(in crate::command) namespace: String,

    /// An unknown namespace, or anything else that a policy needs and that is not known here, is an error
    #[arg(long, env = "WAYGUARD_STRICT")]
    pub(super) strict: bool,

    /// Who would apply the files; policies that ask for it are skipped otherwise
    #[arg(long, visible_alias = "as", value_name = "NAME", env = "WAYGUARD_USER")]
    pub(in crate::command) user: Option<String>,

    /// A group of that user; repeatable
    #[arg(
        long,
        visible_alias = "as-group",
        value_name = "NAME",
        requires = "user",
        env = "WAYGUARD_GROUPS",
        value_delimiter = ','
    )]
    pub(in crate::command) group: Vec<String>,

    /// What is done with the objects; the object before an UPDATE is taken from `--context`
    #[arg(long, value_enum, default_value_t, ignore_case = true)]
    pub(in crate::command) operation: Verb,

    #[command(flatten)]
    pub(super) images: ImageArgs,
}

/// The verbs that files can stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(in crate::command) enum Verb {
    /// The objects are new
    #[default]
    Create,
    /// They exist and are changed
    Update,
    /// They are removed
    Delete,
}

impl From<Verb> for Operation {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Create => Self::Create,
            Verb::Update => Self::Update,
            Verb::Delete => Self::Delete,
        }
    }
}

impl SubjectArgs {
    /// Loads the policies, those of a cluster too, and what is known beside the files. What cannot be loaded is said.
    /// `traced`: what the policies do is told with each verdict.
    ///
    /// # Errors
    /// If policies or context cannot be read at all, or the cluster cannot be reached.
    pub(in crate::command) fn open(
        &self,
        traced: bool,
        out: &mut Output,
    ) -> Result<(Judge, Option<Arc<Live>>), Failure> {
        let sources = Sources::new(self.policies.clone())?;
        let sources = if traced { sources.traced() } else { sources };
        let gathered = gather(&sources)?;
        let (live, set) = if self.cluster {
            let (live, set) = Live::open(&self.connection(), &sources, &self.suite())?;
            (Some(Arc::new(live)), set)
        } else {
            (None, Arc::new(gathered.compile()))
        };
        for failure in set.failures() {
            failure.errors.iter().for_each(|error| out.error(error));
        }
        Ok((Judge::new(self, set, &gathered, live.clone(), traced)?, live))
    }

    fn connection(&self) -> ClusterArgs {
        ClusterArgs { kubeconfig: self.kubeconfig.clone(), ..ClusterArgs::default() }
    }

    /// How charts are rendered.
    pub(in crate::command) fn rendering(&self) -> Rendering {
        Rendering { values: self.values.clone(), namespace: self.namespace.clone() }
    }

    fn suite(&self) -> SuiteArgs {
        SuiteArgs {
            own_namespace: self.own_namespace.clone(),
            gatekeeper: self.gatekeeper,
            ..SuiteArgs::default()
        }
    }
}
