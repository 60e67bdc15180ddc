//! An OCI image layout on disk (`image-layout.md`) in the place of a registry: for machines without one, and for
//! checks that must not depend on the network. Written by `oras copy --to-oci-layout`, `skopeo copy … oci:`,
//! `crane pull --format oci`, `cosign save`.

use super::manifest::{Content, Descriptor, Index};
use super::{
    BoxFuture, Fetched, LARGEST_BLOB, LARGEST_MANIFEST, MOST_REFERRERS, Problem, RegistryError, Repository,
    Source, checked,
};
use crate::digest::Digest;
use bytes::Bytes;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// What a descriptor of the index is called (`annotations.md`).
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The same, as containerd writes it: a whole reference.
const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// The same, as `cosign save` writes it, and what the descriptor is to the image.
const COSIGN_NAME: &str = "dev.cosignproject.cosign/imageRef";
const COSIGN_KIND: &str = "kind";

/// A folder with `index.json` and `blobs/`; see [`Source`].
#[derive(Clone, Debug)]
pub struct Layout {
    folder: PathBuf,
    index: Index,
}

impl Layout {
    /// Opens a folder.
    ///
    /// # Errors
    /// If it is no image layout.
    pub fn open(folder: &Path) -> Result<Self, RegistryError> {
        let path = folder.join("index.json");
        let error = |problem| RegistryError::new(&folder.display().to_string(), problem);
        let bytes = read(&path, LARGEST_MANIFEST, "`index.json`").map_err(error)?;
        let missing = || Problem::Malformed {
            what: "it".to_owned(),
            reason: "an image layout has an `index.json`, which is not there".to_owned(),
        };
        let bytes = bytes.ok_or_else(missing).map_err(error)?;
        let index = serde_json::from_slice(&bytes).map_err(|problem| {
            error(Problem::Malformed { what: "`index.json`".to_owned(), reason: problem.to_string() })
        })?;
        Ok(Self { folder: folder.to_owned(), index })
    }

    fn error(&self, problem: Problem) -> RegistryError {
        RegistryError::new(&self.folder.display().to_string(), problem)
    }

    fn bytes(&self, digest: Digest, limit: usize) -> Result<Option<Bytes>, RegistryError> {
        let path = self.folder.join("blobs").join("sha256").join(digest.hex());
        let Some(bytes) =
            read(&path, limit, &format!("`{digest}`")).map_err(|problem| self.error(problem))?
        else {
            return Ok(None);
        };
        checked(&self.folder.display().to_string(), digest, &bytes)?;
        Ok(Some(bytes))
    }

    /// The descriptor of a tag in a repository: of that whole name, or of the tag alone where a layout of one image
    /// says no more.
    fn tagged(&self, of: &Repository, tag: &str) -> Option<&Descriptor> {
        let whole = format!("{of}:{tag}");
        let short =
            whole.strip_prefix("docker.io/library/").or(whole.strip_prefix("docker.io/")).unwrap_or(&whole);
        let named = |descriptor: &&Descriptor, name: &str| {
            [CONTAINERD_NAME, COSIGN_NAME, REF_NAME]
                .iter()
                .filter_map(|key| descriptor.annotations.get(*key))
                .any(|known| known == name)
        };
        let is_image = |descriptor: &&Descriptor| {
            descriptor
                .annotations
                .get(COSIGN_KIND)
                .is_none_or(|kind| kind.ends_with("/image") || kind.ends_with("/imageIndex"))
        };
        let images = || self.index.manifests.iter().filter(is_image);
        images().find(|each| named(each, &whole) || named(each, short)).or_else(|| {
            images().find(|each| each.annotations.get(REF_NAME).is_some_and(|known| known == tag))
        })
    }

    /// The manifest under a tag `sha256-<hex>.sig` or `.att`; `cosign save` has no such tags, and says what kind it is.
    fn signature_tag(&self, tag: &str) -> Option<&Descriptor> {
        let kind = match tag.rsplit_once('.')? {
            (_, "sig") => "/sigs",
            (_, "att") => "/atts",
            _ => return None,
        };
        self.index
            .manifests
            .iter()
            .find(|each| each.annotations.get(COSIGN_KIND).is_some_and(|known| known.ends_with(kind)))
    }

    fn find(&self, of: &Repository, asked: &str) -> Result<Option<Fetched>, RegistryError> {
        let digest = match asked.parse() {
            Ok(digest) => digest,
            Err(_) => match self.tagged(of, asked).or_else(|| self.signature_tag(asked)) {
                Some(descriptor) => descriptor.digest,
                None => return Ok(None),
            },
        };
        let bytes = self.bytes(digest, LARGEST_MANIFEST)?;
        Ok(bytes.map(|bytes| Fetched { bytes, digest, media_type: String::new() }))
    }

    fn referring(&self, digest: Digest) -> Result<Vec<Descriptor>, RegistryError> {
        let mut found = Vec::new();
        for descriptor in &self.index.manifests {
            let Some(bytes) = self.bytes(descriptor.digest, LARGEST_MANIFEST)? else { continue };
            let Ok(Content::Image(manifest)) = Content::read(&bytes) else { continue };
            if manifest.subject.is_some_and(|subject| subject.digest == digest) {
                found.push(descriptor.clone());
            }
            if found.len() > MOST_REFERRERS {
                return Err(
                    self.error(Problem::TooMany { what: format!("`{digest}`"), limit: MOST_REFERRERS })
                );
            }
        }
        Ok(found)
    }
}

/// A file's bytes, if it is there.
fn read(path: &Path, limit: usize, what: &str) -> Result<Option<Bytes>, Problem> {
    let malformed =
        |error: std::io::Error| Problem::Malformed { what: what.to_owned(), reason: error.to_string() };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(malformed(error)),
    };
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(malformed)?;
    if bytes.len() > limit {
        return Err(Problem::TooLarge { what: what.to_owned(), limit });
    }
    Ok(Some(bytes.into()))
}

impl Source for Layout {
    fn manifest<'a>(
        &'a self,
        of: &'a Repository,
        asked: &'a str,
    ) -> BoxFuture<'a, Result<Option<Fetched>, RegistryError>> {
        Box::pin(std::future::ready(self.find(of, asked)))
    }

    fn referrers<'a>(
        &'a self,
        _: &'a Repository,
        digest: Digest,
    ) -> BoxFuture<'a, Result<Option<Vec<Descriptor>>, RegistryError>> {
        Box::pin(std::future::ready(self.referring(digest).map(Some)))
    }

    fn blob<'a>(
        &'a self,
        _: &'a Repository,
        digest: Digest,
    ) -> BoxFuture<'a, Result<Option<Bytes>, RegistryError>> {
        Box::pin(std::future::ready(self.bytes(digest, LARGEST_BLOB)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::manifest::{EMPTY, IMAGE, Manifest};
    use std::collections::BTreeMap;

    fn described(folder: &Path, bytes: &[u8], media_type: &str, name: Option<&str>) -> Descriptor {
        let digest = Digest::of(bytes);
        std::fs::write(folder.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        Descriptor {
            media_type: media_type.into(),
            digest,
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: name.map(|name| (REF_NAME.to_owned(), name.to_owned())).into_iter().collect(),
            platform: None,
        }
    }

    /// A layout with one image, tagged `v1`, and one manifest that refers to it.
    fn made() -> (tempfile::TempDir, Descriptor, Descriptor) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("blobs/sha256")).unwrap();
        let config = described(folder.path(), b"{}", EMPTY, None);
        let manifest = |subject| Manifest {
            schema_version: 2,
            media_type: Some(IMAGE.into()),
            artifact_type: None,
            config: config.clone(),
            layers: vec![],
            subject,
            annotations: BTreeMap::new(),
        };
        let bytes = serde_json::to_vec(&manifest(None)).unwrap();
        let image = described(folder.path(), &bytes, IMAGE, Some("v1"));
        let bytes = serde_json::to_vec(&manifest(Some(image.clone()))).unwrap();
        let referrer = described(folder.path(), &bytes, IMAGE, None);
        let index =
            Index { schema_version: 2, media_type: None, manifests: vec![image.clone(), referrer.clone()] };
        std::fs::write(folder.path().join("index.json"), serde_json::to_vec(&index).unwrap()).unwrap();
        (folder, image, referrer)
    }

    fn repository() -> Repository {
        Repository::of(&"ghcr.io/team/app:v1".parse().unwrap())
    }

    #[test]
    fn images_are_found_by_tag_and_by_digest_and_what_refers_to_them_too() {
        let (folder, image, referrer) = made();
        let layout = Layout::open(folder.path()).unwrap();
        assert_eq!(layout.find(&repository(), "v1").unwrap().unwrap().digest, image.digest);
        assert_eq!(
            layout.find(&repository(), &image.digest.to_string()).unwrap().unwrap().digest,
            image.digest
        );
        assert_eq!(layout.find(&repository(), "v2").unwrap(), None);
        assert_eq!(layout.referring(image.digest).unwrap(), [referrer]);
        assert_eq!(layout.referring(Digest::of(b"another")).unwrap(), []);
    }

    #[test]
    fn bytes_that_were_changed_are_noticed() {
        let (folder, image, _) = made();
        std::fs::write(folder.path().join("blobs/sha256").join(image.digest.hex()), b"{\"other\":1}")
            .unwrap();
        let error = Layout::open(folder.path()).unwrap().find(&repository(), "v1").unwrap_err();
        assert!(matches!(error.problem, Problem::OtherContent { .. }), "{error}");
    }

    #[test]
    fn a_folder_that_is_no_layout_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let error = Layout::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("an image layout has an `index.json`"), "{error}");
        std::fs::write(folder.path().join("index.json"), "[").unwrap();
        assert!(Layout::open(folder.path()).unwrap_err().to_string().contains("`index.json` cannot be read"));
    }
}
