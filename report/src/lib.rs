//! What an audit found, for people and auditors.
//!
//! ```text
//! audit's results ─┐
//! what was not judged ─┼─► Report (plain data, the same from the same input) ─► html, csv, json
//! earlier reports ─┘            └─► recount: do its totals say what its findings say?
//! ```
//! Nothing here asks a cluster, a clock or a file. SARIF and JUnit are views that `wayguard check` has as well, and are
//! made where it makes them.

mod assemble;
mod change;
mod compliance;
mod csv;
mod frameworks;
mod groups;
mod html;
mod model;
mod recount;

pub use assemble::{Given, Offered, assemble};
pub use change::{Past, PastProblem, Told};
pub use csv::csv;
pub use html::{LISTED, html};
pub use model::{
    About, Baseline, Change, Cluster, Control, Counts, Coverage, Exception, Finding, Framework, Gap, Groups,
    Image, NamespaceGap, ObjectName, Point, Policy, Repairs, Report, Row, SCHEMA, Scope, Status, Test,
    Totals, Violator,
};
pub use recount::{Difference, recount};
