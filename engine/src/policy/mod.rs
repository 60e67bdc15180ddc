//! Policies: what an author writes ([`spec`]), the prose and schema in its Rego ([`metadata`]), lists of them
//! ([`bundle`]), the compiled form ([`compiled`]), exceptions, and the immutable set that a replica serves from
//! ([`set`]).

pub mod bundle;
pub mod compiled;
pub mod exception;
pub mod library;
pub mod metadata;
pub mod schema;
pub mod set;
pub mod spec;
