//! Where the control plane's programs come from: `KUBEBUILDER_ASSETS` if set,
//! else a build of our own sources, made once and kept in the user's cache.

use std::path::{Path, PathBuf};

use crate::compile::{self, CompileError};
use crate::options::Progress;

/// What can fail in finding the programs.
#[derive(Debug, thiserror::Error)]
pub enum BinariesError {
    /// `KUBEBUILDER_ASSETS` is set, and the folder lacks a program.
    #[error(
        "KUBEBUILDER_ASSETS is `{folder}`, where there is no `{program}`; name a folder with `etcd` and \
         `kube-apiserver`, or unset it to have both built with Go"
    )]
    IncompleteAssets {
        /// The folder.
        folder: PathBuf,
        /// What it lacks.
        program: &'static str,
    },
    /// They had to be built, and could not be.
    #[error(transparent)]
    Compile(#[from] CompileError),
}

/// Where to look; a value, so that tests need not change the environment.
#[derive(Debug, Clone)]
pub struct Search {
    /// A folder of ready-made programs, which is then the only place looked at.
    pub assets: Option<PathBuf>,
    /// The folder that builds are kept in, and taken from.
    pub cache: PathBuf,
    /// The Go commands to try, in this order: names looked up in `PATH`, or paths.
    pub go: Vec<PathBuf>,
}

impl Search {
    /// As the environment says: `KUBEBUILDER_ASSETS`; `XDG_CACHE_HOME`, else
    /// `~/.cache`, else a folder for temporary files; `go` from `PATH`, else
    /// where go.dev's own packages put it.
    pub fn from_env() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        // The specification has relative paths in XDG_CACHE_HOME ignored.
        let cache = variable("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
            .unwrap_or_else(std::env::temp_dir);
        Self {
            assets: variable("KUBEBUILDER_ASSETS").map(PathBuf::from),
            cache: cache.join("wayguard"),
            go: vec!["go".into(), "/usr/local/go/bin/go".into()],
        }
    }
}

/// Where the programs came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `KUBEBUILDER_ASSETS`.
    Assets,
    /// An earlier build.
    Cache,
    /// Built just now.
    Built,
}

/// The control plane's programs.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// The database.
    pub etcd: PathBuf,
    /// The API server.
    pub kube_apiserver: PathBuf,
    /// What makes Pods of Deployments. Assets made for envtest have none.
    pub kube_controller_manager: Option<PathBuf>,
    /// A kubectl of the API server's release.
    pub kubectl: Option<PathBuf>,
    /// Where they came from.
    pub origin: Origin,
}

impl Binaries {
    /// Finds the programs, or builds them, which takes minutes the first time.
    ///
    /// # Errors
    /// [`BinariesError`], each naming the remedy.
    pub fn find_or_build(search: &Search, progress: &mut dyn FnMut(Progress)) -> Result<Self, BinariesError> {
        if let Some(folder) = &search.assets {
            return Self::in_folder(folder, Origin::Assets);
        }
        let (folder, origin) = compile::find_or_build(&search.cache, &search.go, progress)?;
        Self::in_folder(&folder, origin)
    }

    /// Whether [`Binaries::find_or_build`] would have to build.
    pub fn need_build(search: &Search) -> bool {
        search.assets.is_none() && !compile::is_built(&search.cache)
    }

    fn in_folder(folder: &Path, origin: Origin) -> Result<Self, BinariesError> {
        let find = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
        let require = |program: &'static str| {
            find(program)
                .ok_or_else(|| BinariesError::IncompleteAssets { folder: folder.to_owned(), program })
        };
        Ok(Self {
            etcd: require("etcd")?,
            kube_apiserver: require("kube-apiserver")?,
            kube_controller_manager: find("kube-controller-manager"),
            kubectl: find("kubectl"),
            origin,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(assets: Option<&Path>, cache: &Path) -> Search {
        Search { assets: assets.map(Path::to_owned), cache: cache.to_owned(), go: vec!["/no/such/go".into()] }
    }

    #[test]
    fn assets_are_taken_first_and_may_lack_the_controller_manager() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["etcd", "kube-apiserver"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found =
            Binaries::find_or_build(&search(Some(folder.path()), folder.path()), &mut |_| {}).unwrap();
        assert_eq!(found.origin, Origin::Assets);
        assert_eq!(found.etcd, folder.path().join("etcd"));
        assert_eq!(found.kube_controller_manager, None);
    }

    #[test]
    fn assets_that_lack_the_api_server_are_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("etcd"), "").unwrap();
        let error =
            Binaries::find_or_build(&search(Some(folder.path()), folder.path()), &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains("there is no `kube-apiserver`"), "{error}");
    }

    #[test]
    fn without_go_the_error_names_every_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let search = search(None, folder.path());
        assert!(Binaries::need_build(&search));
        let error = Binaries::find_or_build(&search, &mut |_| {}).unwrap_err().to_string();
        for remedy in ["Go 1.26", "https://go.dev/dl", "KUBEBUILDER_ASSETS", "KUBECONFIG"] {
            assert!(error.contains(remedy), "{remedy} is not in: {error}");
        }
    }
}
