//! A place in one of the modules of a program, small enough to be carried by every statement.

use super::syntax::tree::{Position, Span};

/// Where something stands: which module, which line, which column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The place of the module in the list that was compiled.
    pub file: u16,
    /// 1-based; 0 if there is no line.
    pub line: u32,
    /// 1-based, in characters; at most 65,535.
    pub column: u16,
}

impl Place {
    /// The start of a span.
    pub(super) fn of(file: u16, span: Span) -> Self {
        Self::at(file, span.start)
    }

    /// A position.
    pub(super) fn at(file: u16, position: Position) -> Self {
        Self { file, line: position.line, column: u16::try_from(position.column).unwrap_or(u16::MAX) }
    }
}
