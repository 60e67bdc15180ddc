//! One argument under one verb.

use super::float::{self, Shape};
use super::quote::{can_backquote, is_print, write_quoted, write_quoted_character};
use super::term::write_term;
use crate::rego::number;
use crate::value::bytes::bytes_of;
use crate::value::{Number, Value};
use num_bigint::BigInt;
use std::borrow::Cow;
use std::fmt::Write;

/// What OPA hands to Go's formatting for a value.
pub(super) enum Argument<'a> {
    Integer(i64),
    Big(BigInt),
    Float(f64),
    Text(Cow<'a, str>),
}

impl<'a> Argument<'a> {
    pub(super) fn new(value: Value<'a>) -> Self {
        match value {
            Value::Number(Number::Int(value)) => Argument::Integer(value),
            Value::Number(Number::Text(text)) => Self::number(text),
            Value::String(text) => Argument::Text(Cow::Borrowed(text)),
            other => {
                let mut text = String::new();
                write_term(&mut text, other);
                Argument::Text(Cow::Owned(text))
            }
        }
    }

    /// The text of a number, not its value, decides whether it is a float.
    fn number(text: &'a str) -> Self {
        if text.contains(['.', 'e', 'E']) {
            return match text.parse::<f64>() {
                Ok(value) if value.is_finite() => Argument::Float(value),
                _ => Argument::Text(Cow::Borrowed(text)),
            };
        }
        match number::int64(Number::Text(text)) {
            Some(value) => Argument::Integer(value),
            None => match text.parse() {
                Ok(value) => Argument::Big(value),
                Err(_) => Argument::Text(Cow::Borrowed(text)),
            },
        }
    }

    pub(super) fn go_type(&self) -> &'static str {
        match self {
            Argument::Integer(_) => "int64",
            Argument::Big(_) => "*big.Int",
            Argument::Float(_) => "float64",
            Argument::Text(_) => "string",
        }
    }
}

/// The flags of one verb.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are Go's flags, each on its own")]
pub(super) struct Printer {
    pub(super) sharp: bool,
    pub(super) zero: bool,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) space: bool,
    /// `%#v`
    pub(super) sharp_v: bool,
    /// `%+v`
    pub(super) plus_v: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

impl Printer {
    pub(super) fn print(&self, out: &mut String, argument: &Argument<'_>, verb: char) {
        if verb == 'T' {
            return self.string(out, argument.go_type());
        }
        match argument {
            Argument::Integer(value) => self.integer(out, *value, verb),
            Argument::Big(value) => self.big(out, value, verb),
            Argument::Float(value) => self.float(out, *value, verb),
            Argument::Text(text) => self.text(out, text, verb),
        }
    }

    /// `%!verb(type=value)`; the value is written with the flags of the verb, as Go does.
    fn bad_verb(&self, out: &mut String, argument: &Argument<'_>, verb: char) {
        out.push_str("%!");
        out.push(verb);
        out.push('(');
        out.push_str(argument.go_type());
        out.push('=');
        self.print(out, argument, 'v');
        out.push(')');
    }

    fn padding(&self, out: &mut String, count: usize) {
        let pad = if self.zero && !self.minus { '0' } else { ' ' };
        out.extend(std::iter::repeat_n(pad, count));
    }

    /// Puts a text into its field.
    fn pad(&self, out: &mut String, text: &str) {
        let missing = self.width.map_or(0, |width| width.saturating_sub(text.chars().count()));
        if self.minus {
            out.push_str(text);
            self.padding(out, missing);
        } else {
            self.padding(out, missing);
            out.push_str(text);
        }
    }

    fn pad_with_spaces(&self, out: &mut String, text: &str) {
        Printer { zero: false, ..self.clone() }.pad(out, text);
    }

    fn cut<'t>(&self, text: &'t str) -> &'t str {
        let end = self.precision.and_then(|precision| text.char_indices().nth(precision));
        end.map_or(text, |(at, _)| text.get(..at).unwrap_or(text))
    }

    fn string(&self, out: &mut String, text: &str) {
        if self.width.is_none() && self.precision.is_none() {
            out.push_str(text);
        } else {
            self.pad(out, self.cut(text));
        }
    }

    fn text(&self, out: &mut String, text: &str, verb: char) {
        match verb {
            'v' if self.sharp_v => self.quoted(out, text),
            'v' | 's' => self.string(out, text),
            'x' => self.hex(out, &bytes_of(text), false),
            'X' => self.hex(out, &bytes_of(text), true),
            'q' => self.quoted(out, text),
            _ => self.bad_verb(out, &Argument::Text(Cow::Borrowed(text)), verb),
        }
    }

    fn quoted(&self, out: &mut String, text: &str) {
        let text = self.cut(text);
        if self.sharp && can_backquote(text) {
            return self.pad(out, &format!("`{text}`"));
        }
        let mut quoted = String::with_capacity(text.len() + 2);
        write_quoted(&mut quoted, text, self.plus);
        self.pad(out, &quoted);
    }

    fn hex(&self, out: &mut String, bytes: &[u8], upper: bool) {
        let length = self.precision.map_or(bytes.len(), |precision| precision.min(bytes.len()));
        let prefix = if upper { "0X" } else { "0x" };
        let mut text = String::new();
        for (index, byte) in bytes.iter().take(length).enumerate() {
            if self.space && index > 0 {
                text.push(' ');
            }
            if self.sharp && (index == 0 || self.space) {
                text.push_str(prefix);
            }
            // Writing to a string cannot fail.
            let _ = if upper { write!(text, "{byte:02X}") } else { write!(text, "{byte:02x}") };
        }
        self.pad(out, &text);
    }

    fn integer(&self, out: &mut String, value: i64, verb: char) {
        match verb {
            'v' | 'd' if self.is_plain() => {
                // The usual case: writing to a string cannot fail.
                let _ = write!(out, "{value}");
            }
            'v' | 'd' => self.digits(out, value < 0, &value.unsigned_abs().to_string(), 10, verb),
            'b' => self.digits(out, value < 0, &format!("{:b}", value.unsigned_abs()), 2, verb),
            'o' | 'O' => self.digits(out, value < 0, &format!("{:o}", value.unsigned_abs()), 8, verb),
            'x' => self.digits(out, value < 0, &format!("{:x}", value.unsigned_abs()), 16, verb),
            'X' => self.digits(out, value < 0, &format!("{:X}", value.unsigned_abs()), 16, verb),
            'c' => self.pad(out, character(value).encode_utf8(&mut [0; 4])),
            'q' => {
                let mut quoted = String::new();
                write_quoted_character(&mut quoted, character(value), self.plus);
                self.pad(out, &quoted);
            }
            'U' => self.unicode(out, value),
            _ => self.bad_verb(out, &Argument::Integer(value), verb),
        }
    }

    fn is_plain(&self) -> bool {
        self.width.is_none() && self.precision.is_none() && !self.plus && !self.space
    }

    fn digits(&self, out: &mut String, negative: bool, digits: &str, base: u32, verb: char) {
        let mut least = 0;
        if let Some(precision) = self.precision {
            least = precision;
            if precision == 0 && digits == "0" {
                return Printer { zero: false, ..self.clone() }.padding(out, self.width.unwrap_or(0));
            }
        } else if let (true, false, Some(width)) = (self.zero, self.minus, self.width) {
            least = width - usize::from(width > 0 && (negative || self.plus || self.space));
        }
        let mut text = String::new();
        if negative {
            text.push('-');
        } else if self.plus {
            text.push('+');
        } else if self.space {
            text.push(' ');
        }
        if verb == 'O' {
            text.push_str("0o");
        }
        let zeros = least.saturating_sub(digits.len());
        if self.sharp {
            match (base, verb) {
                (2, _) => text.push_str("0b"),
                (8, _) if zeros == 0 && !digits.starts_with('0') => text.push('0'),
                (16, 'X') => text.push_str("0X"),
                (16, _) => text.push_str("0x"),
                _ => {}
            }
        }
        text.extend(std::iter::repeat_n('0', zeros));
        text.push_str(digits);
        self.pad_with_spaces(out, &text);
    }

    fn unicode(&self, out: &mut String, value: i64) {
        let digits = format!("{value:X}");
        let zeros = self.precision.unwrap_or(4).max(4).saturating_sub(digits.len());
        let mut text = String::from("U+");
        text.extend(std::iter::repeat_n('0', zeros));
        text.push_str(&digits);
        let shown = u32::try_from(value).ok().and_then(char::from_u32).filter(|shown| is_print(*shown));
        if let (true, Some(shown)) = (self.sharp, shown) {
            let _ = write!(text, " '{shown}'");
        }
        self.pad_with_spaces(out, &text);
    }

    /// Integers beyond 64 bits format themselves, by rules of their own.
    fn big(&self, out: &mut String, value: &BigInt, verb: char) {
        let radix = match verb {
            'b' => 2,
            'o' | 'O' => 8,
            'd' | 's' | 'v' => 10,
            'x' | 'X' => 16,
            'p' => return self.bad_verb(out, &Argument::Big(value.clone()), verb),
            'w' => return self.big_as_struct(out, value),
            _ => {
                let _ = write!(out, "%!{verb}(big.Int={value})");
                return;
            }
        };
        let sign = match value.sign() {
            num_bigint::Sign::Minus => "-",
            _ if self.plus || self.plus_v => "+",
            _ if self.space => " ",
            _ => "",
        };
        let prefix = match verb {
            'O' => "0o",
            _ if !(self.sharp || self.sharp_v) => "",
            'b' => "0b",
            'o' => "0",
            'x' => "0x",
            'X' => "0X",
            _ => "",
        };
        let digits = value.magnitude().to_str_radix(radix);
        let digits = if verb == 'X' { digits.to_ascii_uppercase() } else { digits };
        let mut zeros = self.precision.map_or(0, |precision| precision.saturating_sub(digits.len()));
        let length = sign.len() + prefix.len() + zeros + digits.len();
        let missing = self.width.map_or(0, |width| width.saturating_sub(length));
        let (mut left, mut right) = (0, 0);
        if self.minus {
            right = missing;
        } else if self.zero && self.precision.is_none() {
            zeros = missing;
        } else {
            left = missing;
        }
        out.extend(std::iter::repeat_n(' ', left));
        out.push_str(sign);
        out.push_str(prefix);
        out.extend(std::iter::repeat_n('0', zeros));
        out.push_str(&digits);
        out.extend(std::iter::repeat_n(' ', right));
    }

    /// `%w` is for errors only; Go then shows what such an integer is made of.
    fn big_as_struct(&self, out: &mut String, value: &BigInt) {
        let negative = value.sign() == num_bigint::Sign::Minus;
        let (opening, name, list, separator, closing) = match (self.sharp_v, self.plus_v) {
            (true, _) => ("&big.Int{neg:", ", abs:", "big.nat{", ", ", "}}"),
            (_, true) => ("&{neg:", " abs:", "[", " ", "]}"),
            _ => ("&{", " ", "[", " ", "]}"),
        };
        out.push_str("%!w(*big.Int=");
        out.push_str(opening);
        self.pad(out, if negative { "true" } else { "false" });
        out.push_str(name);
        out.push_str(list);
        for (index, word) in value.iter_u64_digits().enumerate() {
            if index > 0 {
                out.push_str(separator);
            }
            if self.sharp_v {
                let hexadecimal = Printer { sharp: true, ..self.clone() };
                hexadecimal.digits(out, false, &format!("{word:x}"), 16, 'v');
            } else {
                self.digits(out, false, &word.to_string(), 10, 'v');
            }
        }
        out.push_str(closing);
        out.push(')');
    }

    fn float(&self, out: &mut String, value: f64, verb: char) {
        let (shape, precision) = match verb {
            'v' => (Shape::General, None),
            'g' | 'G' => (Shape::General, self.precision),
            'b' => (Shape::Binary, None),
            'x' | 'X' => (Shape::Hexadecimal, self.precision),
            'e' | 'E' => (Shape::Exponent, Some(self.precision.unwrap_or(6))),
            'f' | 'F' => (Shape::Fixed, Some(self.precision.unwrap_or(6))),
            _ => return self.bad_verb(out, &Argument::Float(value), verb),
        };
        let precision = if verb == 'v' { self.precision } else { precision };
        let mut text = float::text(value, shape, precision, verb.is_ascii_uppercase() && verb != 'F');
        if self.sharp && shape != Shape::Binary {
            float::keep_zeros(&mut text, shape, precision, verb);
        }
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None if self.plus => ("+", text.as_str()),
            None if self.space => (" ", text.as_str()),
            None => ("", text.as_str()),
        };
        let length = sign.len() + digits.len();
        match self.width {
            // The sign goes before the zeros.
            Some(width) if self.zero && !self.minus && width > length && !sign.is_empty() => {
                out.push_str(sign);
                self.padding(out, width - length);
                out.push_str(digits);
            }
            _ => self.pad(out, &format!("{sign}{digits}")),
        }
    }
}

/// The character of a code point; the replacement character if there is none.
fn character(value: i64) -> char {
    u32::try_from(value).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}
