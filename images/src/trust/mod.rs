//! What verification trusts: public keys, and trust roots (certificate authorities, logs, timestamp authorities).
//!
//! The only place, with `verify/`, that knows the library behind it (decision 0013).

pub mod key;
pub mod root;
pub mod text;

pub use key::{KeyProblem, PublicKey};
pub use root::{Instance, RootProblem, TrustRoot, TrustRootSpec};
pub use text::{NoTexts, ObjectKey, TextReference, Texts};
