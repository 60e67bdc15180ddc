//! What is done at load because its operands are constant.

use super::Compiler;
use super::code::X;
use crate::rego::builtins::{Body, Builtin, Caches, Call, Limit, Meter};
use crate::rego::pattern::Regular;
use crate::value::Value;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

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
        let mut call =
            Call { arena: &arena, now_ns: 0, seed: 0, meter: &mut budget, caches: &mut caches, facts: None };
        let value = builtin.call(&mut call, &args).ok()??;
        Some(value.copy_into(self.arena))
    }

    /// A pattern, compiled at load; one that is no pattern is left to the builtin's own words.
    pub(super) fn regex(pattern: &str) -> Option<Arc<Regular>> {
        let mut known = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regular) = known.get(pattern).and_then(Weak::upgrade) {
            return Some(regular);
        }
        let regular = Arc::new(Regular::new(pattern).ok()?);
        known.retain(|_, regular| regular.strong_count() > 0);
        known.insert(pattern.into(), Arc::downgrade(&regular));
        Some(regular)
    }
}

/// The compiled patterns of all programs: a library's policies share many, and each takes as much memory as a
/// policy.
static SHARED: LazyLock<Mutex<HashMap<Box<str>, Weak<Regular>>>> = LazyLock::new(Mutex::default);
