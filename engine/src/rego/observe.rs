//! What can be seen of an evaluation: what `print` was given, which places ran, and the whole story.

use super::place::Place;
use super::trace::{Recorder, Trace};
use std::collections::BTreeSet;

/// Something that `print` was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// Where the call stands.
    pub place: Place,
    /// The operands, with blanks between them.
    pub text: String,
}

/// Collects what an evaluation shows. An evaluation without one pays nothing for it.
#[derive(Debug, Default)]
pub struct Observer {
    /// In order.
    pub prints: Vec<Printed>,
    lines: Option<BTreeSet<(u16, u32)>>,
    pub(super) recorder: Option<Box<Recorder>>,
}

/// The most lines that are kept of what one observer is told.
const MAX_PRINTS: usize = 10_000;

impl Observer {
    /// Keeps what is printed.
    pub fn of_prints() -> Self {
        Self::default()
    }

    /// Keeps what is printed, and which lines ran.
    pub fn of_lines() -> Self {
        Self { lines: Some(BTreeSet::new()), ..Self::default() }
    }

    pub(super) fn of_steps(recorder: Recorder) -> Self {
        Self { recorder: Some(Box::new(recorder)), ..Self::default() }
    }

    /// The story of what was asked, if that was to be told: see [`Program::tracer`](super::Program::tracer).
    pub fn trace(self) -> Option<Trace> {
        self.recorder.map(|recorder| recorder.finish())
    }

    /// The lines that ran, as file number and line.
    pub fn lines(&self) -> impl Iterator<Item = (u16, u32)> + '_ {
        self.lines.iter().flatten().copied()
    }

    pub(super) fn watches_steps(&self) -> bool {
        self.lines.is_some() || self.recorder.is_some()
    }

    pub(super) fn step(&mut self, place: Place) {
        if let Some(lines) = &mut self.lines {
            lines.insert((place.file, place.line));
        }
    }

    pub(super) fn print(&mut self, place: Place, text: String) {
        if self.prints.len() < MAX_PRINTS {
            self.prints.push(Printed { place, text });
        }
    }
}
