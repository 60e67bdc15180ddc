//! Objects of a cluster, named as kubectl names them.

use crate::exit::Failure;
use crate::input::{Given, TextFile};
use crate::live::Live;
use std::path::PathBuf;

/// `KIND/NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    kind: String,
    name: String,
}

/// Which of the arguments name objects of the cluster, and which files. A file that is there is a file.
pub(super) fn among(arguments: &[PathBuf], has_cluster: bool) -> (Vec<Named>, Vec<PathBuf>) {
    let (mut named, mut paths) = (Vec::new(), Vec::new());
    for argument in arguments {
        match argument.to_str().and_then(read).filter(|_| has_cluster && !argument.exists()) {
            Some(object) => named.push(object),
            None => paths.push(argument.clone()),
        }
    }
    (named, paths)
}

fn read(text: &str) -> Option<Named> {
    let (kind, name) = text.split_once('/')?;
    let is_word = |word: &str| {
        !word.is_empty()
            && word.starts_with(|first: char| first.is_ascii_alphanumeric())
            && word.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | ':'))
    };
    (is_word(kind) && is_word(name)).then(|| Named { kind: kind.to_owned(), name: name.to_owned() })
}

impl Named {
    /// The object as the cluster has it, as if it were a file.
    pub(super) fn fetch(&self, live: &Live, namespace: &str) -> Result<TextFile, Failure> {
        let Self { kind, name } = self;
        let object = live.object(kind, namespace, name)?;
        let text = serde_json::to_string_pretty(&object)
            .map_err(|error| Failure::Ours(format!("`{kind}/{name}` cannot be written as JSON: {error}")))?;
        Ok(TextFile { name: format!("{kind}/{name}"), path: None, text, given: Given::Named })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_told_from_files() {
        let paths: Vec<PathBuf> = ["deploy/web", "./deploy/web", "pod.yaml", "Cargo.toml", "a/b/c", "-"]
            .iter()
            .map(PathBuf::from)
            .collect();
        let (named, rest) = among(&paths, true);
        assert_eq!(named, [Named { kind: "deploy".into(), name: "web".into() }]);
        assert_eq!(rest.len(), 5);
        assert!(among(&paths, false).0.is_empty(), "without a cluster all are files");
    }
}
