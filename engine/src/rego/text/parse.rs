//! Reading Go's format strings: text and verbs with flags, width, precision and argument numbers.

use std::iter::Peekable;
use std::str::CharIndices;

/// A number that a format gives, or takes from an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    /// In the format.
    Given(usize),
    /// `*`: the next argument.
    Argument,
}

/// An explicit argument number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Index {
    /// `[n]`, counted from 0 here; may be negative for `[0]`.
    Good(i64),
    /// Brackets around something that is no number.
    Bad,
}

/// One verb with what precedes it, as written; what it means depends on the arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are Go's flags, each on its own")]
pub(super) struct Directive {
    pub(super) sharp: bool,
    pub(super) zero: bool,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) space: bool,
    /// An argument number before the width.
    pub(super) width_index: Option<Index>,
    pub(super) width: Option<Amount>,
    /// An argument number between point and precision.
    pub(super) precision_index: Option<Index>,
    pub(super) precision: Option<Amount>,
    /// An argument number before the verb.
    pub(super) verb_index: Option<Index>,
    /// `None`: the format ends before one.
    pub(super) verb: Option<char>,
}

impl Directive {
    /// Whether it is `%v` or `%s` and nothing else.
    pub(super) fn is_bare(&self) -> bool {
        let plain = Self { verb: self.verb, ..Self::default() };
        matches!(self.verb, Some('v' | 's')) && *self == plain
    }
}

/// A part of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Box<str>),
    Verb(Box<Directive>),
}

/// Widths and precisions beyond this are taken for none, as in Go.
pub(super) const TOO_LARGE: i64 = 1_000_000;

/// The parts of a format.
pub(super) fn pieces(format: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let (before, after) = rest.split_at(at);
        if !before.is_empty() {
            pieces.push(Piece::Text(before.into()));
        }
        let after = after.get(1..).unwrap_or_default();
        let mut reader = Reader { text: after, chars: after.char_indices().peekable() };
        pieces.push(Piece::Verb(Box::new(reader.directive())));
        rest = reader.rest();
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.into()));
    }
    pieces
}

struct Reader<'t> {
    text: &'t str,
    chars: Peekable<CharIndices<'t>>,
}

impl<'t> Reader<'t> {
    fn rest(&mut self) -> &'t str {
        match self.chars.peek() {
            Some((at, _)) => self.text.get(*at..).unwrap_or_default(),
            None => "",
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.chars.peek().map(|(_, character)| *character)
    }

    fn take(&mut self, wanted: char) -> bool {
        self.chars.next_if(|(_, character)| *character == wanted).is_some()
    }

    fn directive(&mut self) -> Directive {
        let mut directive = Directive::default();
        while let Some(character) = self.peek() {
            match character {
                '#' => directive.sharp = true,
                '0' => directive.zero = true,
                '+' => directive.plus = true,
                '-' => directive.minus = true,
                ' ' => directive.space = true,
                _ => break,
            }
            self.chars.next();
        }
        directive.width_index = self.index();
        let mut after_index = matches!(directive.width_index, Some(Index::Good(_)));
        directive.width = self.amount();
        if directive.width == Some(Amount::Argument) {
            after_index = false;
        }
        // A point at the very end is the verb, not the beginning of a precision.
        if self.peek() == Some('.') && self.rest().len() > 1 {
            self.chars.next();
            directive.precision_index = self.index();
            after_index = matches!(directive.precision_index, Some(Index::Good(_)));
            directive.precision = Some(self.amount().unwrap_or(Amount::Given(0)));
            if directive.precision == Some(Amount::Argument) {
                after_index = false;
            }
        }
        if !after_index {
            directive.verb_index = self.index();
        }
        directive.verb = self.chars.next().map(|(_, character)| character);
        directive
    }

    /// `*` or digits.
    fn amount(&mut self) -> Option<Amount> {
        if self.take('*') {
            return Some(Amount::Argument);
        }
        self.number().and_then(|number| usize::try_from(number).ok()).map(Amount::Given)
    }

    /// Digits; a number that is too large uses up the whole format.
    fn number(&mut self) -> Option<i64> {
        let mut number = None;
        while let Some(digit) = self.peek().and_then(|character| character.to_digit(10)) {
            let so_far: i64 = number.unwrap_or(0);
            if so_far > TOO_LARGE {
                while self.chars.next().is_some() {}
                return None;
            }
            number = Some(so_far * 10 + i64::from(digit));
            self.chars.next();
        }
        number
    }

    /// `[n]`; of brackets that hold no number everything up to the closing one is passed over.
    fn index(&mut self) -> Option<Index> {
        if self.peek() != Some('[') {
            return None;
        }
        let rest = self.rest();
        let Some(end) = rest.find(']').filter(|_| rest.len() >= 3) else {
            self.chars.next();
            return Some(Index::Bad);
        };
        let inside = rest.get(1..end).unwrap_or_default();
        while self.chars.peek().is_some() && self.rest().len() > rest.len() - end - 1 {
            self.chars.next();
        }
        let mut reader = Reader { text: inside, chars: inside.char_indices().peekable() };
        match reader.number() {
            Some(number) if reader.rest().is_empty() => Some(Index::Good(number - 1)),
            _ => Some(Index::Bad),
        }
    }
}
