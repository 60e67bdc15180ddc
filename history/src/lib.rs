//! Decisions and audit states in a database: written in batches, kept within limits, asked.
//!
//! ```text
//! decision ─► Recorder (bounded queue, never waits) ─► Sink ─► Store ─► SQLite, PostgreSQL
//! audit ────► AuditPart ──────────────────────────────────────► Store
//! explain, history, report ◄── Store: decisions by id and filter, trend, findings over time
//! ```
//!
//! Nothing here knows an object's content: what comes in are texts that were masked where they were made.

mod decisions;
mod error;
mod findings;
mod place;
mod record;
mod recorder;
mod retention;
mod schema;
mod states;
mod store;

pub use decisions::DecisionFilter;
pub use error::StoreError;
pub use findings::{FindingFilter, MeanTime, StoredFinding, TrendPoint};
pub use place::{Place, PlaceError};
pub use record::{AuditCount, AuditFinding, AuditPart, Change, DecisionRecord, FindingRecord};
pub use recorder::{Counts, Recorder, RecorderOptions, Reserved, Sink, SinkError};
pub use retention::Retention;
pub use store::Store;
