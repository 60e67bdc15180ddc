//! Coverage for people: each file that lacks something, with the lines themselves.

use super::{Count, Coverage, File, Marked, Spot};
use crate::output::{BAD, GOOD, Output, PLACE, QUIET, STRONG, styled};

impl Coverage {
    /// What is not covered, line by line, and the sum.
    pub(in crate::command::test) fn human(&self, out: &mut Output) {
        out.data(styled(STRONG, "coverage"));
        let (whole, lacking): (Vec<&File>, Vec<&File>) =
            self.files.values().partition(|file| file.lines().not_covered == 0);
        for file in &lacking {
            file.human(out);
        }
        if !whole.is_empty() {
            let files = if whole.len() == 1 { "1 file".to_owned() } else { format!("{} files", whole.len()) };
            out.data(format_args!("  {} {files} covered whole", styled(GOOD, "ok")));
        }
        let lines = self.lines();
        let Count { covered, .. } = lines;
        out.data(format_args!("{} of lines covered ({covered} of {})", percent(lines), lines.all()));
    }
}

impl File {
    fn human(&self, out: &mut Output) {
        let lines = self.lines();
        out.data(format_args!(
            "  {} {} {}",
            styled(BAD, percent(lines)),
            styled(STRONG, &self.name),
            styled(QUIET, format_args!("({} of {} lines)", lines.covered, lines.all()))
        ));
        let texts: Vec<&str> = self.text.lines().collect();
        let width = texts.len().to_string().len();
        let mut shown = 0;
        for spot in self.missed() {
            let line = spot.span.start.line;
            let why = spot.missing();
            out.data(format_args!(
                "    {} {why}",
                styled(PLACE, format_args!("{}:{line}:{}", self.name, spot.span.start.column)),
            ));
            if shown == line {
                continue;
            }
            shown = line;
            let text = texts.get(usize::try_from(line).unwrap_or(0).saturating_sub(1)).unwrap_or(&"");
            let text = text.replace('\t', "    ");
            out.data(format_args!("    {} {text}", styled(QUIET, format_args!("{line:>width$} │"))));
        }
    }
}

impl Spot {
    /// What tests have not shown.
    pub(super) fn missing(&self) -> &'static str {
        match self.what {
            Marked::Head => "no test has this rule hold",
            Marked::Else => "no test comes to this `else`'s value",
            Marked::Default => "no test needs this default",
            Marked::Expression => "no test evaluates this",
        }
    }
}

/// Digits only where there are any.
pub(super) fn percent(count: Count) -> String {
    format!("{} %", count.percent())
}
