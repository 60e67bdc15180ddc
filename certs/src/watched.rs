//! Files whose content is what counts: read whole, compared by digest, never written.
//!
//! The kubelet swaps a volume by replacing one symlink, so change times and inodes of the path we know say little, and
//! two files that belong together may be read from two sides of a swap. Hence: read all, read all again, and believe
//! only what is twice the same. What cannot be used replaces nothing; it is reported once and tried again each time.

use crate::certificate::Untimely;
use crate::clients::ClientsError;
use crate::leaf::LeafError;
use crate::moment::written;
use crate::pem_text::MAX_PEM_BYTES;
use aws_lc_rs::digest::{Context, SHA256};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// How often files are looked at unless told otherwise: a new certificate is in service within it.
pub const POLL_EVERY: Duration = Duration::from_secs(3);
/// How often the files are read in one check, at most, to read the same twice in a row.
const ATTEMPTS: usize = 3;

/// Why the files' content is not used. Holds no part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// A file is missing, is not a file, or may not be read.
    #[error("`{}` cannot be read: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// A file is longer than 64 KiB.
    #[error("`{}` has more than {MAX_PEM_BYTES} bytes; that much is not a certificate", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// The files changed while they were read.
    #[error("`{}` is being changed while it is read", path.display())]
    Changing {
        /// The first of them.
        path: PathBuf,
    },
    /// Certificate and key cannot serve: broken, half written, or not a pair.
    #[error("`{}` cannot be served: {cause}", path.display())]
    Leaf {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        cause: LeafError,
    },
    /// The certificate is of another time.
    #[error("`{}` cannot be served: {cause}", path.display())]
    Untimely {
        /// The certificate's file.
        path: PathBuf,
        /// Why not now.
        cause: Untimely,
    },
    /// The CA of client certificates cannot be used.
    #[error("`{}` cannot be used: {cause}", path.display())]
    Clients {
        /// The CA's file.
        path: PathBuf,
        /// What is wrong.
        cause: ClientsError,
    },
}

/// What a look at the files led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileEvent {
    /// They hold what is in use.
    Unchanged,
    /// New content is in use.
    Loaded {
        /// When it expires; of several CAs, the first to.
        not_after: SystemTime,
        /// What clients may refuse it for; see [`ServingNames::warnings`](crate::ServingNames::warnings).
        warnings: Vec<String>,
    },
    /// Their content is not used; what was in use still is (nothing, if nothing was).
    Kept {
        /// Why.
        problem: FileProblem,
        /// Whether the check before met the very same problem; it has been logged then.
        repeated: bool,
    },
}

/// New content in use, as the loader reports it.
pub(crate) struct Loaded {
    pub(crate) not_after: SystemTime,
    pub(crate) warnings: Vec<String>,
}

type Content = Zeroizing<Vec<u8>>;
type Digest = [u8; 32];

#[derive(Debug, Default)]
struct Known {
    in_use: Option<Digest>,
    problem: Option<FileProblem>,
}

/// `N` files that belong together.
#[derive(Debug)]
pub(crate) struct WatchedFiles<const N: usize> {
    paths: [PathBuf; N],
    known: Mutex<Known>,
    loaded: AtomicU64,
    failed: AtomicU64,
}

impl<const N: usize> WatchedFiles<N> {
    pub(crate) fn new(paths: [PathBuf; N]) -> Self {
        Self { paths, known: Mutex::default(), loaded: AtomicU64::new(0), failed: AtomicU64::new(0) }
    }

    /// Reads the files and, if their content is not what is in use, hands it to `load`.
    pub(crate) fn check(&self, load: impl FnOnce(&[Content; N]) -> Result<Loaded, FileProblem>) -> FileEvent {
        let mut known = self.known();
        let content = read_twice_the_same(known.in_use, || self.read(), || self.changing());
        let outcome = content
            .and_then(|content| content.map(|(texts, digest)| Ok((digest, load(&texts)?))).transpose());
        match outcome {
            Ok(None) => {
                known.problem = None;
                FileEvent::Unchanged
            }
            Ok(Some((digest, Loaded { not_after, warnings }))) => {
                *known = Known { in_use: Some(digest), problem: None };
                self.loaded.fetch_add(1, Ordering::Relaxed);
                tracing::info!(files = ?self.paths, not_after = written(not_after), "loaded");
                for warning in &warnings {
                    tracing::warn!(files = ?self.paths, "{warning}");
                }
                FileEvent::Loaded { not_after, warnings }
            }
            Err(problem) => {
                let repeated = known.problem.as_ref() == Some(&problem);
                self.failed.fetch_add(1, Ordering::Relaxed);
                if !repeated {
                    tracing::warn!(%problem, kept_last_good = known.in_use.is_some(), "files not loaded");
                }
                known.problem = Some(problem.clone());
                FileEvent::Kept { problem, repeated }
            }
        }
    }

    fn read(&self) -> Result<([Content; N], Digest), FileProblem> {
        let mut contents: [Content; N] = std::array::from_fn(|_| Content::default());
        let mut context = Context::new(&SHA256);
        for (path, content) in self.paths.iter().zip(&mut contents) {
            *content = read_bounded(path)?;
            // The length keeps the border between two files in the digest.
            context.update(&content.len().to_le_bytes());
            context.update(content);
        }
        let mut digest = [0; 32];
        digest.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
        Ok((contents, digest))
    }

    fn changing(&self) -> FileProblem {
        FileProblem::Changing { path: self.paths.first().cloned().unwrap_or_default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // A panic while it was held cannot have left it half written: both fields are set whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the last check met, if it was not well.
    pub(crate) fn problem(&self) -> Option<FileProblem> {
        self.known().problem.clone()
    }

    /// How often new content was taken into use.
    pub(crate) fn loaded(&self) -> u64 {
        self.loaded.load(Ordering::Relaxed)
    }

    /// How many checks ended with a problem, repeated ones included.
    pub(crate) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    pub(crate) fn paths(&self) -> &[PathBuf; N] {
        &self.paths
    }
}

/// Reads until two readings in a row are equal; `None` as soon as one is what is in use.
fn read_twice_the_same<Texts>(
    in_use: Option<Digest>,
    mut read: impl FnMut() -> Result<(Texts, Digest), FileProblem>,
    changing: impl FnOnce() -> FileProblem,
) -> Result<Option<(Texts, Digest)>, FileProblem> {
    let mut before = None;
    for _ in 0..ATTEMPTS {
        let (texts, digest) = read()?;
        if in_use == Some(digest) {
            return Ok(None);
        }
        if before == Some(digest) {
            return Ok(Some((texts, digest)));
        }
        before = Some(digest);
    }
    Err(changing())
}

fn read_bounded(path: &Path) -> Result<Content, FileProblem> {
    let unreadable = |cause: String| FileProblem::Unreadable { path: path.to_owned(), cause };
    // Opening a pipe would wait for a writer, for ever.
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable("it is not a file".to_owned()));
    }
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let most = MAX_PEM_BYTES as u64 + 1;
    // Room for all of it at once: a vector that grows leaves copies of the key behind, which are not wiped.
    let mut content = Zeroizing::new(Vec::with_capacity(MAX_PEM_BYTES + 1));
    file.take(most).read_to_end(&mut content).map_err(|error| unreadable(error.to_string()))?;
    if content.len() > MAX_PEM_BYTES {
        return Err(FileProblem::TooLarge { path: path.to_owned() });
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is believed after these readings, the last one repeated; `None` for what is in use (`0`).
    fn believed(readings: &[u8]) -> Result<Option<u8>, FileProblem> {
        let mut readings = readings.iter().copied();
        read_twice_the_same(
            Some([0; 32]),
            || readings.next().map(|name| (name, [name; 32])).ok_or_else(|| panic!("read too often")),
            || FileProblem::Changing { path: PathBuf::from("tls.crt") },
        )
        .map(|content| content.map(|(name, _)| name))
    }

    #[test]
    fn only_what_is_read_twice_in_a_row_is_believed() {
        assert_eq!(believed(&[0]), Ok(None));
        assert_eq!(believed(&[1, 1]), Ok(Some(1)));
        assert_eq!(believed(&[1, 2, 2]), Ok(Some(2)));
        assert_eq!(believed(&[1, 0]), Ok(None), "a change that was taken back");
        for never_twice in [[1, 2, 3], [1, 2, 1]] {
            let error = believed(&never_twice).unwrap_err();
            assert_eq!(error.to_string(), "`tls.crt` is being changed while it is read");
        }
    }
}
