//! Running tests again when files change: only the suites that a change is about, once the files rest.

use super::Suite;
use crate::exit::Failure;
use crate::input::walk;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

/// How often files are looked at.
const EVERY: Duration = Duration::from_millis(250);

/// The files below some folders, with what changes when they do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen(BTreeMap<PathBuf, (Option<SystemTime>, u64)>);

impl Seen {
    /// Looks at all Rego and YAML of the folders, and of the libraries that they are in.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub(super) fn now(folders: &BTreeSet<PathBuf>) -> Result<Self, Failure> {
        let wanted = |path: &Path| {
            path.extension().is_some_and(|it| it == "rego" || it == "yaml" || it == "yml" || it == "json")
        };
        let mut files = BTreeMap::new();
        for folder in folders {
            for path in walk(folder, &wanted)? {
                // What is gone by now is seen as gone.
                if let Ok(known) = std::fs::metadata(&path) {
                    files.insert(path, (known.modified().ok(), known.len()));
                }
            }
        }
        Ok(Self(files))
    }

    /// The files that came, went or changed.
    fn since(&self, before: &Self) -> BTreeSet<PathBuf> {
        let changed = self.0.iter().filter(|(path, state)| before.0.get(*path) != Some(*state));
        let gone = before.0.keys().filter(|path| !self.0.contains_key(*path));
        changed.map(|(path, _)| path).chain(gone).cloned().collect()
    }

    /// Waits until something has changed, and has not changed any more since the look before.
    ///
    /// # Errors
    /// If a folder cannot be read.
    pub(super) fn changes(&mut self, folders: &BTreeSet<PathBuf>) -> Result<BTreeSet<PathBuf>, Failure> {
        let mut last = self.clone();
        loop {
            sleep(EVERY);
            let next = Self::now(folders)?;
            let changed = next.since(self);
            if !changed.is_empty() && next == last {
                *self = next;
                return Ok(changed);
            }
            last = next;
        }
    }
}

/// The folders to look at: those that were given, and the `lib` and `bundles` of the libraries around them.
pub(super) fn folders(given: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    for path in given {
        let Ok(path) = path.canonicalize() else { continue };
        let path = if path.is_dir() { path } else { path.parent().map(Path::to_owned).unwrap_or(path) };
        for around in path.ancestors().skip(1).take(2) {
            folders.extend(
                ["lib", "bundles"].map(|name| around.join(name)).into_iter().filter(|it| it.is_dir()),
            );
        }
        folders.insert(path);
    }
    // What is within another is looked at with it.
    let all = folders.clone();
    folders.retain(|path| !all.iter().any(|other| other != path && path.starts_with(other)));
    folders
}

/// Whether a suite is to be run again: something changed in its folder, or something that it could import.
pub(super) fn concerns(suite: &Suite, changed: &BTreeSet<PathBuf>) -> bool {
    let Ok(path) = suite.path().canonicalize() else { return true };
    let within = |file: &Path, folder: &str| file.parent().is_some_and(|parent| parent.ends_with(folder));
    changed.iter().any(|file| match suite {
        Suite::Policy(_) if within(file, "lib") => {
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            !stem.ends_with("_test") && imports_any(&path)
        }
        Suite::Policy(_) => file.starts_with(&path) || within(file, "bundles"),
        Suite::Shared(_) => {
            *file == path || (within(file, "lib") && file.extension().is_some_and(|it| it == "rego"))
        }
        Suite::Gatekeeper(_) => path.parent().is_some_and(|folder| file.starts_with(folder)),
    })
}

/// Whether a policy imports shared modules: what it imports may import any other.
fn imports_any(policy: &Path) -> bool {
    let has_import = |name: &str| {
        std::fs::read_to_string(policy.join(name))
            .is_ok_and(|text| text.lines().any(|line| line.trim_start().starts_with("import data.lib.")))
    };
    has_import("policy.rego") || has_import("policy_test.rego")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_told_once_it_rests() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a.rego"), folder.path().join("b.yaml"));
        std::fs::write(&a, "package a\n").unwrap();
        std::fs::write(folder.path().join("c.txt"), "").unwrap();
        let folders = BTreeSet::from([folder.path().to_owned()]);
        let mut seen = Seen::now(&folders).unwrap();
        std::fs::write(&b, "a: 1\n").unwrap();
        std::fs::write(&a, "package other\n").unwrap();
        std::fs::write(folder.path().join("c.txt"), "more").unwrap();
        assert_eq!(seen.changes(&folders).unwrap(), BTreeSet::from([a.clone(), b]));
        std::fs::remove_file(&a).unwrap();
        assert_eq!(seen.changes(&folders).unwrap(), BTreeSet::from([a]));
    }

    #[test]
    fn a_change_is_about_its_own_policy_and_what_imports_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let make = |name: &str, text: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        };
        let one = make("c/one/policy.rego", "package c.one\nimport data.lib.x\n");
        let other = make("c/other/policy.rego", "package c.other\n");
        let lib = make("lib/x.rego", "package lib.x\n");
        let test = make("lib/x_test.rego", "package lib.x_test\n");
        let [one_suite, other_suite] = ["c/one", "c/other"].map(|it| Suite::Policy(root.join(it)));
        let about = |suite: &Suite, file: &PathBuf| concerns(suite, &BTreeSet::from([file.clone()]));
        assert!(about(&one_suite, &one) && !about(&one_suite, &other) && about(&one_suite, &lib));
        assert!(!about(&other_suite, &lib) && !about(&one_suite, &test));
        assert!(about(&Suite::Shared(test.clone()), &lib));
        let watched = folders(&[root.join("c/one")]);
        assert_eq!(watched, BTreeSet::from([root.join("c/one"), root.join("lib")]));
    }
}
