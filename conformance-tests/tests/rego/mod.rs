//! What the comparisons of our engine with OPA share.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod answer;
pub mod cases;
pub mod corpus;
pub mod dice;
pub mod generator;
pub mod mutate;
pub mod oracle;
pub mod ours;
pub mod question;
pub mod report;
pub mod shrink;

/// A number that a long run sets by a variable of the environment.
pub fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}
