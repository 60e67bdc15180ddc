//! Character classes of Go's regular expressions: `[…]`, `\d`, `\pL`, `[[:alpha:]]`, and escapes.

use super::regular::PatternError;
use super::translate::Reader;

type Parsed<T> = Result<T, PatternError>;

/// An error in Go's words.
pub(super) fn problem<T>(what: &str, part: &str) -> Parsed<T> {
    Err(PatternError::Syntax(format!("error parsing regexp: {what}: `{part}`")))
}

/// What `\d` and the like are, as members of a bracketed class. ASCII only, as in Go.
pub(super) fn perl(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "0-9",
        'D' => "[^0-9]",
        's' => "\\t\\n\\x0c\\r ",
        'S' => "[^\\t\\n\\x0c\\r ]",
        'w' => "0-9A-Za-z_",
        'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}

const POSIX: &[&str] = &[
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

impl Reader<'_> {
    /// After `\p` or `\P`: a Unicode class as the engine writes it.
    pub(super) fn unicode_class(&mut self, start: usize, letter: char) -> Parsed<String> {
        let mut negated = letter == 'P';
        let name = match self.next() {
            Some('{') => {
                let Some(name) = self.until('}') else {
                    return problem("invalid character class range", self.from(start));
                };
                name.to_owned()
            }
            Some(single) => single.to_string(),
            None => return problem("invalid character class range", self.from(start)),
        };
        let bare = match name.strip_prefix('^') {
            Some(bare) => {
                negated = !negated;
                bare
            }
            None => &name,
        };
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ' ');
        if bare.is_empty() || !bare.chars().all(allowed) {
            return problem("invalid character class range", self.from(start));
        }
        let class = format!("\\{}{{{bare}}}", if negated { 'P' } else { 'p' });
        if regex::Regex::new(&class).is_err() {
            return problem("invalid character class range", self.from(start));
        }
        Ok(class)
    }

    /// After a backslash: the character that is meant. `start` is where the backslash is.
    pub(super) fn escaped(&mut self, start: usize) -> Parsed<u32> {
        let Some(letter) = self.next() else {
            return problem("trailing backslash at end of expression", "");
        };
        let invalid = |reader: &Self| problem("invalid escape sequence", reader.from(start));
        let code = match letter {
            // One digit alone would be a reference back, which there is not.
            '1'..='7' if !matches!(self.peek(), Some('0'..='7')) => return invalid(self),
            '0'..='7' => {
                let mut code = letter.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = self.peek().and_then(|next| next.to_digit(8)) else { break };
                    code = code * 8 + digit;
                    self.next();
                }
                code
            }
            'x' => match self.hexadecimal() {
                Some(code) => code,
                None => return invalid(self),
            },
            'a' => 0x07,
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'v' => 0x0b,
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => u32::from(other),
            _ => return invalid(self),
        };
        Ok(code)
    }

    /// After `\x`: two digits, or any number in braces.
    fn hexadecimal(&mut self) -> Option<u32> {
        if self.peek() != Some('{') {
            let (high, low) = (self.next()?, self.next()?);
            return Some(high.to_digit(16)? * 16 + low.to_digit(16)?);
        }
        self.next();
        let mut code = 0_u32;
        let mut digits = 0;
        loop {
            match self.next()? {
                '}' => return (digits > 0).then_some(code),
                digit => {
                    code = code.checked_mul(16)?.checked_add(digit.to_digit(16)?)?;
                    if code > u32::from(char::MAX) {
                        return None;
                    }
                    digits += 1;
                }
            }
        }
    }

    /// After `[`: the whole class as the engine writes it. `start` is where the bracket is.
    pub(super) fn class(&mut self, start: usize) -> Parsed<String> {
        let mut class = String::from("[");
        if self.peek() == Some('^') {
            self.next();
            class.push('^');
        }
        let mut first = true;
        let mut members = 0;
        while first || self.peek() != Some(']') {
            first = false;
            let at = self.at();
            if self.rest().starts_with("[:")
                && let Some(end) = self.rest().get(2..).and_then(|rest| rest.find(":]"))
            {
                let name = self.rest().get(2..end + 2).unwrap_or_default().to_owned();
                self.skip(end + 4);
                if !POSIX.contains(&name.strip_prefix('^').unwrap_or(&name)) {
                    return problem("invalid character class range", self.from(at));
                }
                class.push_str(&format!("[:{name}:]"));
                members += 1;
                continue;
            }
            if self.rest().starts_with('\\') {
                let letter = self.rest().chars().nth(1);
                if let Some(letter @ ('p' | 'P')) = letter {
                    self.skip(2);
                    class.push_str(&self.unicode_class(at, letter)?);
                    members += 1;
                    continue;
                }
                if let Some(members_of) = letter.and_then(perl) {
                    self.skip(2);
                    class.push_str(members_of);
                    members += 1;
                    continue;
                }
            }
            let low = self.class_character(start)?;
            let mut high = low;
            let rest = self.rest();
            if rest.starts_with('-') && rest.len() >= 2 && !rest.starts_with("-]") {
                self.next();
                high = self.class_character(start)?;
                if high < low {
                    return problem("invalid character class range", self.from(at));
                }
            }
            members += push_range(&mut class, low, high);
        }
        self.next();
        class.push(']');
        if members == 0 {
            // Only characters that text cannot hold.
            return Ok(if class == "[]" { NOTHING.to_owned() } else { ANYTHING.to_owned() });
        }
        Ok(class)
    }

    fn class_character(&mut self, start: usize) -> Parsed<u32> {
        let at = self.at();
        match self.next() {
            None => problem("missing closing ]", self.from(start)),
            Some('\\') => self.escaped(at),
            Some(other) => Ok(u32::from(other)),
        }
    }
}

/// A class that no character is in.
pub(super) const NOTHING: &str = "[^\\x00-\\x{10FFFF}]";
const ANYTHING: &str = "[\\x00-\\x{10FFFF}]";

/// Appends a range without the surrogates, which no text holds; the number of ranges appended.
fn push_range(class: &mut String, low: u32, high: u32) -> usize {
    let mut count = 0;
    for (low, high) in [(low, high.min(0xd7ff)), (low.max(0xe000), high)] {
        if low <= high && char::from_u32(low).is_some() && char::from_u32(high).is_some() {
            class.push_str(&format!("\\x{{{low:x}}}-\\x{{{high:x}}}"));
            count += 1;
            if high < 0xe000 && count == 1 && low == high {
                break;
            }
        }
    }
    count
}
