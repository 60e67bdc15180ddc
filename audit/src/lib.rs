//! What already runs, judged by the policies of today.
//!
//! ```text
//! objects (pages, changes, files) ─► Auditor ─► engine (as at admission) ─► Store: what was judged, by what, what came of it
//! policies, exceptions ─► Edition ──────┘            only what changed          │
//!                                                                             ├─► totals, groups: for people
//!                                                                             └─► reports in the cluster (control)
//! ```
//! Objects are not kept: of each only a hash of what was judged, and its findings, which share their texts.

mod auditor;
pub mod control;

mod edition;
mod hash;
mod note;
pub mod policy_report;
mod scan;
mod shared;
mod store;
mod totals;

pub use auditor::{Auditor, Counts, Host};
pub use edition::Edition;
pub use note::{Note, Outcome, Rule};
pub use scan::{Scanned, scan};
pub use store::{Found, KindName, Subject};
pub use totals::{Example, Group, PolicyTotals, Totals, groups, totals};
