//! What has tests: a policy with its unit tests and samples, or a shared module with its unit tests; read once, then
//! run as it is, watched, or with something changed in it.

use super::coverage::Coverage;
use super::report::{Case, Outcome};
use super::samples::{Outdated, Samples};
use super::units::{self, Units};
use crate::exit::Failure;
use crate::policies::{Disk, PolicyFolder};
use std::path::Path;
use wayguard_engine::policy::compiled;
use wayguard_engine::policy::library::Library;
use wayguard_engine::rego::Module;

/// A policy or shared module, with its tests.
pub(super) struct Subject {
    /// The policy's id, or `lib/name`.
    pub(super) id: String,
    pub(super) units: Option<Units>,
    /// Of a policy only.
    pub(super) samples: Option<Samples>,
    /// The module that the tests are for.
    pub(super) own: Option<Module>,
}

impl Subject {
    /// A folder with a `policy.rego`.
    ///
    /// # Errors
    /// If a file of it cannot be read.
    pub(super) fn policy(path: &Path, embedded: &Library) -> Result<Self, Failure> {
        let folder = PolicyFolder::read(path, embedded, &mut Disk::default())?;
        let samples = Samples::read(&folder)?;
        let tests = path.join("policy_test.rego");
        let units = if tests.is_file() {
            let tested = samples.modules().to_vec();
            Some(Units::read(&folder.id, &tests, tested, &folder.library, &folder.root)?)
        } else {
            None
        };
        let own = samples.modules().first().cloned();
        Ok(Self { id: folder.id, units, samples: Some(samples), own })
    }

    /// Tests of shared Rego: with the module of the same name beside them, and what either imports.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(super) fn shared(tests: &Path, embedded: &Library) -> Result<Self, Failure> {
        let folder = tests.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let absolute = folder.canonicalize().map_err(|error| Failure::unreadable(folder, &error))?;
        let category = absolute.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stem = tests.file_name().unwrap_or_default().to_string_lossy().replace("_test.rego", "");
        let parent = absolute.parent().unwrap_or(&absolute);
        // Packages of classes lie a folder deeper than shared Rego: what they import is beside the category.
        let root = absolute.ancestors().skip(1).take(2).find(|it| it.join("lib").is_dir()).unwrap_or(parent);
        let library = embedded.overlaid(&Disk::default().library(root, false)?);
        let file = folder.join(format!("{stem}.rego"));
        let own = if file.is_file() { Some(units::module(&file)?) } else { None };
        let id = format!("{category}/{stem}");
        let units = Units::read(&id, tests, own.clone().into_iter().collect(), &library, root)?;
        Ok(Self { id, units: Some(units), samples: None, own })
    }

    /// Runs all tests; `coverage`: what they come to is added to it.
    pub(super) fn run(&self, mut coverage: Option<&mut Coverage>) -> Vec<Case> {
        let mut cases = Vec::new();
        let marks = coverage.is_some();
        match &self.units {
            Some(units) => match units.compile(marks) {
                Ok(program) => {
                    cases.extend(units.run(&program));
                    if let Some(coverage) = &mut coverage {
                        coverage.add(&program, units.modules());
                    }
                }
                Err(errors) => cases.push(units.unloadable(&errors)),
            },
            None => cases.push(self.missing("policy_test.rego", "the policy has no unit tests")),
        }
        let Some(samples) = &self.samples else { return cases };
        if samples.is_empty() {
            let message = "the policy has no samples in `samples/allowed` or `samples/denied`";
            cases.push(self.missing("samples", message));
            return cases;
        }
        match compiled::compile(samples.modules().to_vec(), marks) {
            Ok(program) => {
                cases.extend(samples.run(&program));
                if let Some(coverage) = &mut coverage {
                    coverage.add(&program, samples.modules());
                }
            }
            Err(errors) => cases.extend(samples.unloadable(&errors)),
        }
        cases
    }

    /// The samples that expect something else than is found.
    pub(super) fn outdated(&self) -> Vec<Outdated> {
        let Some(samples) = &self.samples else { return Vec::new() };
        // What does not load is said by the run that follows.
        compiled::compile(samples.modules().to_vec(), false)
            .map_or_else(|_| Vec::new(), |program| samples.outdated(&program))
    }

    fn missing(&self, name: &str, message: &str) -> Case {
        Case {
            suite: self.id.clone(),
            name: name.to_owned(),
            outcome: Outcome::Failed,
            message: message.to_owned(),
            place: None,
        }
    }
}
