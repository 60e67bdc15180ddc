//! GraphQL for policies: documents to trees, schemas checked, queries checked against schemas.
//!
//! ```text
//! text ─► lexer ─► parser ─► tree ─► schema (checked) ─► validation (problems)
//! ```
//! The language is that of <https://spec.graphql.org/October2021/>, with what gqlparser 2.5 (which OPA uses) adds,
//! leaves out and words differently: trees, verdicts and words are its. Nothing here does I/O; what is read is
//! limited in length and nesting, and all work is counted by the [`Host`].

mod lexer;
mod limits;
mod parser;
mod problem;
mod schema;
pub mod tree;
mod validation;

pub use limits::{Exhausted, Host, MAX_LENGTH, MAX_NESTING};
pub use parser::{parse_query, parse_schema};
pub use problem::{Failure, Position, Problem, Source};
pub use schema::Schema;
pub use validation::validate;
