//! Who may sign which images: as people write it ([`spec`]) and as it is verified by ([`compiled`]).

pub mod compiled;
pub mod identity;
pub mod problem;
pub mod spec;

pub use compiled::{Authority, ImageAuthorities, ImageAuthority, Roots, Who};
pub use identity::Identity;
pub use problem::{AuthorityProblem, Problem};
pub use spec::{AuthoritySpec, IdentitySpec, ImageAuthoritySpec, KeySpec, KeylessSpec, RequireSpec, Wanted};
