//! Policies: what an author writes ([`spec`]), the prose and schema in its Rego ([`metadata`]), lists of them
//! ([`bundle`]), what a name stands for ([`choice`]), the compiled form ([`compiled`]), exceptions, and the immutable set that a replica serves from
//! ([`set`]).

pub mod bundle;
pub mod choice;
pub mod compiled;
pub mod exception;
pub mod library;
pub mod metadata;
pub mod schema;
pub mod set;
pub mod spec;
