//! What the comparisons with OPA share.

pub mod oracle;
