//! Reading all sources: what the objects are and where their Rego lies, before anything is compiled.

use super::bundles::{Written, members};
use super::documents;
use super::folder::{Disk, PolicyFolder, policy_folders};
use super::source::{Source, Sources, is_library, unknown};
use crate::exit::Failure;
use crate::input::{is_manifest, walk};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wayguard_cluster::policies::observed;
use wayguard_engine::gatekeeper::Given;
use wayguard_engine::policy::choice::{Choice, Chosen, default_spec, object_name};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::{LoadFailure, PolicyFiles, PolicySet, PolicySetBuilder, SetConfig};
use wayguard_engine::policy::spec::{Mutate, PolicyExceptionSpec, PolicySpec};
use wayguard_engine::rego::LoadError;

/// Everything that a set is made of.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// Changes whenever a file that was read changes.
    pub(crate) fingerprint: blake3::Hash,
    config: SetConfig,
    library: Arc<Library>,
    policies: Vec<Found<PolicySpec>>,
    exceptions: Vec<Found<PolicyExceptionSpec>>,
    gatekeeper: Vec<Given>,
    observe: bool,
    traced: bool,
    failures: Vec<(String, String, LoadError)>,
}

#[derive(Clone, Debug)]
struct Found<Spec> {
    name: String,
    spec: Spec,
    from: String,
    files: Option<PolicyFiles>,
}

impl Gathered {
    /// Compiles the set. What does not compile is in its `failures()`.
    pub(crate) fn compile(&self) -> PolicySet {
        self.collected().build()
    }

    /// All that was found, ready to be joined by what a cluster has.
    pub(crate) fn collected(&self) -> PolicySetBuilder {
        let mut builder = self.builder();
        for found in &self.policies {
            builder.policy(&found.name, found.spec.clone(), &found.from, found.files.clone());
        }
        for found in &self.exceptions {
            builder.exception(&found.name, found.spec.clone(), &found.from);
        }
        for given in &self.gatekeeper {
            builder.gatekeeper(given.clone());
        }
        if self.observe {
            builder.observing_constraints();
        }
        for (name, from, error) in &self.failures {
            builder.failure(name, from, error.clone());
        }
        builder
    }

    fn builder(&self) -> PolicySetBuilder {
        let mut builder = PolicySetBuilder::new(Arc::clone(&self.library), self.config.clone());
        if self.traced {
            builder.traced();
        }
        builder
    }

    /// The mutating policies of `set` (compiled from this), each as if it wrote into workloads' templates: what
    /// belongs into files, where there is no Pod to write to. `None` if none mutates.
    pub(crate) fn template_form(&self, set: &PolicySet) -> Option<PolicySet> {
        let mutating: BTreeSet<&str> =
            set.policies().filter(|policy| policy.mutates()).map(|policy| policy.name.as_str()).collect();
        let mut builder = self.builder();
        for found in self.policies.iter().filter(|found| mutating.contains(found.name.as_str())) {
            let spec = PolicySpec { mutate: Mutate::Template, ..found.spec.clone() };
            builder.policy(&found.name, spec, &found.from, found.files.clone());
        }
        let has_mutators = set.gatekeeper().mutators().next().is_some();
        let settings = ["mutations.gatekeeper.sh", "config.gatekeeper.sh"];
        for given in self.gatekeeper.iter().filter(|given| settings.contains(&given.group())) {
            builder.gatekeeper(given.clone());
        }
        (!mutating.is_empty() || has_mutators).then(|| builder.build())
    }

    /// Puts what `good` has in the place of policies that failed and are in service; the failures stay on
    /// record. Whether there was any.
    pub(crate) fn keep_good(
        &mut self,
        failures: &[LoadFailure],
        good: &Gathered,
        in_service: &PolicySet,
    ) -> bool {
        let mut any = self.keep_good_objects(failures, good, in_service);
        for failure in failures {
            let name = &failure.policy;
            let serving = in_service.policies().any(|policy| policy.name == *name);
            let known = good.policies.iter().find(|found| found.name == *name).filter(|_| serving);
            // Of two by one name the first is in service anyhow.
            let once = self.policies.iter().filter(|found| found.name == *name).count() < 2;
            let Some(known) = known.filter(|_| once) else { continue };
            any = true;
            self.failures.retain(|(other, ..)| other != name);
            let errors = failure.errors.iter().cloned();
            self.failures.extend(errors.map(|error| (name.clone(), failure.from.clone(), error)));
            self.policies.retain(|found| found.name != *name);
            self.policies.push(known.clone());
        }
        any
    }
}

impl Gathered {
    /// As [`Self::keep_good`], for Gatekeeper's objects: a template that was good keeps its constraints alive.
    fn keep_good_objects(
        &mut self,
        failures: &[LoadFailure],
        good: &Gathered,
        in_service: &PolicySet,
    ) -> bool {
        let broken = |id: &str| failures.iter().any(|failure| failure.policy == id);
        let was_good = |id: &str| !in_service.failures().iter().any(|failure| failure.policy == id);
        let mut any = false;
        for given in &mut self.gatekeeper {
            let id = given.id();
            let known = good.gatekeeper.iter().find(|old| old.id() == id).filter(|_| was_good(&id));
            let Some(known) = known.filter(|_| broken(&id)) else { continue };
            any = true;
            let errors = failures.iter().filter(|failure| failure.policy == id);
            let errors = errors.flat_map(|failure| failure.errors.iter().cloned());
            self.failures.extend(errors.map(|error| (id.clone(), given.from.clone(), error)));
            *given = known.clone();
        }
        any
    }
}

/// Reads all sources.
///
/// # Errors
/// If a source as a whole cannot be read: a name that leads nowhere, a file that is not YAML. A single object
/// that is wrong is left to the set's failures.
pub(crate) fn gather(sources: &Sources) -> Result<Gathered, Failure> {
    let mut gathering = Gathering {
        embedded: &sources.library,
        disk: Disk::default(),
        libraries: Vec::new(),
        policies: Vec::new(),
        exceptions: Vec::new(),
        gatekeeper: Vec::new(),
        failures: Vec::new(),
    };
    for source in &sources.list {
        let library = match source {
            Source::Folder(root) if is_library(root) => Some((root, gathering.disk.library(root, true)?)),
            Source::Archive(path) => Some((path, gathering.disk.archive(path)?)),
            _ => None,
        };
        gathering.libraries.extend(library.map(|(root, library)| (root.clone(), library)));
    }
    for source in &sources.list {
        gathering.source(source)?;
    }
    let pod_security = match &sources.pod_security_config {
        Some(path) => {
            let text = gathering.disk.read(path)?;
            Some(super::pod_security::read(&path.display().to_string(), &text)?)
        }
        None => None,
    };
    if sources.observe {
        for found in &mut gathering.policies {
            found.spec = observed(found.spec.clone());
        }
    }
    Ok(Gathered {
        fingerprint: gathering.disk.fingerprint(),
        config: SetConfig {
            exempt_namespaces: sources.exempt_namespaces.clone(),
            docs_url: sources.docs_url.clone(),
            pod_security,
        },
        library: Arc::clone(&sources.library),
        policies: gathering.policies,
        exceptions: gathering.exceptions,
        gatekeeper: gathering.gatekeeper,
        observe: sources.observe,
        traced: sources.traced,
        failures: gathering.failures,
    })
}

struct Gathering<'s> {
    embedded: &'s Library,
    disk: Disk,
    /// Folders of library layout, and archives: names are looked up in them before the built-in library.
    libraries: Vec<(PathBuf, Library)>,
    policies: Vec<Found<PolicySpec>>,
    exceptions: Vec<Found<PolicyExceptionSpec>>,
    gatekeeper: Vec<Given>,
    failures: Vec<(String, String, LoadError)>,
}

impl Gathering<'_> {
    fn source(&mut self, source: &Source) -> Result<(), Failure> {
        match source {
            Source::Name(name) => self.name(name),
            Source::File(path) => {
                let mut bundles = Vec::new();
                if self.file(path, None, &mut bundles)? {
                    self.lone_file_of_bundles(path, bundles)
                } else {
                    Err(Failure::Invalid(format!(
                        "`{}` holds no Policy, Bundle or PolicyException of `wayguard.io`, and nothing of Gatekeeper's",
                        path.display()
                    )))
                }
            }
            Source::Archive(_) => Ok(()),
            Source::Folder(path) if is_library(path) => Ok(()),
            Source::Folder(path) if path.join("policy.rego").is_file() => self.lone_policy(path),
            Source::Folder(path) => self.folder(path),
        }
    }

    /// A bundle or a policy of a library.
    fn name(&mut self, name: &str) -> Result<(), Failure> {
        let has = |library: &Library| {
            library.bundles().iter().any(|bundle| bundle == name) || library.policy(name).is_some()
        };
        let none = (PathBuf::new(), Library::default());
        let (root, own) = self.libraries.iter().find(|(_, library)| has(library)).unwrap_or(&none);
        let place = |path: &str| root.join(path).display().to_string();
        let chosen = Choice::new(self.embedded, own, &place).named(name);
        let chosen = chosen.ok_or_else(|| unknown(name, self.embedded))?.map_err(Failure::Invalid)?;
        let is_policy = [own, self.embedded].iter().any(|library| library.policy(name).is_some());
        let kind = if is_policy { "policy" } else { "bundle" };
        chosen.into_iter().try_for_each(|chosen| self.member(chosen, format!("{kind} {name}")))
    }

    /// Adds a Policy that a bundle or a name stands for. Two bundles may have the same one.
    fn member(&mut self, chosen: Chosen, from: String) -> Result<(), Failure> {
        let Chosen { name, spec, files } = chosen;
        let bundles = |other: &&Found<PolicySpec>| {
            other.name == name && [&other.from, &from].iter().all(|from| from.starts_with("bundle "))
        };
        match self.policies.iter().find(bundles) {
            Some(other) if other.spec == spec => Ok(()),
            Some(other) => Err(Failure::Invalid(format!(
                "policy `{name}` is one thing in {} and another in {from}; write a Bundle that inherits both and has an entry of its own for it, and name that",
                other.from
            ))),
            None => {
                self.policies.push(Found { name, spec, from, files });
                Ok(())
            }
        }
    }

    /// The bundles of a file or folder; `root`: where their own policies are.
    fn bundles(&mut self, written: &[Written], root: &Path, library: &Library) -> Result<(), Failure> {
        let overlaid = self.embedded.overlaid(library);
        let place = |path: &str| root.join(path).display().to_string();
        for (from, member) in members(written, &overlaid)? {
            let chosen = Choice::new(self.embedded, library, &place).chosen(member.name, member.spec);
            self.member(chosen, from)?;
        }
        Ok(())
    }

    /// Bundles of a file that was named itself may name the policies of its folder.
    fn lone_file_of_bundles(&mut self, path: &Path, written: Vec<Written>) -> Result<(), Failure> {
        if written.is_empty() {
            return Ok(());
        }
        let root = path.parent().filter(|root| !root.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let library = self.disk.library(root, true)?;
        self.bundles(&written, root, &library)
    }

    /// A policy folder without a Policy object.
    fn lone_policy(&mut self, path: &Path) -> Result<(), Failure> {
        let folder = PolicyFolder::read(path, self.embedded, &mut self.disk)?;
        let mut spec = default_spec(&folder.library, &folder.id);
        spec.source.library = None;
        spec.source.path = Some(folder.id.clone());
        let from = path.join("policy.rego").display().to_string();
        self.policies.push(Found { name: object_name(&folder.id), spec, from, files: Some(folder.files()) });
        Ok(())
    }

    /// A folder of Policy objects, policy folders, or both.
    fn folder(&mut self, root: &Path) -> Result<(), Failure> {
        let library = self.disk.library(root, true)?;
        let mut any = false;
        let mut bundles = Vec::new();
        for path in walk(root, &|path| is_manifest(path) && !is_sample(path))? {
            any |= self.file(&path, Some((root, &library)), &mut bundles)?;
        }
        self.bundles(&bundles, root, &library)?;
        if any {
            return Ok(());
        }
        let folders = policy_folders(root)?;
        if folders.is_empty() {
            return Err(Failure::Invalid(format!(
                "`{}` holds neither Policy or Bundle objects, nor Gatekeeper's, nor a `policy.rego`",
                root.display()
            )));
        }
        folders.iter().try_for_each(|path| self.lone_policy(path))
    }

    /// A file of objects; whether it had any of our kinds. `around`: the folder it was found in, whose
    /// policies `source.library` may name. Its bundles are for the caller, who knows the others.
    fn file(
        &mut self,
        path: &Path,
        around: Option<(&Path, &Library)>,
        bundles: &mut Vec<Written>,
    ) -> Result<bool, Failure> {
        let from = path.display().to_string();
        let text = self.disk.read(path)?;
        let found = documents::read(&from, &text).map_err(|error| Failure::Invalid(error.to_string()))?;
        let any = !found.is_empty();
        let none = (Path::new(""), &Library::default());
        let (root, library) = around.unwrap_or(none);
        let place = |path: &str| root.join(path).display().to_string();
        for (name, spec) in found.policies {
            let Chosen { name, spec, mut files } =
                Choice::new(self.embedded, library, &place).chosen(name, spec);
            if files.is_none()
                && let Some(relative) = &spec.source.path
            {
                let folder = path.parent().unwrap_or(Path::new("")).join(relative);
                if !folder.join("policy.rego").is_file() {
                    let message = format!("policy `{name}`: `{}` has no `policy.rego`", folder.display());
                    self.failures.push((name, from.clone(), LoadError::whole(&from, message)));
                    continue;
                }
                files = Some(PolicyFolder::read(&folder, self.embedded, &mut self.disk)?.files());
            }
            self.policies.push(Found { name, spec, from: from.clone(), files });
        }
        for (name, spec) in found.bundles {
            let spec = spec.map_err(|error| Failure::Invalid(error.to_string()))?;
            bundles.push(Written { name, spec, from: from.clone() });
        }
        for (name, spec) in found.exceptions {
            self.exceptions.push(Found { name, spec, from: from.clone(), files: None });
        }
        self.gatekeeper.extend(found.gatekeeper);
        self.failures.extend(found.failures.into_iter().map(|(name, error)| (name, from.clone(), error)));
        Ok(any)
    }
}

/// Files of a folder that hold Bundles and are not in its `bundles/`, where a library has them.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn stray_bundles(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let stray = |path: &Path| {
        let shelved = path.parent().is_some_and(|folder| folder.ends_with("bundles"));
        is_manifest(path) && !is_sample(path) && !shelved
    };
    let mut found = walk(root, &stray)?;
    let mut disk = Disk::default();
    let mut problem = None;
    found.retain(|path| match disk.read(path) {
        // What is no YAML is no Bundle.
        Ok(text) => documents::read("", &text).is_ok_and(|documents| !documents.bundles.is_empty()),
        Err(error) => {
            problem = Some(error);
            false
        }
    });
    problem.map_or(Ok(found), Err)
}

/// Whether a file is a sample of a policy, not a Policy.
fn is_sample(path: &Path) -> bool {
    let samples = path.ancestors().filter(|folder| folder.ends_with("samples"));
    samples.filter_map(Path::parent).any(|folder| folder.join("policy.rego").is_file())
}
