//! A certificate that the API server trusts, always.
//!
//! ```text
//!  SelfMade (memory) ─────┐
//!  AuthoritySecret ─► Authority ─issue─► Leaf ──► ServingCertificate ──► server_config ──► rustls
//!   │  next_step, carry_out: the order of a rotation    ▲                     ▲
//!   └► CaBundle ─► webhook configurations               │                     │
//!  CertificateFiles ─► CertificateReloader ─────────────┘      ClientCertificates ◄─ ClientCaReloader
//! ```
//! Three sources, one thing served. *Self-made*: [`SelfMade`] keeps an authority in memory. *In the cluster*: one
//! authority in one Secret ([`AuthoritySecret`]); a leader asks [`next_step`] what to write next and [`carry_out`] for
//! the Secret's new data; each replica signs its own leaf ([`ServingCertificate::renew_from`]). *Mounted*:
//! [`CertificateReloader`] follows files that somebody else renews. There is no Kubernetes client here and no clock:
//! data and time come in, data goes out.

mod authority;
mod bundle;
mod certificate;
mod clients;
mod files;
mod leaf;
mod moment;
mod names;
mod pem_text;
mod rotation;
#[cfg(test)]
mod samples;
mod secret;
mod self_made;
mod serving;
mod tls;
mod watched;

pub use authority::{AUTHORITY_LIFE, Authority, AuthorityError, BACKDATED, LEAF_LIFE, PemPair};
pub use bundle::{BundleError, CaBundle, Distrust};
pub use certificate::{Certificate, CertificateError, Fingerprint, Untimely};
pub use clients::{AllowedClients, ClientCertificates, ClientMode, ClientsError};
pub use files::{CertificateFiles, CertificateReloader, ClientCaReloader};
pub use leaf::{Leaf, LeafError};
pub use names::{NameError, ServingNames};
pub use pem_text::{MAX_PEM_BYTES, PemError, SecretPem};
pub use rotation::{
    LONGEST_PAUSE, LeavesSeen, OVERLAP, Observed, RECHECK, RotationError, SETTLE, Step, carry_out, next_step,
};
pub use secret::{AuthoritySecret, NextAuthority, SecretData, SecretError};
pub use self_made::{SelfMade, SelfMadeError, Tick};
pub use serving::{NotServing, Renewal, RenewalReason, ServingCertificate};
pub use tls::{MinimumTls, TlsError, UnknownTlsVersion, server_config};
pub use watched::{FileEvent, FileProblem, POLL_EVERY};
