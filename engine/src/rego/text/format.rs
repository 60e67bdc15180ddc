//! Formats with their arguments: `sprintf` as OPA answers it, which is Go's `fmt` on what OPA hands to it.

use super::parse::{Amount, Directive, Index, Piece, TOO_LARGE, pieces};
use super::print::{Argument, Printer};
use crate::value::Value;

/// A format string, read once.
#[derive(Clone, Debug)]
pub(in crate::rego) struct Format {
    pieces: Box<[Piece]>,
}

/// Where the walk over the arguments stands.
struct Cursor<'v, 'a> {
    arguments: &'v [Value<'a>],
    next: usize,
    /// Whether an explicit argument number was seen: surplus arguments are then not told of.
    reordered: bool,
    /// Whether the numbers of the present verb make sense.
    good: bool,
}

impl Format {
    /// Reads a format; every text is one.
    pub(in crate::rego) fn new(format: &str) -> Self {
        Self { pieces: pieces(format).into() }
    }

    /// Appends the format with its arguments put in. Wrong verbs, missing and surplus arguments become text,
    /// as in Go.
    pub(in crate::rego) fn write(&self, out: &mut String, arguments: &[Value<'_>]) {
        let mut cursor = Cursor { arguments, next: 0, reordered: false, good: true };
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Verb(directive) => match (directive.is_bare(), cursor.arguments.get(cursor.next)) {
                    // What nearly all formats are made of.
                    (true, Some(Value::String(text))) => {
                        out.push_str(text);
                        cursor.next += 1;
                    }
                    _ => cursor.print(out, directive),
                },
            }
        }
        if cursor.reordered || cursor.next >= arguments.len() {
            return;
        }
        out.push_str("%!(EXTRA ");
        for (index, argument) in arguments.iter().skip(cursor.next).enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            let argument = Argument::new(*argument);
            out.push_str(argument.go_type());
            out.push('=');
            Printer::default().print(out, &argument, 'v');
        }
        out.push(')');
    }
}

impl Cursor<'_, '_> {
    fn print(&mut self, out: &mut String, directive: &Directive) {
        self.good = true;
        let mut printer = Printer {
            sharp: directive.sharp,
            zero: directive.zero,
            plus: directive.plus,
            minus: directive.minus,
            space: directive.space,
            ..Printer::default()
        };
        self.seek(directive.width_index);
        match directive.width {
            Some(Amount::Argument) => match self.amount() {
                Some(width) => {
                    if width < 0 {
                        printer.minus = true;
                        printer.zero = false;
                    }
                    printer.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => out.push_str("%!(BADWIDTH)"),
            },
            Some(Amount::Given(width)) => {
                printer.width = Some(width);
                self.good &= directive.width_index.is_none();
            }
            None => {}
        }
        if let Some(precision) = directive.precision {
            if directive.width_index.is_some() && directive.width != Some(Amount::Argument) {
                self.good = false;
            }
            self.seek(directive.precision_index);
            match precision {
                Amount::Argument => match self.amount() {
                    Some(precision) if precision >= 0 => printer.precision = usize::try_from(precision).ok(),
                    _ => out.push_str("%!(BADPREC)"),
                },
                Amount::Given(precision) => printer.precision = Some(precision),
            }
        }
        self.seek(directive.verb_index);
        let Some(verb) = directive.verb else {
            out.push_str("%!(NOVERB)");
            return;
        };
        if verb == '%' {
            out.push('%');
        } else if !self.good {
            out.push_str("%!");
            out.push(verb);
            out.push_str("(BADINDEX)");
        } else if let Some(argument) = self.arguments.get(self.next) {
            if matches!(verb, 'v' | 'w') {
                printer.sharp_v = std::mem::take(&mut printer.sharp);
                printer.plus_v = std::mem::take(&mut printer.plus);
            }
            printer.print(out, &Argument::new(*argument), verb);
            self.next += 1;
        } else {
            out.push_str("%!");
            out.push(verb);
            out.push_str("(MISSING)");
        }
    }

    fn seek(&mut self, index: Option<Index>) {
        let Some(index) = index else { return };
        self.reordered = true;
        match index {
            Index::Good(index) => match usize::try_from(index) {
                Ok(index) if index < self.arguments.len() => self.next = index,
                _ => self.good = false,
            },
            Index::Bad => self.good = false,
        }
    }

    /// A width or precision from the next argument: an integer that is not too large.
    fn amount(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        match Argument::new(*argument) {
            Argument::Integer(value) if value.unsigned_abs() <= TOO_LARGE.unsigned_abs() => Some(value),
            _ => None,
        }
    }
}
