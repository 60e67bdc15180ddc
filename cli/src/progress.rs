//! A progress bar for work that takes longer than a second, on a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// What is quicker than this needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Counts steps; shows itself on stderr once the work has taken a second.
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    shown: bool,
}

impl Progress {
    /// For `total` steps of what `verb` names, such as `checking`.
    pub(crate) fn new(verb: &'static str, total: usize) -> Self {
        let bar = ProgressBar::with_draw_target(u64::try_from(total).ok(), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(verb);
        Self { bar, started: Instant::now(), shown: false }
    }

    /// The next step begins; it is about this.
    pub(crate) fn step(&mut self, about: &str) {
        self.show();
        if self.shown {
            self.bar.set_message(about.to_owned());
        }
        self.bar.inc(1);
    }

    /// So many steps are done, of as many as are known of now; they are about this.
    pub(crate) fn at(&mut self, done: u64, total: u64, about: &str) {
        self.show();
        if self.shown {
            self.bar.set_message(about.to_owned());
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    fn show(&mut self) {
        if !self.shown && self.started.elapsed() > PATIENCE && std::io::stderr().is_terminal() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.shown = true;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
