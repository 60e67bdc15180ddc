//! What is done at load because its operands are constant.

use super::Compiler;
use super::code::X;
use crate::rego::builtins::{Body, Builtin, Caches, Call, Limit, Meter};
use crate::value::Value;

/// The most that one constant call may cost: no policy makes its loading slow.
const BUDGET: u64 = 10_000;

struct Budget(u64);

impl Meter for Budget {
    fn spend(&mut self, steps: u64) -> Result<(), Limit> {
        self.0 = self.0.checked_sub(steps).ok_or(Limit::Steps)?;
        Ok(())
    }

    fn claim(&mut self, bytes: usize) -> Result<(), Limit> {
        if bytes > 64 * 1024 { Err(Limit::Memory) } else { Ok(()) }
    }
}

impl<'p> Compiler<'_, 'p> {
    /// The value of a call that gives the same whenever it is made.
    pub(super) fn fold(&self, builtin: &'static Builtin, args: &[X<'p>]) -> Option<Value<'p>> {
        if builtin.nondeterministic || !matches!(builtin.body, Body::Function(_)) {
            return None;
        }
        let args: Option<Vec<Value<'p>>> = args.iter().map(X::as_constant).collect();
        let args = args?;
        let arena = bumpalo::Bump::new();
        let mut budget = Budget(BUDGET);
        let mut caches = Caches::default();
        let mut call = Call { arena: &arena, now_ns: 0, seed: 0, meter: &mut budget, caches: &mut caches };
        let value = builtin.call(&mut call, &args).ok()??;
        Some(value.copy_into(self.arena))
    }

    /// A pattern, compiled at load.
    pub(super) fn regex(&self, _pattern: &str) -> Option<regex::Regex> {
        None
    }
}
