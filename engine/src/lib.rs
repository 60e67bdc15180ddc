//! What do the policies say about this object?
//!
//! A pure function: a [`Request`], a compiled [`PolicySet`] and [`Facts`] in, a [`Decision`] out. No I/O, no
//! clock, no Kubernetes client: what the engine lacks it names ([`Outcome::NeedsFacts`]), the host fetches and
//! asks again. Admission, `wayguard check` and audit call the same [`decide`].
//!
//! ```text
//! bytes ─► value ─► request ─► matching ─► rego (per policy) ─► mutation │ findings × action × exceptions ─► decision
//! ```

mod decide;
pub mod decision;
pub mod expansion;
pub mod facts;
pub mod gatekeeper;
pub mod images;
pub mod lint;
pub mod masking;
pub mod matching;
pub mod policy;
pub mod rego;
pub mod reply;
pub mod request;
pub mod story;
pub mod value;

pub use decide::{Context, Outcome, Stage, decide, decide_at_once, decide_some, explain, settle};
pub use decision::{Decision, Finding, Verdict};
pub use facts::{FactKey, Facts};
pub use policy::set::{PolicySet, PolicySetBuilder};
pub use request::{Origin, Request};
