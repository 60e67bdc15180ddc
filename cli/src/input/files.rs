//! Reading files: a named one, all manifests below a folder, or stdin.

use crate::exit::Failure;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Folders nested deeper than this are a loop of symbolic links.
pub(super) const MAX_DEPTH: usize = 32;

/// How a file came to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// Its name was given.
    Named,
    /// It lies below a folder that was given.
    Found,
    /// It came by stdin.
    Stdin,
}

/// A text with its name.
#[derive(Clone, Debug)]
pub(crate) struct TextFile {
    /// As shown to people.
    pub(crate) name: String,
    /// Where it is; `None` for stdin.
    pub(crate) path: Option<PathBuf>,
    /// What it holds.
    pub(crate) text: String,
    /// How it came to be read.
    pub(crate) given: Given,
}

/// Reads what the arguments name: `-` is stdin, a folder stands for all manifests below it.
///
/// # Errors
/// If a name leads nowhere, or something cannot be read.
pub(crate) fn collect(arguments: &[PathBuf]) -> Result<Vec<TextFile>, Failure> {
    let mut files: Vec<TextFile> = Vec::new();
    for argument in arguments {
        if argument.as_os_str() == "-" {
            files.push(stdin()?);
        } else if argument.is_dir() {
            for path in walk(argument, &is_manifest)? {
                files.push(read(path, Given::Found)?);
            }
        } else {
            files.push(read(argument.clone(), Given::Named)?);
        }
    }
    // A folder and a file in it: the file is judged once.
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|file| file.path.as_ref().is_none_or(|path| seen.insert(path.clone())));
    Ok(files)
}

pub(super) fn stdin() -> Result<TextFile, Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| {
        Failure::Invalid(format!("cannot read stdin: {}", crate::exit::io_reason(&error)))
    })?;
    Ok(TextFile { name: "<stdin>".to_owned(), path: None, text, given: Given::Stdin })
}

pub(super) fn read(path: PathBuf, given: Given) -> Result<TextFile, Failure> {
    let text = std::fs::read_to_string(&path).map_err(|error| Failure::unreadable(&path, &error))?;
    Ok(TextFile { name: shown(&path), path: Some(path), text, given })
}

/// A path as it is shown: what lies in the working folder needs no `./` before it.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    text.strip_prefix("./").map(ToOwned::to_owned).unwrap_or(text)
}

/// Whether a file's name says that it holds YAML or JSON.
pub(crate) fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml" || extension == "json")
}

/// All files below a folder that `wanted` wants, in order of their names. Hidden entries are passed over
/// (`.git`, and the `..data` of a mounted ConfigMap, whose files are linked from beside it).
///
/// # Errors
/// If the folder or one below it cannot be listed.
pub(crate) fn walk(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    descend(folder, wanted, 0, &mut found)?;
    found.sort();
    Ok(found)
}

fn descend(
    folder: &Path,
    wanted: &dyn Fn(&Path) -> bool,
    depth: usize,
    found: &mut Vec<PathBuf>,
) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        return Err(Failure::Invalid(format!(
            "`{}` is nested too deeply; is it a loop of links?",
            folder.display()
        )));
    }
    let unreadable = |error| Failure::unreadable(folder, &error);
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            descend(&path, wanted, depth + 1, found)?;
        } else if wanted(&path) {
            found.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_stands_for_its_manifests_and_a_file_is_read_once() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in
            [("b.yaml", "b"), ("sub/a.yml", "a"), ("x.txt", "x"), (".hidden.yaml", "h"), ("c.json", "c")]
        {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let files = collect(&[folder.path().join("b.yaml"), folder.path().to_owned()]).unwrap();
        let shown: Vec<_> = files.iter().map(|file| (file.text.as_str(), file.given)).collect();
        assert_eq!(shown, [("b", Given::Named), ("c", Given::Found), ("a", Given::Found)]);
    }

    #[test]
    fn a_name_that_leads_nowhere_is_named() {
        let problem = collect(&["no-such.yaml".into()]).unwrap_err();
        assert_eq!(problem.to_string(), "cannot read `no-such.yaml`: no such file or directory");
        assert_eq!(problem.status(), crate::ExitStatus::Invalid);
    }
}
