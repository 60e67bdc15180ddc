//! The archive: a gzipped tar with `.manifest` and the files of a library (design §3). The same files give the same
//! bytes, whoever packs them and when.

use crate::manifest::Manifest;
use bytes::Bytes;
use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use tar::{EntryType, Header};
use wayguard_engine::policy::library::Library;

/// The largest archive, in bytes as it is shipped: what one blob of a registry may be.
pub const LARGEST: usize = wayguard_images::registry::LARGEST_BLOB;
/// The most that it may hold, in bytes: a small file can unpack to a large one.
pub const LARGEST_UNPACKED: u64 = 64 << 20;
/// The most files that it may hold.
pub const MOST_FILES: usize = 10_000;

const MANIFEST: &str = ".manifest";

/// A bundle of policies.
#[derive(Clone, Debug)]
pub struct Archive {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its policies, what they share, and its Bundle objects.
    pub library: Library,
}

/// Why bytes are no bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotABundle {
    /// Neither gzip nor tar.
    #[error("it is no gzipped tar: {0}")]
    Format(String),
    /// More than is unpacked.
    #[error("it holds more than {LARGEST_UNPACKED} bytes")]
    TooLarge,
    /// More files than are unpacked.
    #[error("it holds more than {MOST_FILES} files")]
    TooMany,
    /// A path that leads out of it, or is none.
    #[error("`{0}` is no path within it")]
    Path(String),
    /// Neither file nor folder.
    #[error("`{0}` is neither a file nor a folder; links are not followed")]
    Kind(String),
    /// Twice.
    #[error("`{0}` is in it twice")]
    Twice(String),
    /// Not UTF-8.
    #[error("`{0}` is no text")]
    Text(String),
    /// No manifest, or none that can be read.
    #[error("its `.manifest` {0}")]
    Manifest(String),
}

impl Archive {
    /// The bytes of the archive.
    ///
    /// # Errors
    /// If a path does not fit into a tar.
    pub fn pack(&self) -> io::Result<Bytes> {
        // No name and no time in the head: they would differ where the content does not.
        let compressed =
            GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
        let mut tar = tar::Builder::new(compressed);
        let manifest = serde_json::to_vec_pretty(&self.manifest)?;
        append(&mut tar, MANIFEST, &manifest)?;
        for (path, text) in self.library.files() {
            append(&mut tar, path, text.as_bytes())?;
        }
        Ok(tar.into_inner()?.finish()?.into())
    }

    /// Reads an archive; nothing is written anywhere.
    ///
    /// # Errors
    /// If it is no bundle, or more than is taken.
    pub fn unpack(bytes: &[u8]) -> Result<Self, NotABundle> {
        let format = |error: io::Error| NotABundle::Format(error.to_string());
        let mut budget = Budget(LARGEST_UNPACKED);
        let mut tar = tar::Archive::new(GzDecoder::new(bytes).take(LARGEST_UNPACKED * 2));
        let mut files = BTreeMap::new();
        let mut manifest = None;
        for entry in tar.entries().map_err(format)? {
            let mut entry = entry.map_err(format)?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            match entry.header().entry_type() {
                EntryType::Directory | EntryType::XGlobalHeader => continue,
                EntryType::Regular => {}
                _ => return Err(NotABundle::Kind(path)),
            }
            let path = within(&path).ok_or(NotABundle::Path(path))?;
            budget.take(entry.size())?;
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(format)?;
            if path == MANIFEST {
                manifest = Some(content);
                continue;
            }
            let text = String::from_utf8(content).map_err(|_| NotABundle::Text(path.clone()))?;
            if files.insert(path.clone(), text).is_some() {
                return Err(NotABundle::Twice(path));
            }
            if files.len() > MOST_FILES {
                return Err(NotABundle::TooMany);
            }
        }
        let manifest = manifest.ok_or_else(|| NotABundle::Manifest("is not there".to_owned()))?;
        let manifest = serde_json::from_slice(&manifest);
        let manifest = manifest.map_err(|error| NotABundle::Manifest(format!("cannot be read: {error}")))?;
        Ok(Self { manifest, library: Library::from_files(files) })
    }
}

struct Budget(u64);

impl Budget {
    fn take(&mut self, size: u64) -> Result<(), NotABundle> {
        self.0 = self.0.checked_sub(size).ok_or(NotABundle::TooLarge)?;
        Ok(())
    }
}

fn append<W: Write>(tar: &mut tar::Builder<W>, path: &str, content: &[u8]) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_data(&mut header, path, content)
}

/// A path of names alone, without what `opa build` and `tar` put before it.
fn within(path: &str) -> Option<String> {
    let bare = path.strip_prefix("./").unwrap_or(path);
    let bare = bare.strip_prefix('/').unwrap_or(bare);
    let good = |name: &str| !matches!(name, "" | "." | "..") && !name.contains(['\\', '\0']);
    bare.split('/').all(good).then(|| bare.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use semver::Version;

    fn library() -> Library {
        Library::from_files(BTreeMap::from([
            ("shop/no-team-zero/policy.rego".to_owned(), "package shop.no_team_zero\n".to_owned()),
            ("lib/team.rego".to_owned(), "package lib.team\n".to_owned()),
            ("bundles/shop.yaml".to_owned(), "kind: Bundle\n".to_owned()),
        ]))
    }

    fn archive() -> Archive {
        let library = library();
        Archive { manifest: Manifest::of("acme", &Version::new(1, 2, 3), &library), library }
    }

    fn tarred(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzBuilder::new().write(Vec::new(), Compression::fast()));
        for (path, kind, content) in entries {
            let mut header = Header::new_gnu();
            // As an attacker writes it: the library would refuse such a path.
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_cksum();
            tar.append(&header, *content).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn a_bundle_reads_what_it_wrote_and_writes_the_same_again() {
        let bytes = archive().pack().unwrap();
        assert_eq!(bytes, archive().pack().unwrap());
        let read = Archive::unpack(&bytes).unwrap();
        assert_eq!(read.library.files(), library().files());
        assert_eq!(read.manifest, archive().manifest);
        assert_eq!(read.pack().unwrap(), bytes);
        let roots = read.manifest.roots.unwrap();
        assert_eq!(roots.iter().map(String::as_str).collect::<Vec<_>>(), ["lib", "shop"]);
        let about = read.manifest.metadata.wayguard.unwrap();
        assert_eq!((about.policies, about.bundles), (vec!["shop/no-team-zero".into()], vec!["shop".into()]));
    }

    #[test]
    fn what_opa_builds_is_read_too() {
        let manifest = br#"{"revision":"","roots":[""],"rego_version":1}"#;
        let bytes = tarred(&[
            ("/data.json", EntryType::Regular, b"{}"),
            ("/shop/policy.rego", EntryType::Regular, b"package shop\n"),
            ("/.manifest", EntryType::Regular, manifest),
        ]);
        let read = Archive::unpack(&bytes).unwrap();
        assert!(read.library.files().contains_key("shop/policy.rego"));
        assert!(read.manifest.metadata.wayguard.is_none());
    }

    #[test]
    fn what_is_no_bundle_is_refused() {
        let regular = EntryType::Regular;
        let manifest: (&str, EntryType, &[u8]) = (".manifest", regular, b"{}");
        let cases: [(Vec<u8>, &str); 8] = [
            (b"plain text".to_vec(), "it is no gzipped tar"),
            (
                tarred(&[("../../etc/passwd", regular, b"x"), manifest]),
                "`../../etc/passwd` is no path within it",
            ),
            (tarred(&[("a//b", regular, b"x"), manifest]), "`a//b` is no path within it"),
            (tarred(&[("link", EntryType::Symlink, b""), manifest]), "`link` is neither a file nor a folder"),
            (tarred(&[("link", EntryType::Link, b""), manifest]), "`link` is neither a file nor a folder"),
            (tarred(&[("a", regular, b"x"), ("./a", regular, b"y"), manifest]), "`a` is in it twice"),
            (tarred(&[("a", regular, b"\xff"), manifest]), "`a` is no text"),
            (tarred(&[("a", regular, b"x")]), "its `.manifest` is not there"),
        ];
        for (bytes, expected) in cases {
            let error = Archive::unpack(&bytes).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
        let cut = archive().pack().unwrap();
        assert!(Archive::unpack(&cut[..cut.len() / 2]).is_err());
    }

    #[test]
    fn a_small_file_does_not_unpack_to_a_large_one() {
        let zeros = vec![b' '; 33 << 20];
        let bytes = tarred(&[
            ("a", EntryType::Regular, &zeros),
            ("b", EntryType::Regular, &zeros),
            (".manifest", EntryType::Regular, b"{}"),
        ]);
        assert!(bytes.len() < 1 << 20);
        assert_eq!(Archive::unpack(&bytes).unwrap_err(), NotABundle::TooLarge);
    }
}
