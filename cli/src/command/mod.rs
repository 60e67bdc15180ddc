//! One module per command: its options (`Args`) and its work (`run`).

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod control;
pub(crate) mod doc;
pub(crate) mod eval;
pub(crate) mod explain;
pub(crate) mod format;
pub(crate) mod history;
pub(crate) mod image;
pub(crate) mod import;
pub(crate) mod install;
pub(crate) mod lint;
pub(crate) mod new;
pub(crate) mod pause;
pub(crate) mod provision;
pub(crate) mod report;
pub(crate) mod sandbox;
pub(crate) mod serve;
pub(crate) mod ship;
pub(crate) mod test;
pub(crate) mod version;
