//! Policy folders: `policy.rego` with what it imports.

use crate::exit::Failure;
use crate::input::walk;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::PolicyFiles;
use wayguard_engine::rego::Module;

/// A folder with a `policy.rego`.
#[derive(Clone, Debug)]
pub(crate) struct PolicyFolder {
    /// `category/policy`, from the names of the folder and its parent.
    pub(crate) id: String,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// The folder that holds the categories, `lib/` and `bundles/`.
    pub(crate) root: PathBuf,
    /// The built-in library, with the root's own files in place of those of the same name.
    pub(crate) library: Library,
}

/// Files read from disk, remembered by a fingerprint.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    hasher: blake3::Hasher,
}

impl Disk {
    /// Reads a text.
    ///
    /// # Errors
    /// If that is not possible.
    pub(crate) fn read(&mut self, path: &Path) -> Result<String, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
        self.remember(path, text.as_bytes());
        Ok(text)
    }

    /// Names everything that was read, contents included.
    pub(crate) fn fingerprint(&self) -> blake3::Hash {
        self.hasher.finalize()
    }

    /// The shared Rego and the bundles of a library folder, and on request its policies, by path below it.
    pub(crate) fn library(&mut self, root: &Path, policies: bool) -> Result<Library, Failure> {
        let bundle =
            |path: &Path| is_yaml(path) && path.parent().is_some_and(|parent| parent.ends_with("bundles"));
        let folders =
            if policies { vec![root.to_owned()] } else { vec![root.join("lib"), root.join("bundles")] };
        self.library_of(root, &folders, &|path| is_module(path) || bundle(path))
    }

    /// All of a library folder but the tests.
    pub(crate) fn library_with_samples(&mut self, root: &Path) -> Result<Library, Failure> {
        self.library_of(root, &[root.to_owned()], &|path| is_module(path) || is_yaml(path))
    }

    /// An archive of a library.
    pub(crate) fn archive(&mut self, path: &Path) -> Result<Library, Failure> {
        let (archive, bytes) = crate::command::ship::read(path)?;
        self.remember(path, &bytes);
        Ok(archive.library)
    }

    fn remember(&mut self, path: &Path, content: &[u8]) {
        for part in [path.as_os_str().as_encoded_bytes(), content] {
            self.hasher.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            self.hasher.update(part);
        }
    }

    fn library_of(
        &mut self,
        root: &Path,
        folders: &[PathBuf],
        wanted: &dyn Fn(&Path) -> bool,
    ) -> Result<Library, Failure> {
        let mut files = BTreeMap::new();
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            for path in walk(folder, &wanted)? {
                let text = self.read(&path)?;
                let below = path.strip_prefix(root).unwrap_or(&path);
                let key: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
                files.insert(key.join("/"), text);
            }
        }
        Ok(Library::from_files(files))
    }
}

fn is_module(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rego") && !is_test(path)
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml")
}

fn is_test(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("_test.rego"))
}

impl PolicyFolder {
    /// Reads a folder that has a `policy.rego`.
    ///
    /// # Errors
    /// If a file of it cannot be read.
    pub(crate) fn read(path: &Path, embedded: &Library, disk: &mut Disk) -> Result<Self, Failure> {
        let absolute = path.canonicalize().map_err(|error| Failure::unreadable(path, &error))?;
        let names: Vec<_> = absolute.iter().rev().take(2).map(|name| name.to_string_lossy()).collect();
        let id = names.iter().rev().map(AsRef::as_ref).collect::<Vec<_>>().join("/");
        let root = root_of(path, &absolute);
        let text = disk.read(&path.join("policy.rego"))?;
        let mut files = BTreeMap::from([(format!("{id}/policy.rego"), text)]);
        for folder in [absolute.parent().unwrap_or(&absolute), &root] {
            files.extend(disk.library(folder, false)?.files().clone());
        }
        Ok(Self { id, path: path.to_owned(), root, library: embedded.overlaid(&Library::from_files(files)) })
    }

    /// Its modules with their imports, named as the files are.
    pub(crate) fn files(&self) -> PolicyFiles {
        let own = self.library.policy(&self.id).into_iter().collect();
        let mut modules = self.library.with_imports(own);
        if let Some(own) = modules.first_mut() {
            own.path = crate::input::shown(&self.path.join("policy.rego"));
        }
        name_as_on_disk(&self.root, modules.get_mut(1..).unwrap_or_default());
        PolicyFiles { id: self.id.clone(), modules, program: None }
    }
}

/// Names modules of a library as their files below its folder are named.
pub(crate) fn name_as_on_disk(root: &Path, modules: &mut [Module]) {
    for module in modules {
        let on_disk = root.join(&module.path);
        if on_disk.is_file() {
            module.path = crate::input::shown(&on_disk);
        }
    }
}

/// The grandparent, by the name that was given where that is possible: it is shown in messages.
fn root_of(path: &Path, absolute: &Path) -> PathBuf {
    let plain =
        path.components().rev().take(2).filter(|it| matches!(it, std::path::Component::Normal(_))).count();
    let grandparent = if plain == 2 { path.ancestors().nth(2) } else { absolute.ancestors().nth(2) };
    match grandparent {
        Some(root) if root.as_os_str().is_empty() => PathBuf::from("."),
        Some(root) => root.to_owned(),
        None => absolute.to_owned(),
    }
}

/// All policy folders at or below a folder, in order.
///
/// # Errors
/// If it cannot be listed.
pub(crate) fn policy_folders(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let files = walk(folder, &|path| path.file_name().is_some_and(|name| name == "policy.rego"))?;
    Ok(files.iter().filter_map(|file| file.parent()).map(Path::to_owned).collect())
}
