//! The composition root of Wayguard: one file or folder per command, and what several commands share.
//!
//! ```text
//! args ─► command::{serve, check, test, policy eval …} ─► exit status
//!             │  policies (from --policies to a compiled set)   input (files to objects)
//!             │  knowledge (facts from files)                   judging (questions to the engine)
//!             └► output (stdout: data, stderr: talk)
//! ```

mod annotation;
mod args;
mod authorities;
#[cfg(test)]
mod chart;
mod cluster;
mod command;
mod excerpt;
mod exit;
mod handbook;
mod history;
mod images;
mod input;
mod judging;
mod junit;
mod knowledge;
mod live;
mod logging;
mod metrics;
mod output;
mod parallel;
mod policies;
mod progress;
#[cfg(test)]
mod reference;
mod registries;
mod sarif;
mod suite;
mod trust;
mod whole_file;
mod yaml;

pub use args::main;
pub use exit::ExitStatus;
