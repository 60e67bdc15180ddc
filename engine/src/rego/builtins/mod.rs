//! The functions that Rego offers, each as OPA 1.22 answers it: a family a file, one table for all.
//!
//! The compiler looks names up with [`find`] and keeps the `&'static Builtin`; the machine calls
//! [`Builtin::call`]. Nothing here reads the clock, the network or the environment: what a function needs from
//! outside comes with the [`Call`].

#![allow(clippy::format_push_string, reason = "shorter than writing, and on no path that is hot")]
#![allow(clippy::unnecessary_wraps, reason = "functions of the table have one type")]

mod aggregates;
mod arithmetic;
mod arrays;
mod aws;
mod caches;
mod call;
mod certificates;
mod chance;
pub(super) mod encoding;
pub(super) mod external;
mod graphql;
mod graphs;
mod hashes;
mod json;
mod json_schema;
mod jwt;
mod keys;
#[cfg(test)]
mod laws;
mod machine;
mod net;
mod objects;
mod operand;
mod paths;
pub(super) mod patterns;
#[cfg(test)]
mod probe;
mod refused;
mod replace;
mod requests;
mod semver;
mod sets;
mod signature;
pub(super) mod sprintf;
mod strings;
mod template;
mod times;
mod types;
mod units;
mod uris;
mod yaml;
mod yaml_write;

pub(super) use caches::Caches;
pub(super) use call::{BuiltinError, Call, Limit, Meter};
pub(super) use signature::Type;

use crate::value::Value;
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a call gives: a value, or `None` for undefined.
pub(super) type Outcome<'a> = Result<Option<Value<'a>>, BuiltinError>;

/// A function over ready arguments; it is given as many as it declares.
pub(super) type Function = for<'a> fn(&mut Call<'a, '_>, &[Value<'a>]) -> Outcome<'a>;

/// One function of the language.
#[derive(Debug)]
pub(super) struct Builtin {
    /// Its full name, such as `array.concat`; operators by the name of their function, such as `plus`.
    pub(super) name: &'static str,
    /// What it takes.
    pub(super) arguments: &'static [Type],
    /// What it gives.
    pub(super) result: Type,
    /// What answers it.
    pub(super) body: Body,
    /// Whether two evaluations can answer differently for the same arguments.
    pub(super) nondeterministic: bool,
    /// Whether Rego v1 has it no more (v0 policies may still use it).
    pub(super) deprecated: bool,
}

/// What answers a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body {
    /// A function.
    Function(Function),
    /// A function whose result is the array of all its answers, each of which is one solution (`walk`).
    Relation(Function),
    /// The machine itself: unification, assignment, printing, what concerns rules rather than values.
    Machine,
    /// Nothing: policies that use it are refused, for this reason.
    Refused(&'static str),
}

impl Builtin {
    /// Calls it.
    ///
    /// # Errors
    /// As OPA: wrong operands, impossible values; and when a limit is reached.
    pub(super) fn call<'a>(&self, call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
        match self.body {
            Body::Function(run) | Body::Relation(run) => run(call, arguments),
            Body::Machine => Err(BuiltinError::Failed("not a function of values".into())),
            Body::Refused(reason) => Err(BuiltinError::Failed(reason.into())),
        }
    }
}

/// A deterministic function.
const fn function(name: &'static str, arguments: &'static [Type], result: Type, run: Function) -> Builtin {
    Builtin { name, arguments, result, body: Body::Function(run), nondeterministic: false, deprecated: false }
}

/// A deterministic function that Rego v1 no longer has.
const fn deprecated(name: &'static str, arguments: &'static [Type], result: Type, run: Function) -> Builtin {
    Builtin { name, arguments, result, body: Body::Function(run), nondeterministic: false, deprecated: true }
}

/// What `value[key]` is, in any collection; `None`: nothing.
fn lookup<'a>(value: Value<'a>, key: Value<'a>) -> Option<Value<'a>> {
    match (value, key) {
        (Value::Array(items), Value::Number(index)) => {
            let index = usize::try_from(super::number::int64(index)?).ok()?;
            items.get(index).copied()
        }
        (Value::Set(set), key) => set.find(key),
        _ => value.get_key(key),
    }
}

static TABLES: &[&[Builtin]] = &[
    aggregates::TABLE,
    machine::TABLE,
    arithmetic::TABLE,
    certificates::TABLE,
    yaml::TABLE,
    yaml_write::TABLE,
    hashes::TABLE,
    jwt::TABLE,
    keys::TABLE,
    requests::TABLE,
    aws::TABLE,
    refused::TABLE,
    uris::TABLE,
    times::TABLE,
    paths::TABLE,
    net::TABLE,
    json::TABLE,
    json_schema::TABLE,
    patterns::TABLE,
    encoding::TABLE,
    external::TABLE,
    chance::TABLE,
    units::TABLE,
    strings::TABLE,
    template::TABLE,
    semver::TABLE,
    replace::TABLE,
    graphql::TABLE,
    graphs::TABLE,
    arrays::TABLE,
    objects::TABLE,
    sets::TABLE,
    sprintf::TABLE,
    types::TABLE,
];

static BY_NAME: LazyLock<HashMap<&'static str, &'static Builtin>> =
    LazyLock::new(|| all().map(|builtin| (builtin.name, builtin)).collect());

/// All functions, in no particular order.
pub(super) fn all() -> impl Iterator<Item = &'static Builtin> {
    TABLES.iter().copied().flatten()
}

/// The function of that full name.
pub(super) fn find(name: &str) -> Option<&'static Builtin> {
    BY_NAME.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_in_the_table_once() {
        let names: Vec<_> = all().map(|builtin| builtin.name).collect();
        assert_eq!(names.len(), BY_NAME.len(), "{names:?}");
        assert_eq!(find("count").map(|builtin| builtin.arguments.len()), Some(1));
        assert!(find("no.such").is_none());
    }
}
