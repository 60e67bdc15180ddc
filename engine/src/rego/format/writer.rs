//! Lines, indents, and the comments that still wait for their place.

use crate::rego::syntax::tree::{Comment, Position, Span, Term, TermKind};

/// A comment stands where it cannot be written apart from the code: the piece around it is written as it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unexpected;

pub(super) type Written = Result<(), Unexpected>;

/// A place as the layout knows it: the row on which something starts, and its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loc<'t> {
    /// 0: nowhere.
    pub(super) row: u32,
    pub(super) text: &'t str,
}

/// What is written, and what still waits.
pub(super) struct Writer<'t> {
    pub(super) source: &'t str,
    pub(super) out: String,
    pub(super) level: usize,
    /// Something stands on the line already, if only its indent.
    pub(super) inline: bool,
    /// The comment that ends the line.
    pub(super) before_end: Option<&'t Comment>,
    pub(super) delay: bool,
    /// Those that wait, in order.
    pub(super) comments: Vec<&'t Comment>,
    pub(super) comment_on_final_line: bool,
    /// The term that must stand in parentheses: its place.
    pub(super) paren_term: Option<Span>,
    /// The expression whose own terms must.
    pub(super) paren_expr: Option<Span>,
    /// All that is written lies on this row, wherever it was.
    pub(super) one_row: Option<u32>,
    pub(super) style: Style,
}

/// What hangs on the language and on the file's imports.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    pub(super) v1: bool,
    pub(super) contains: bool,
    pub(super) ifs: bool,
    pub(super) ref_heads: bool,
    pub(super) keywords: Vec<&'static str>,
}

impl<'t> Writer<'t> {
    pub(super) fn text(&self, span: Span) -> &'t str {
        self.source.get(span.start.offset as usize..span.end.offset as usize).unwrap_or_default()
    }

    pub(super) fn loc(&self, span: Span) -> Loc<'t> {
        Loc { row: self.one_row.unwrap_or(span.start.line), text: self.text(span) }
    }

    /// The place of a term; parentheses around it are of its text, not of its row.
    pub(super) fn at(&self, term: &Term) -> Loc<'t> {
        Loc { row: self.row(term), text: self.text(term.span) }
    }

    pub(super) fn row(&self, term: &Term) -> u32 {
        if let Some(row) = self.one_row {
            return row;
        }
        let text = self.text(term.span);
        let mut row = term.span.start.line;
        if !text.starts_with('(') {
            return row;
        }
        let mut in_comment = false;
        for letter in text.chars() {
            match letter {
                '\n' => {
                    row += 1;
                    in_comment = false;
                }
                '#' => in_comment = true,
                _ if in_comment => {}
                '(' => {}
                letter if letter.is_whitespace() => {}
                _ => break,
            }
        }
        row
    }

    pub(super) fn is_parenthesized(&self, term: &Term) -> bool {
        self.text(term.span).starts_with('(')
    }

    // Lines.

    pub(super) fn write(&mut self, text: &str) {
        self.out.push_str(text);
    }

    pub(super) fn start_line(&mut self) {
        self.inline = true;
        for _ in 0..self.level {
            self.out.push('\t');
        }
    }

    pub(super) fn end_line(&mut self) {
        self.inline = false;
        if !self.delay
            && let Some(comment) = self.before_end.take()
        {
            self.out.push(' ');
            self.out.push_str(&shown(comment));
        }
        self.delay = false;
        self.out.push('\n');
    }

    pub(super) fn blank_line(&mut self) {
        if self.inline {
            self.end_line();
        }
        self.out.push('\n');
    }

    pub(super) fn write_line(&mut self, text: &str) {
        if !self.inline {
            self.start_line();
        }
        self.write(text);
        self.end_line();
    }

    pub(super) fn up(&mut self) {
        self.level += 1;
    }

    pub(super) fn down(&mut self) {
        self.level = self.level.saturating_sub(1);
    }

    // Comments.

    /// Writes the comments that stand above a row, and keeps the one on it for the end of the line.
    pub(super) fn insert_comments(&mut self, row: u32) -> Written {
        if row == 0 || self.comments.iter().all(|comment| line(comment) > row) {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.comments);
        let (above, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|comment| line(comment) < row);
        let (on, below): (Vec<_>, Vec<_>) = rest.into_iter().partition(|comment| line(comment) == row);
        self.comments = below;
        self.write_comments(&above);
        if above.last().is_some_and(|last| row - line(last) > 1) {
            self.blank_line();
        }
        self.end_with(on.last().copied())
    }

    fn end_with(&mut self, comment: Option<&'t Comment>) -> Written {
        if self.before_end.is_some() {
            if comment.is_none() {
                return Ok(());
            }
            self.before_end = None;
            return Err(Unexpected);
        }
        self.before_end = comment;
        Ok(())
    }

    pub(super) fn write_comments(&mut self, comments: &[&'t Comment]) {
        let mut in_metadata = false;
        let mut before: Option<&Comment> = None;
        for comment in comments {
            match before.map(|before| line(comment).saturating_sub(line(before))) {
                Some(2..) => {
                    self.blank_line();
                    in_metadata = false;
                }
                Some(1) if in_metadata && is_metadata(comment) => self.blank_line(),
                _ => {}
            }
            in_metadata |= is_metadata(comment);
            self.write_line(&shown(comment));
            before = Some(comment);
        }
    }

    /// Writes a piece as it stands, and drops the comments within it: they are part of it.
    pub(super) fn unformatted(&mut self, loc: Loc<'t>) {
        let last = loc.row + newlines(loc.text);
        self.out.push_str(loc.text);
        let waiting = std::mem::take(&mut self.comments);
        for comment in waiting {
            if self.comment_on_final_line && line(comment) == last {
                self.out.push(' ');
                self.out.push_str(&shown(comment));
            } else if line(comment) >= last {
                self.comments.push(comment);
            }
        }
    }
}

pub(super) fn line(comment: &Comment) -> u32 {
    comment.span.start.line
}

/// With its `#`, without blanks at the end.
pub(super) fn shown(comment: &Comment) -> String {
    format!("#{}", comment.text.trim_end())
}

fn is_metadata(comment: &Comment) -> bool {
    comment.text.trim() == "METADATA"
}

pub(super) fn newlines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX)
}

/// The row of the bracket that closes the first `open` of a text; 0: there is none. Brackets are only counted, also
/// those in strings.
pub(super) fn closing(skip: Option<(u8, u8)>, open: u8, close: u8, loc: Loc<'_>) -> u32 {
    let bytes = loc.text.as_bytes();
    let (mut at, mut down) = (0, 0);
    if let Some((skip_open, skip_close)) = skip {
        (at, down) = past(skip_open, skip_close, bytes, 0).unwrap_or((bytes.len(), 0));
    }
    match past(open, close, bytes, at) {
        Some((_, more)) => loc.row + down + more,
        None => 0,
    }
}

/// Just at what closes the first `open` from a place on, and the newlines between.
fn past(open: u8, close: u8, bytes: &[u8], from: usize) -> Option<(usize, u32)> {
    let start = from + bytes.get(from..)?.iter().position(|byte| *byte == open)?;
    let (mut state, mut lines) = (1_usize, 0_u32);
    for (at, byte) in bytes.iter().enumerate().skip(start + 1) {
        if *byte == open {
            state += 1;
        } else if *byte == close {
            state -= 1;
        } else if *byte == b'\n' {
            lines += 1;
        }
        if state == 0 {
            return Some((at, lines));
        }
    }
    None
}

/// The order of places.
pub(super) fn place(span: Span) -> Position {
    span.start
}

/// A set union, whose `|` would be read as that of a comprehension.
pub(super) fn is_union(term: &Term) -> bool {
    match &term.kind {
        TermKind::Infix(infix) => infix.operator.builtin() == "or",
        TermKind::Call(call) => call.dotted().as_deref() == Some("or"),
        _ => false,
    }
}
