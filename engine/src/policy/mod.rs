//! Policies: what an author writes ([`spec`]), the prose and schema in its Rego ([`metadata`]), the compiled
//! form ([`compiled`]), exceptions, and the immutable set that a replica serves from ([`set`]).

pub mod compiled;
pub mod exception;
pub mod library;
pub mod metadata;
pub mod schema;
pub mod set;
pub mod spec;
