//! What the command line says about policies, checked once.

use crate::exit::Failure;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wayguard_cluster::webhooks::EXEMPT_NAMESPACES;
use wayguard_engine::policy::choice::DEFAULT_BUNDLES;
use wayguard_engine::policy::library::Library;

/// The options that choose policies.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PolicyArgs {
    /// Policies to judge by; repeatable. [default: golden-path, pod-security]
    ///
    /// A NAME is a built-in bundle (golden-path, baseline, restricted, cis, production, development,
    /// pod-security, pod-security-baseline, pod-security-restricted) or a single built-in policy
    /// (images/latest-tag). A FILE holds Policy, Bundle and PolicyException objects. A DIR holds such files, or
    /// is a policy folder (with a policy.rego), or is a library (with bundles/); a FILE.tar.gz that `policy build`
    /// wrote is such a library too. Where a NAME and a folder are
    /// called the same, write ./NAME for the folder.
    #[arg(long, value_name = "NAME|DIR|FILE", env = "WAYGUARD_POLICIES", value_delimiter = ',')]
    pub(crate) policies: Vec<String>,

    /// Defaults and exemptions for the bundle pod-security, as the API server's own plugin reads them.
    ///
    /// A file with a PodSecurityConfiguration (pod-security.admission.config.k8s.io/v1), bare or inside an
    /// AdmissionConfiguration.
    #[arg(long, value_name = "FILE", env = "WAYGUARD_POD_SECURITY_CONFIG")]
    pub(crate) pod_security_config: Option<PathBuf>,

    /// Namespaces that no policy judges, by name; repeatable. Replaces the default list.
    #[arg(
        long = "exempt-namespace",
        value_name = "NAME",
        env = "WAYGUARD_EXEMPT_NAMESPACES",
        value_delimiter = ',',
        default_values = EXEMPT_NAMESPACES,
        hide_default_value = true
    )]
    pub(crate) exempt_namespaces: Vec<String>,

    /// Where people read about a policy; its id is appended. [default: none]
    #[arg(
        long,
        value_name = "URL",
        env = "WAYGUARD_DOCS_URL",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) docs_url: String,
}

/// One place that policies come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A bundle, or one policy, of the library.
    Name(String),
    /// A file of Policy objects.
    File(PathBuf),
    /// A folder.
    Folder(PathBuf),
    /// What `policy build` wrote.
    Archive(PathBuf),
}

/// All places that policies come from, and the server's own settings for them.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    /// In the order given.
    pub(super) list: Vec<Source>,
    /// Read again at every load.
    pub(super) pod_security_config: Option<PathBuf>,
    /// No policy judges these.
    pub(super) exempt_namespaces: Vec<String>,
    /// Prefix of a policy's page.
    pub(super) docs_url: String,
    /// Every policy only records.
    pub(super) observe: bool,
    /// Every policy can tell what it does.
    pub(super) traced: bool,
    /// The built-in library.
    pub(super) library: Arc<Library>,
}

impl Sources {
    /// Checks the arguments.
    ///
    /// # Errors
    /// If one is neither a name of the library nor a path that exists.
    pub(crate) fn new(arguments: PolicyArgs) -> Result<Self, Failure> {
        let library = Library::embedded();
        let named: Vec<_> = arguments.policies.iter().filter(|text| !text.is_empty()).collect();
        // A folder of library layout replaces where names are looked up, so names are checked with it at hand.
        let has_library = named.iter().any(|text| is_library(Path::new(text)) || is_archive(Path::new(text)));
        let mut list = named
            .into_iter()
            .map(|text| source(text, &library, has_library))
            .collect::<Result<Vec<_>, _>>()?;
        let is_named_in = |it: &Source| match it {
            Source::Folder(path) => is_library(path),
            Source::Archive(_) => true,
            Source::Name(_) | Source::File(_) => false,
        };
        let only_libraries = list.iter().all(is_named_in);
        if only_libraries {
            list.extend(DEFAULT_BUNDLES.map(|name| Source::Name(name.to_owned())));
        }
        Ok(Self {
            list,
            pod_security_config: arguments.pod_security_config,
            exempt_namespaces: arguments
                .exempt_namespaces
                .into_iter()
                .filter(|name| !name.is_empty())
                .collect(),
            docs_url: arguments.docs_url,
            observe: false,
            traced: false,
            library,
        })
    }

    /// Has every policy able to tell what it does.
    pub(crate) fn traced(self) -> Self {
        Self { traced: true, ..self }
    }

    /// The same, with every policy only recording what it finds, if so.
    #[must_use]
    pub(crate) fn observing(self, observe: bool) -> Self {
        Self { observe, ..self }
    }

    /// The sources as `--policies` arguments for a process that runs in another folder: paths made absolute, names as
    /// they are (a folder of the same name must not take their place).
    pub(crate) fn as_arguments(&self) -> std::io::Result<Vec<std::ffi::OsString>> {
        let argument = |source: &Source| match source {
            Source::Name(name) => Ok(name.into()),
            Source::File(path) | Source::Folder(path) | Source::Archive(path) => {
                std::path::absolute(path).map(Into::into)
            }
        };
        self.list.iter().map(argument).collect()
    }

    /// Namespaces that no policy judges.
    pub(crate) fn exempt_namespaces(&self) -> &[String] {
        &self.exempt_namespaces
    }

    /// Whether a later load could differ: something is read from disk.
    pub(crate) fn can_change(&self) -> bool {
        self.pod_security_config.is_some()
            || self.list.iter().any(|source| !matches!(source, Source::Name(_)))
    }
}

/// Whether a folder has the layout of `policies/`.
pub(super) fn is_library(path: &Path) -> bool {
    path.join("bundles").is_dir()
}

/// Whether a file is an archive of policies, by its name.
fn is_archive(path: &Path) -> bool {
    let is = |name: &str, extension: &str| name.strip_suffix(extension).is_some();
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    (is(&name, ".tar.gz") || is(&name, ".tgz")) && path.is_file()
}

fn source(text: &str, library: &Library, any_name: bool) -> Result<Source, Failure> {
    let known = |name: &str| library.bundles().iter().any(|it| it == name) || library.policy(name).is_some();
    let path = Path::new(text);
    if known(text) {
        Ok(Source::Name(text.to_owned()))
    } else if path.is_dir() {
        Ok(Source::Folder(path.to_owned()))
    } else if is_archive(path) {
        Ok(Source::Archive(path.to_owned()))
    } else if path.exists() {
        Ok(Source::File(path.to_owned()))
    } else if any_name {
        Ok(Source::Name(text.to_owned()))
    } else {
        Err(unknown(text, library))
    }
}

/// Says that a name leads nowhere, and what would.
pub(super) fn unknown(name: &str, library: &Library) -> Failure {
    let bundles = library.bundles().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Failure::Invalid(format!(
        "`{name}` is no bundle, no policy of the library, and no file or folder; the bundles are {bundles}"
    ))
}
