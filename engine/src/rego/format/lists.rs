//! Arguments, elements and pairs: those that stood on one row stay on one.

use super::writer::is_union;
use super::writer::{Loc, Unexpected, Writer, Written, closing, line, place};
use crate::rego::syntax::tree::{Span, Term};

/// What a list holds.
#[derive(Clone, Copy)]
pub(super) enum Item<'t> {
    /// An argument or element; unions stand in parentheses if so.
    Term(&'t Term, bool),
    /// A member of an object.
    Pair(&'t Term, &'t Term),
}

impl<'t> Item<'t> {
    fn first(self) -> &'t Term {
        match self {
            Self::Term(term, _) | Self::Pair(term, _) => term,
        }
    }

    fn span(self) -> Span {
        self.first().span
    }
}

impl<'t> Writer<'t> {
    /// The items between brackets. `container`: where the list begins; `close`: the row of what closes it.
    pub(super) fn list(&mut self, mut items: Vec<Item<'t>>, container: Loc<'t>, close: u32) -> Written {
        items.sort_by_key(|item| place(item.span()));
        let rows = self.grouped(&items, container.row);
        let mut broken = rows.len() > 1;
        if let [row] = rows.as_slice() {
            let inside = |row: u32| row > container.row && row < close;
            if self.comments.iter().any(|comment| inside(line(comment))) {
                return Err(Unexpected);
            }
            if let Some(first) = row.first() {
                let text = self.text(first.span());
                let before = container.text.find(text).and_then(|cut| container.text.get(..cut));
                broken = before.is_some_and(|before| before.find('\n').is_some_and(|at| at > 0));
            }
        }
        if broken {
            self.delay = true;
            self.end_line();
            self.up();
            self.start_line();
        }
        let last = rows.len().saturating_sub(1);
        for (at, row) in rows.iter().enumerate() {
            self.line_of(row)?;
            if at < last {
                self.write(",");
                self.end_line();
                self.start_line();
            }
        }
        if broken {
            self.write(",");
            self.end_line();
            self.insert_comments(close)?;
            self.down();
            self.start_line();
        }
        Ok(())
    }

    /// The items by the rows that they stood on; at least one, which may be empty.
    fn grouped(&self, items: &[Item<'t>], start: u32) -> Vec<Vec<Item<'t>>> {
        let mut rows = Vec::new();
        let mut row: Vec<Item<'t>> = Vec::new();
        let mut last = start;
        for item in items {
            let here = self.row(item.first());
            if here > last && !row.is_empty() {
                rows.push(std::mem::take(&mut row));
            }
            last = here;
            row.push(*item);
        }
        rows.push(row);
        rows
    }

    fn line_of(&mut self, row: &[Item<'t>]) -> Written {
        for (at, item) in row.iter().enumerate() {
            if at > 0 {
                self.write(", ");
            }
            self.item(*item)?;
        }
        Ok(())
    }

    fn item(&mut self, item: Item<'t>) -> Written {
        match item {
            Item::Term(term, unions) => {
                let parens = is_union(term) && (unions || self.is_parenthesized(term));
                self.between(parens, |this| this.term(term))
            }
            Item::Pair(key, value) => {
                self.between(is_union(key), |this| this.term(key))?;
                self.write(": ");
                self.between(is_union(value), |this| this.term(value))
            }
        }
    }

    /// Something in parentheses, if so.
    pub(super) fn between(&mut self, parens: bool, write: impl FnOnce(&mut Self) -> Written) -> Written {
        if parens {
            self.write("(");
        }
        let written = write(self);
        if parens {
            self.write(")");
        }
        written
    }

    /// A list of elements in brackets of its own.
    pub(super) fn bracketed(&mut self, open: u8, close: u8, items: Vec<Item<'t>>, loc: Loc<'t>) -> Written {
        self.write(char::from(open).encode_utf8(&mut [0; 4]));
        let written = self.list(items, loc, closing(None, open, close, loc));
        self.write(char::from(close).encode_utf8(&mut [0; 4]));
        written
    }
}
