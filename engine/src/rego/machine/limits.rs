//! What ends an evaluation that would not end: time, steps, memory, depth.

use crate::rego::builtins::{Limit, Meter};
use bumpalo::Bump;
use std::time::{Duration, Instant};

/// How much one evaluation may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock time.
    pub time: Duration,
    /// Steps: members looked at, calls made, and what builtins count of their loops.
    pub steps: u64,
    /// Bytes in the arena, beyond what was there before.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_millis(500), steps: 500_000_000, memory: 256 * 1024 * 1024 }
    }
}

impl Limits {
    /// The default limits with another time.
    pub fn of_time(time: Duration) -> Self {
        Self { time, ..Self::default() }
    }
}

/// Rules and functions that wait for each other, with the iterations between them. Policies nest some ten deep; the
/// native stack of a thread has room for this many.
pub(super) const MAX_DEPTH: u32 = 400;

/// Steps between two looks at the clock: some 10 µs.
const QUANTUM: u32 = 512;

/// The limits of a running evaluation.
pub(super) struct Gauge<'a> {
    limits: Limits,
    arena: &'a Bump,
    /// Bytes that were there before.
    base: usize,
    started: Instant,
    /// Steps until the next look at the clock.
    left: u32,
    spent: u64,
}

impl<'a> Gauge<'a> {
    pub(super) fn new(limits: Limits, arena: &'a Bump) -> Self {
        let (base, started) = (arena.allocated_bytes(), Instant::now());
        Self { limits, arena, base, started, left: QUANTUM, spent: 0 }
    }

    /// Steps and bytes so far.
    pub(super) fn spent(&self) -> (u64, usize) {
        (self.spent.saturating_add(u64::from(QUANTUM.saturating_sub(self.left))), self.used())
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How far it is, for [`Self::back_to`].
    pub(super) fn at(&self) -> (u32, u64) {
        (self.left, self.spent)
    }

    /// The steps since then do not count.
    pub(super) fn back_to(&mut self, (left, spent): (u32, u64)) {
        (self.left, self.spent) = (left, spent);
    }

    /// Counts one step.
    #[inline]
    pub(super) fn tick(&mut self) -> Result<(), Limit> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => self.look(u64::from(QUANTUM)),
        }
    }

    #[cold]
    fn look(&mut self, steps: u64) -> Result<(), Limit> {
        self.left = QUANTUM;
        self.spent = self.spent.saturating_add(steps);
        if self.spent > self.limits.steps {
            return Err(Limit::Steps);
        }
        if self.started.elapsed() >= self.limits.time {
            return Err(Limit::Deadline);
        }
        if self.used() > self.limits.memory {
            return Err(Limit::Memory);
        }
        Ok(())
    }

    fn used(&self) -> usize {
        self.arena.allocated_bytes().saturating_sub(self.base)
    }
}

impl Meter for Gauge<'_> {
    fn spend(&mut self, steps: u64) -> Result<(), Limit> {
        match u32::try_from(steps).ok().and_then(|steps| self.left.checked_sub(steps)) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => self.look(steps),
        }
    }

    fn claim(&mut self, bytes: usize) -> Result<(), Limit> {
        if self.used().saturating_add(bytes) > self.limits.memory { Err(Limit::Memory) } else { Ok(()) }
    }
}
