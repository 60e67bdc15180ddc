//! The Rego library: the files of `policies/`, embedded in the binary or read from a folder of that layout.

use super::bundle::{self, BundleSpec, Member, Shelf};
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

    /// The Policy objects of a bundle, inherited ones included; `None`: there is no such bundle.
    ///
    /// # Errors
    /// If its file, or that of a bundle which it inherits, is no Bundle, or they cannot be put together, in words.
    pub fn bundle(&self, name: &str) -> Option<Result<Vec<(String, PolicySpec)>, String>> {
        let named = |member: Member| (member.name, member.spec);
        Some(self.members(name)?.map(|members| members.into_iter().map(named).collect()))
    }

    /// The same, with what each policy is and which bundles say something of it.
    ///
    /// # Errors
    /// As [`Self::bundle`].
    pub fn members(&self, name: &str) -> Option<Result<Vec<Member>, String>> {
        self.files.contains_key(&path_of(name)).then(|| bundle::expand(self, name))
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

impl Shelf for Library {
    fn bundle(&self, name: &str) -> Option<Result<BundleSpec, String>> {
        let path = path_of(name);
        let text = self.files.get(&path)?;
        Some(read_bundle(name, text).map_err(|problem| format!("{path}: {problem}")))
    }

    fn bundles(&self) -> Vec<String> {
        Library::bundles(self)
    }

    fn policies(&self) -> Vec<String> {
        self.policy_ids()
    }
}

fn path_of(bundle: &str) -> String {
    format!("bundles/{bundle}.yaml")
}

/// Reads the one Bundle object of a file that is named as the bundle is.
fn read_bundle(name: &str, text: &str) -> Result<BundleSpec, String> {
    let bump = bumpalo::Bump::new();
    let documents = parse_yaml(&&bump, text).map_err(|error| error.to_string())?;
    let [document] = documents.as_slice() else { return Err("a bundle is exactly one object".to_owned()) };
    let object = document.value;
    if (object.str_or_empty("apiVersion"), object.str_or_empty("kind")) != (API_VERSION, "Bundle") {
        return Err(format!("expected a `Bundle` of `{API_VERSION}`"));
    }
    let own = object.get("metadata").unwrap_or_default().str_or_empty("name");
    if own != name {
        return Err(format!("`metadata.name` is `{own}`; a bundle is named as its file, `{name}`"));
    }
    let spec = object.get("spec").unwrap_or_default().to_serde();
    serde_json::from_value(spec).map_err(|error| error.to_string())
}

/// A Rego file that is no test.
fn is_module(path: &str) -> bool {
    path.strip_suffix(".rego").is_some_and(|stem| !stem.ends_with("_test"))
}

/// The package that a file declares, as a dotted path without `data.`.
pub fn package_of(text: &str) -> Option<String> {
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
