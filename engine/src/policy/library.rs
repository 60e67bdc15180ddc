//! The Rego library: the files of `policies/`, embedded in the binary or read from a folder of that layout.

use super::spec::{API_VERSION, PolicySpec};
use crate::rego::Module;
use crate::value::parse_yaml;
use include_dir::{Dir, include_dir};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../policies");

/// Policies by id, shared modules by package, bundles by name.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// Path below `policies/` → text.
    files: BTreeMap<String, String>,
}

impl Library {
    /// The library that is built in.
    pub fn embedded() -> Arc<Self> {
        fn collect(dir: &Dir<'_>, files: &mut BTreeMap<String, String>) {
            for file in dir.files() {
                if let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
                    files.insert(path.to_owned(), text.to_owned());
                }
            }
            dir.dirs().for_each(|dir| collect(dir, files));
        }
        let mut files = BTreeMap::new();
        collect(&EMBEDDED, &mut files);
        Arc::new(Self { files })
    }

    /// A library from files by their path below `policies/`.
    pub fn from_files(files: BTreeMap<String, String>) -> Self {
        Self { files }
    }

    /// This library with the files of another added; the other's win.
    #[must_use]
    pub fn overlaid(&self, other: &Library) -> Self {
        let mut files = self.files.clone();
        files.extend(other.files.clone());
        Self { files }
    }

    /// The files, by path below `policies/`.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// The ids (`category/policy`) of all policies.
    pub fn policy_ids(&self) -> Vec<String> {
        self.files
            .keys()
            .filter_map(|path| path.strip_suffix("/policy.rego"))
            .map(ToOwned::to_owned)
            .collect()
    }

    /// The names of all bundles.
    pub fn bundles(&self) -> Vec<String> {
        let names = self.files.keys().filter_map(|path| path.strip_prefix("bundles/")?.strip_suffix(".yaml"));
        names.map(ToOwned::to_owned).collect()
    }

    /// The Policy objects of a bundle; `None`: there is no such bundle.
    ///
    /// # Errors
    /// If its file is not a list of Policy objects, in words.
    pub fn bundle(&self, name: &str) -> Option<Result<Vec<(String, PolicySpec)>, String>> {
        let path = format!("bundles/{name}.yaml");
        let text = self.files.get(&path)?;
        Some(policies_of(text).map_err(|problem| format!("{path}: {problem}")))
    }

    /// The module of a policy, without what it imports.
    pub fn policy(&self, id: &str) -> Option<Module> {
        self.module(&format!("{id}/policy.rego"))
    }

    fn module(&self, path: &str) -> Option<Module> {
        self.files.get(path).map(|text| Module { path: path.to_owned(), text: text.clone() })
    }

    /// `modules` with the shared modules (`lib/…`) that they import, directly or not.
    #[must_use]
    pub fn with_imports(&self, mut modules: Vec<Module>) -> Vec<Module> {
        let mut known: BTreeSet<String> =
            modules.iter().filter_map(|module| package_of(&module.text)).collect();
        let by_package: BTreeMap<String, &String> = self
            .files
            .iter()
            .filter(|(path, _)| path.starts_with("lib/") && is_module(path))
            .filter_map(|(path, text)| Some((package_of(text)?, path)))
            .collect();
        let mut at = 0;
        while let Some(module) = modules.get(at) {
            at += 1;
            for package in imports_of(&module.text).collect::<Vec<_>>() {
                let Some(path) = by_package.get(&package) else { continue };
                if known.insert(package) {
                    modules.extend(self.module(path));
                }
            }
        }
        modules
    }
}

/// Reads Policy objects from a YAML stream.
fn policies_of(text: &str) -> Result<Vec<(String, PolicySpec)>, String> {
    let bump = bumpalo::Bump::new();
    let documents = parse_yaml(&&bump, text).map_err(|error| error.to_string())?;
    let read = |document: crate::value::YamlDocument<'_>| {
        let object = document.value;
        if (object.str_or_empty("apiVersion"), object.str_or_empty("kind")) != (API_VERSION, "Policy") {
            return Err(format!("line {}: expected a `Policy` of `{API_VERSION}`", document.line));
        }
        let name = object.get("metadata").unwrap_or_default().str_or_empty("name").to_owned();
        let spec = object.get("spec").unwrap_or_default().to_serde();
        let spec = serde_json::from_value(spec).map_err(|error| format!("policy `{name}`: {error}"))?;
        Ok((name, spec))
    };
    documents.into_iter().map(read).collect()
}

/// A Rego file that is no test.
fn is_module(path: &str) -> bool {
    path.strip_suffix(".rego").is_some_and(|stem| !stem.ends_with("_test"))
}

/// The package that a file declares, as a dotted path without `data.`.
pub(crate) fn package_of(text: &str) -> Option<String> {
    text.lines()
        .find_map(|line| line.strip_prefix("package "))
        .map(|rest| rest.split('#').next().unwrap_or_default().trim().to_owned())
}

fn imports_of(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().filter_map(|line| {
        let path = line.trim().strip_prefix("import data.")?;
        path.split_whitespace().next().map(ToOwned::to_owned)
    })
}
