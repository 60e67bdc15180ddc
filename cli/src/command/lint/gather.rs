//! What is looked at: the files that were named, their tests, and what they import.

use crate::exit::Failure;
use crate::input::{is_manifest, shown, walk};
use crate::policies::{Disk, PolicyFolder};
use std::collections::BTreeSet;
use std::path::Path;
use wayguard_engine::lint::{Folder, Role, Source};
use wayguard_engine::policy::library::Library;

/// Sources, and which of them were asked for.
pub(super) struct Gathered {
    pub(super) sources: Vec<Source>,
    /// By name.
    pub(super) asked: BTreeSet<String>,
}

/// Reads a file, or all Rego below a folder.
///
/// # Errors
/// If something cannot be read.
pub(super) fn gather(path: &Path) -> Result<Gathered, Failure> {
    let is_rego = |path: &Path| path.extension().is_some_and(|extension| extension == "rego");
    let (mut files, asked) = if path.is_dir() {
        let files = walk(path, &is_rego)?;
        let asked = files.iter().map(|file| shown(file)).collect();
        (files, asked)
    } else {
        (vec![path.to_owned()], BTreeSet::from([shown(path)]))
    };
    if !path.is_dir() && !is_test(path) {
        // What is said of a policy hangs on its tests.
        let tests = path.with_file_name(format!("{}_test.rego", stem(path)));
        files.extend(tests.is_file().then_some(tests));
    }
    let embedded = Library::embedded();
    let mut disk = Disk::default();
    let mut library = embedded.as_ref().clone();
    let mut sources = Vec::new();
    for file in &files {
        let role = if is_test(file) {
            Role::Tests
        } else if stem(file) == "policy" {
            let folder =
                file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let policy = PolicyFolder::read(folder, &embedded, &mut disk)?;
            library = library.overlaid(&policy.library);
            let samples = |verdict: &str| count(&folder.join("samples").join(verdict));
            Role::Policy(Folder { id: policy.id, allowed: samples("allowed")?, denied: samples("denied")? })
        } else {
            Role::Shared
        };
        sources.push(Source { path: shown(file), text: disk.read(file)?, role });
    }
    let read: BTreeSet<String> = sources.iter().map(|source| source.path.replace('\\', "/")).collect();
    let shared =
        library.files().iter().filter(|(path, _)| path.starts_with("lib/") && is_rego(Path::new(path)));
    for (path, text) in shared {
        let there = read.iter().any(|known| known == path || known.ends_with(&format!("/{path}")));
        // A module that was named in another way, such as `fields.rego` in the folder `lib`.
        let named = read.iter().any(|known| sources_package(text, known, &sources));
        if !there && !named {
            sources.push(Source { path: path.clone(), text: text.clone(), role: Role::Known });
        }
    }
    Ok(Gathered { sources, asked })
}

/// Whether a file that was read declares the package of a text.
fn sources_package(text: &str, path: &str, sources: &[Source]) -> bool {
    let package = |text: &str| text.lines().find(|line| line.starts_with("package ")).map(str::to_owned);
    let of = sources.iter().find(|source| source.path == path && source.role != Role::Tests);
    of.is_some_and(|source| package(&source.text) == package(text))
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_test(path: &Path) -> bool {
    stem(path).ends_with("_test")
}

fn count(folder: &Path) -> Result<usize, Failure> {
    if folder.is_dir() { Ok(walk(folder, &is_manifest)?.len()) } else { Ok(0) }
}
