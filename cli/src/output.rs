//! The only place that writes to the terminal: data on stdout, talk on stderr, colours where they are wanted.

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use std::fmt::Display;
use std::io::{ErrorKind, Write};

/// When text is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always, also into a file or pipe.
    Always,
    /// Never.
    Never,
}

/// A refusal, an error.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// A warning.
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// All is well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// A file, a place.
pub(crate) const PLACE: Style = AnsiColor::Cyan.on_default();
/// A heading.
pub(crate) const STRONG: Style = Style::new().bold();
/// What can be skipped when reading.
pub(crate) const QUIET: Style = Style::new().dimmed();

/// `text` in `style`; the streams strip the style where it is not wanted.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The two streams of a command.
pub(crate) struct Output {
    data: AutoStream<Box<dyn Write>>,
    talk: AutoStream<Box<dyn Write>>,
    problem: Option<std::io::Error>,
}

impl Output {
    /// The process's own stdout and stderr.
    pub(crate) fn of_process(color: Color) -> Self {
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let choice = |automatic| match color {
            Color::Auto => automatic,
            Color::Always => ColorChoice::AlwaysAnsi,
            Color::Never => ColorChoice::Never,
        };
        let (data, talk) = (choice(AutoStream::choice(&out)), choice(AutoStream::choice(&err)));
        Self {
            data: AutoStream::new(Box::new(std::io::BufWriter::new(out)), data),
            talk: AutoStream::new(Box::new(err), talk),
            problem: None,
        }
    }

    /// Writes a line of results.
    pub(crate) fn data(&mut self, line: impl Display) {
        self.write(&format!("{line}\n"));
    }

    /// Writes results as they are.
    pub(crate) fn write(&mut self, text: &str) {
        if self.problem.is_none() {
            self.problem = self.data.write_all(text.as_bytes()).err();
        }
    }

    /// Says something to the person at the terminal. Results that are ready are shown first.
    pub(crate) fn talk(&mut self, line: impl Display) {
        self.flush();
        // Nobody can be told that stderr is closed.
        let _ = writeln!(self.talk, "{line}");
    }

    /// Says what went wrong.
    pub(crate) fn error(&mut self, message: impl Display) {
        self.talk(format_args!("{}: {message}", styled(BAD, "error")));
    }

    /// Says what may surprise.
    pub(crate) fn note(&mut self, message: impl Display) {
        self.talk(format_args!("{}: {message}", styled(WARNING, "note")));
    }

    /// Shows what was written so far.
    pub(crate) fn flush(&mut self) {
        if self.problem.is_none() {
            self.problem = self.data.flush().err();
        }
    }

    /// Whether results could be delivered. A reader that has seen enough (`| head`) is no failure.
    pub(crate) fn finish(mut self) -> Result<(), std::io::Error> {
        self.flush();
        match self.problem {
            Some(problem) if problem.kind() != ErrorKind::BrokenPipe => Err(problem),
            _ => Ok(()),
        }
    }
}
