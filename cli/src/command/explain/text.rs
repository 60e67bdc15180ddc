//! Lines of a story: how far they are indented, and where they are broken.

use crate::output::Output;
use anstyle::Style;

/// Lines are not longer than this, if words allow it.
const WIDTH: usize = 100;

/// Writes lines at a depth.
pub(super) struct Page<'o> {
    out: &'o mut Output,
}

impl<'o> Page<'o> {
    pub(super) fn new(out: &'o mut Output) -> Self {
        Self { out }
    }

    /// A line as it is.
    pub(super) fn line(&mut self, indent: usize, text: &str) {
        let text = format!("{:indent$}{text}", "");
        self.out.data(text.trim_end());
    }

    /// Text that is broken between words; further lines are indented by `hang` more.
    pub(super) fn text(&mut self, indent: usize, hang: usize, style: Style, text: &str) {
        for (nth, line) in broken(text, WIDTH.saturating_sub(indent), hang).into_iter().enumerate() {
            let indent = if nth == 0 { indent } else { indent + hang };
            self.line(indent, &format!("{style}{line}{style:#}"));
        }
    }
}

/// Text in lines of this width; those after the first are shorter by `hang`.
fn broken(text: &str, width: usize, hang: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let room = if lines.is_empty() { width } else { width.saturating_sub(hang) };
        let needed = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && needed > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::broken;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(broken("aa bb cc", 5, 0), ["aa bb", "cc"]);
        assert_eq!(broken("aa bb cc dd", 5, 2), ["aa bb", "cc", "dd"]);
        assert_eq!(broken("aaaaaaaa", 5, 0), ["aaaaaaaa"]);
    }
}
