//! Asking registries: a trait of what is asked, a client that speaks the OCI distribution specification, and an
//! image layout on disk. Nothing that comes from here is trusted: bytes are checked against the digest that named
//! them, and who vouches for a digest is decided elsewhere.

mod address;
mod challenge;
pub mod credentials;
mod host;
pub mod http;
pub mod layout;
pub mod manifest;
pub mod options;
mod proxy;
mod push;
mod tls;

pub use push::fallback_tag;

use crate::digest::Digest;
use crate::reference::Reference;
use bytes::Bytes;
use manifest::Descriptor;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A boxed future, as `futures::future::BoxFuture`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The largest manifest or index, in bytes. The distribution specification asks registries to take 4 MiB.
pub const LARGEST_MANIFEST: usize = 4 << 20;
/// The largest blob that is fetched (signatures, attestations, scans, image configurations), in bytes.
pub const LARGEST_BLOB: usize = 8 << 20;
/// The most referrers of one image that are looked at; more is an error, for what is beyond might be the signature
/// that matters, or the flood that hides it.
pub const MOST_REFERRERS: usize = 64;

/// A repository in a registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: Arc<str>,
    path: Arc<str>,
}

impl Repository {
    /// The repository that an image is in.
    pub fn of(reference: &Reference) -> Self {
        Self { registry: reference.registry().into(), path: reference.repository().into() }
    }

    /// The registry's host, with its port if it has one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path in it.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.registry, self.path)
    }
}

/// A manifest as it came, with what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The bytes.
    pub bytes: Bytes,
    /// Of the bytes.
    pub digest: Digest,
    /// As the answer's header says; empty where it says nothing.
    pub media_type: String,
}

/// What can be asked for images. `None` in an answer means that it does not exist, which only a registry that says so
/// may claim: that it could not be asked is an error.
pub trait Source: Send + Sync {
    /// A manifest or index by tag or digest; bytes asked by digest have that digest.
    fn manifest<'a>(
        &'a self,
        of: &'a Repository,
        asked: &'a str,
    ) -> BoxFuture<'a, Result<Option<Fetched>, RegistryError>>;

    /// What refers to a manifest (distribution specification, "listing referrers"); `None`: this registry has no
    /// such list, and the tag that stands for it must be asked.
    fn referrers<'a>(
        &'a self,
        of: &'a Repository,
        digest: Digest,
    ) -> BoxFuture<'a, Result<Option<Vec<Descriptor>>, RegistryError>>;

    /// A blob of at most [`LARGEST_BLOB`] bytes, which have the digest asked for.
    fn blob<'a>(
        &'a self,
        of: &'a Repository,
        digest: Digest,
    ) -> BoxFuture<'a, Result<Option<Bytes>, RegistryError>>;
}

/// Why a registry gave no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("registry `{registry}`: {problem}")]
pub struct RegistryError {
    /// Which registry, by its host.
    pub registry: String,
    /// What went wrong.
    pub problem: Problem,
}

/// What went wrong with a registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nobody names this registry.
    #[error("no authority and no allow-list names it, so it is not asked")]
    NotAllowed,
    /// Its address is one that is never dialled.
    #[error("its address {address} is {kind}, which is never asked")]
    Address {
        /// The address.
        address: String,
        /// What that is: `link-local` …
        kind: &'static str,
    },
    /// It did not answer: no connection, no name, a certificate that is not trusted, a connection that was cut.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// 401 or 403.
    #[error("{what} is not for us ({status}): its credentials are missing or do not suffice")]
    Forbidden {
        /// What was asked for.
        what: String,
        /// The status.
        status: u16,
    },
    /// 429 or 5xx, after one more try where it asked for one.
    #[error("it answers {status} for {what}{}", .retry_after.map(|seconds| format!(" and asks to wait {seconds} s")).unwrap_or_default())]
    Busy {
        /// What was asked for.
        what: String,
        /// The status.
        status: u16,
        /// What `Retry-After` says, in seconds.
        retry_after: Option<u64>,
    },
    /// Another status that is no answer.
    #[error("it answers {status} for {what}")]
    Status {
        /// What was asked for.
        what: String,
        /// The status.
        status: u16,
    },
    /// A redirect that is not followed.
    #[error("it redirects {what} to `{to}`, which is not followed: {reason}")]
    Redirect {
        /// What was asked for.
        what: String,
        /// Where to; only scheme and host.
        to: String,
        /// Why not.
        reason: &'static str,
    },
    /// More than is read.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// More than is looked at.
    #[error("{what} has more than {limit} referrers")]
    TooMany {
        /// The image.
        what: String,
        /// The limit.
        limit: usize,
    },
    /// Other bytes than those asked for.
    #[error("what it gives for {expected} has the digest {found}")]
    OtherContent {
        /// The digest asked for.
        expected: Digest,
        /// That of the bytes.
        found: Digest,
    },
    /// Bytes that cannot be read.
    #[error("{what} cannot be read: {reason}")]
    Malformed {
        /// What was asked for.
        what: String,
        /// Why.
        reason: String,
    },
    /// Too late.
    #[error("it did not answer in time")]
    TooLate,
}

impl RegistryError {
    /// An error of a registry.
    pub fn new(registry: &str, problem: Problem) -> Self {
        Self { registry: registry.to_owned(), problem }
    }

    /// Whether another try may go better, so that nothing is concluded from it or kept of it.
    pub fn is_passing(&self) -> bool {
        matches!(self.problem, Problem::Unreachable(_) | Problem::Busy { .. } | Problem::TooLate)
    }
}

/// Checks bytes against the digest that they were asked by.
///
/// # Errors
/// [`Problem::OtherContent`].
pub(crate) fn checked(registry: &str, expected: Digest, bytes: &[u8]) -> Result<(), RegistryError> {
    let found = Digest::of(bytes);
    if found == expected {
        return Ok(());
    }
    Err(RegistryError::new(registry, Problem::OtherContent { expected, found }))
}
