//! The history as a service: batches come in and decisions go out over TLS with certificates on both sides. Here, and
//! not beside the database, because this crate owns the HTTP server.
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/decisions`, a list of decisions | 204 once they are stored, all of them; 503 not now; 422 never |
//! | `POST /v1/states`, a part of the audit's state | the same |
//! | `GET /v1/decisions?id=ID` | the decisions whose id begins so |
//! | `GET /v1/decisions?FILTER` | the decisions that the filter chooses, by its fields' names |

mod client;
mod server;

pub use client::{HistoryClient, TrustedCas};
pub use server::HistoryServer;

/// Where decisions are written and asked for.
const DECISIONS: &str = "/v1/decisions";
/// Where states are written.
const STATES: &str = "/v1/states";
