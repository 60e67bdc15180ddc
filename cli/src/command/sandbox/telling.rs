//! What a start tells while it goes on.

use crate::output::Output;
use std::io::IsTerminal as _;
use wayguard_sandbox::Progress;

/// Tells what is going on: on a terminal by a line that changes, else one line a step.
pub(super) struct Telling {
    bar: Option<indicatif::ProgressBar>,
}

impl Telling {
    pub(super) fn new(out: &mut Output) -> Self {
        out.flush();
        let bar = std::io::stderr().is_terminal().then(indicatif::ProgressBar::new_spinner);
        Self { bar }
    }

    pub(super) fn tell(&mut self, progress: &Progress) {
        let Some(bar) = &self.bar else { return };
        let text = match progress {
            Progress::WaitingForBuild => "waiting for another build of the control plane".to_owned(),
            Progress::Downloading { module } => format!("downloading {module}"),
            Progress::Compiling { package, done, total } => format!("compiling {done} of {total}: {package}"),
            Progress::Starting { program } => format!("starting {program}"),
            Progress::NoControllerManager => {
                "no controller manager: Deployments will not become Pods".to_owned()
            }
        };
        bar.set_message(text);
        bar.tick();
    }

    /// A step of ours.
    pub(super) fn say(&self, text: &'static str) {
        let Some(bar) = &self.bar else { return };
        bar.set_message(text);
        bar.tick();
    }

    pub(super) fn done(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
