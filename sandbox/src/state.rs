//! The state folder: what is in it, and that it is ours to empty.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::credentials::Login;

/// The file that makes a folder a sandbox's; written first, removed never.
const MARKER: &str = "sandbox.json";

/// What a later process must know to use or stop a sandbox. It holds tokens.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Record {
    pub(crate) port: u16,
    /// PEM.
    pub(crate) ca: String,
    /// The administrator first.
    pub(crate) logins: Vec<Login>,
    pub(crate) kubectl: Option<PathBuf>,
    pub(crate) has_controllers: bool,
    /// Whether the start came to its end.
    pub(crate) ready: bool,
}

/// The folder of one sandbox.
#[derive(Debug, Clone)]
pub(crate) struct StateFolder {
    root: PathBuf,
}

impl StateFolder {
    pub(crate) fn at(root: &Path) -> io::Result<Self> {
        // The control plane is given these paths and has another working folder
        // in mind than whoever comes later to stop it.
        Ok(Self { root: std::path::absolute(root)? })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Whether a sandbox has used this folder.
    pub(crate) fn is_ours(&self) -> bool {
        self.path(MARKER).exists()
    }

    /// Makes the folder, or empties it if a sandbox has used it before.
    ///
    /// # Errors
    /// `AlreadyExists` if it holds something and was never a sandbox's: a
    /// mistyped `--state-dir ~` must not cost anybody their files.
    pub(crate) fn make_empty(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.root)?;
        if !self.is_ours() && std::fs::read_dir(&self.root)?.next().is_some() {
            let text =
                "it is not empty, and no sandbox has used it before; name a folder that does not exist";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        for part in ["etcd", "pki", "logs", "run", "users", "kubectl-cache"] {
            match std::fs::remove_dir_all(self.path(part)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        for part in ["pki", "users"] {
            DirBuilder::new().mode(0o700).create(self.path(part))?;
        }
        Ok(())
    }

    /// Writes a file that only its owner may read.
    pub(crate) fn write(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        let path = self.path(name);
        // The mode counts only for a new file; an old one may have another.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(text.as_bytes())?;
        Ok(path)
    }

    pub(crate) fn write_record(&self, record: &Record) -> io::Result<()> {
        let text = serde_json::to_string_pretty(record)?;
        self.write(MARKER, &text).map(drop)
    }

    /// What the last start wrote.
    pub(crate) fn read_record(&self) -> io::Result<Record> {
        Ok(serde_json::from_str(&std::fs::read_to_string(self.path(MARKER))?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("thesis.tex"), "years").unwrap();
        let error = StateFolder::at(folder.path()).unwrap().make_empty().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert!(error.to_string().contains("no sandbox has used it before"), "{error}");
        assert!(folder.path().join("thesis.tex").exists());
    }

    #[test]
    fn a_used_folder_is_emptied_of_what_was_ours() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::at(folder.path()).unwrap();
        state.make_empty().unwrap();
        state.write(MARKER, "{}").unwrap();
        state.write("pki/ca.crt", "old").unwrap();
        state.write("notes", "kept").unwrap();
        state.make_empty().unwrap();
        assert!(!state.path("pki/ca.crt").exists());
        assert!(state.path("notes").exists());
    }

    #[test]
    fn secrets_are_readable_by_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::at(&folder.path().join("new")).unwrap();
        state.make_empty().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let loose = state.path("kubeconfig");
        std::fs::write(&loose, "").unwrap();
        std::fs::set_permissions(&loose, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(mode(&state.write("kubeconfig", "token").unwrap()), 0o600);
        assert_eq!(mode(state.root()), 0o700);
    }
}
