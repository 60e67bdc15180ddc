//! Go's regular expressions (RE2 syntax) in the words of the `regex` crate. Both match leftmost-first; they
//! differ in what is syntax (`\Q…\E`, octal escapes, a lone `{`), in what `\d`, `\w`, `\s` and `\b` mean (ASCII in
//! Go), and in what is refused. Flags are resolved here, so that the result holds none that reach further than
//! one atom.

use super::class::{NOTHING, perl, problem};
use super::regular::PatternError;
use crate::value::bytes::is_broken;

/// A translated pattern.
#[derive(Clone, Debug)]
pub(in crate::rego) struct Translated {
    /// For the `regex` crate.
    pub(in crate::rego) pattern: String,
    /// The name of each group, the whole match first.
    pub(in crate::rego) names: Vec<Option<String>>,
}

/// Deeper patterns are refused, as in Go.
const MAX_DEPTH: usize = 1000;

/// The largest count of a repetition, also of nested ones multiplied.
const MAX_REPEAT: u32 = 1000;

/// Translates a pattern.
///
/// # Errors
/// For what Go refuses, in its words.
pub(in crate::rego) fn translate(pattern: &str) -> Result<Translated, PatternError> {
    if is_broken(pattern) {
        return problem("invalid UTF-8", pattern);
    }
    let reader = Reader { text: pattern, at: 0 };
    Translator {
        reader,
        out: String::with_capacity(pattern.len() + 16),
        names: vec![None],
        flags: Flags::default(),
        open: Vec::new(),
        level: Level::default(),
    }
    .run()
}

/// A place in a pattern.
pub(super) struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// What was read since a place.
    pub(super) fn from(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// What comes before a character, which is passed too; `None`: it does not come.
    pub(super) fn until(&mut self, end: char) -> Option<&'t str> {
        let (before, _) = self.rest().split_once(end)?;
        self.at += before.len() + end.len_utf8();
        Some(before)
    }
}

#[derive(Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are the flags i, m, s and U, each on its own")]
struct Flags {
    fold: bool,
    multiline: bool,
    dot_newline: bool,
    lazy: bool,
}

/// What is known of the sequence being read.
#[derive(Clone, Copy, Default)]
struct Level {
    /// Whether there is something that a repetition can apply to.
    atom: bool,
    /// How often the last atom is repeated inside itself, at most.
    last: u32,
    /// The largest of these in this group.
    largest: u32,
    /// Where the last repetition began, if it is the last thing read.
    repeated: Option<usize>,
}

struct Translator<'t> {
    reader: Reader<'t>,
    out: String,
    names: Vec<Option<String>>,
    flags: Flags,
    open: Vec<(Level, Flags)>,
    level: Level,
}

type Step = Result<(), PatternError>;

impl Translator<'_> {
    fn run(mut self) -> Result<Translated, PatternError> {
        while let Some(next) = self.reader.peek() {
            let start = self.reader.at();
            let repeated = self.level.repeated.take();
            match next {
                '(' => self.open_group()?,
                ')' => self.close_group()?,
                '|' => {
                    self.reader.next();
                    self.out.push('|');
                    self.level.atom = false;
                    self.level.last = 1;
                }
                '^' => self.plain(if self.flags.multiline { "(?m:^)" } else { "^" }),
                '$' => self.plain(if self.flags.multiline { "(?m:$)" } else { "$" }),
                '.' => self.plain(if self.flags.dot_newline { "(?s:.)" } else { "." }),
                '[' => {
                    self.reader.next();
                    let class = self.reader.class(start)?;
                    self.atom(&class);
                }
                '*' | '+' | '?' => {
                    self.reader.next();
                    let (least, most) = match next {
                        '*' => (0, None),
                        '+' => (1, None),
                        _ => (0, Some(1)),
                    };
                    self.repeat(start, repeated, &next.to_string(), least, most, false)?;
                }
                '{' => self.counted(start, repeated)?,
                '\\' => self.backslash(start)?,
                literal => {
                    self.reader.next();
                    self.literal(u32::from(literal));
                }
            }
        }
        if self.open.is_empty() {
            return Ok(Translated { pattern: self.out, names: self.names });
        }
        problem("missing closing )", self.reader.text)
    }

    /// One character that stands for an assertion or a set.
    fn plain(&mut self, meaning: &str) {
        self.reader.next();
        self.push_atom(meaning);
    }

    fn push_atom(&mut self, atom: &str) {
        self.out.push_str(atom);
        self.level.atom = true;
        self.level.last = 1;
        self.level.largest = self.level.largest.max(1);
    }

    /// An atom that the flag `i` matters to.
    fn atom(&mut self, atom: &str) {
        if self.flags.fold {
            self.push_atom(&format!("(?i:{atom})"));
        } else {
            self.push_atom(atom);
        }
    }

    fn literal(&mut self, code: u32) {
        match char::from_u32(code) {
            None => self.push_atom(NOTHING),
            Some(literal) => {
                let escaped = regex::escape(literal.encode_utf8(&mut [0; 4]));
                if literal.is_ascii() && !literal.is_ascii_alphabetic() {
                    self.push_atom(&escaped);
                } else {
                    self.atom(&escaped);
                }
            }
        }
    }

    fn backslash(&mut self, start: usize) -> Step {
        self.reader.next();
        let letter = self.reader.peek();
        match letter {
            Some('A') => self.plain("\\A"),
            Some('z') => self.plain("\\z"),
            Some('b') => self.plain("(?-u:\\b)"),
            // The engine would also find it inside of characters, and has no way to say that it must not.
            Some('B') => {
                return Err(PatternError::Refused("`\\B` in patterns is not supported; use classes"));
            }
            Some('C') => {
                self.reader.next();
                return problem("invalid escape sequence", self.reader.from(start));
            }
            Some('Q') => {
                self.reader.next();
                let rest = self.reader.rest();
                let (literal, after) = rest.split_once("\\E").map_or((rest, 0), |(before, _)| (before, 2));
                self.reader.skip(literal.len() + after);
                literal.chars().for_each(|literal| self.literal(u32::from(literal)));
            }
            Some(letter @ ('p' | 'P')) => {
                self.reader.next();
                let class = self.reader.unicode_class(start, letter)?;
                self.atom(&class);
            }
            Some(letter) if perl(letter).is_some() => {
                self.reader.next();
                let members = perl(letter).unwrap_or_default();
                self.atom(&format!("[{members}]"));
            }
            _ => {
                let code = self.reader.escaped(start)?;
                self.literal(code);
            }
        }
        Ok(())
    }

    fn open_group(&mut self) -> Step {
        let start = self.reader.at();
        self.reader.next();
        let before = self.flags;
        if self.reader.rest().starts_with('?') {
            self.reader.next();
            let named = ["P<", "<"].into_iter().find(|opening| self.reader.rest().starts_with(opening));
            if let Some(opening) = named {
                self.reader.skip(opening.len());
                let Some(name) = self.reader.until('>').map(str::to_owned) else {
                    let all = self.reader.text.get(start..).unwrap_or_default();
                    return problem("invalid named capture", all);
                };
                let valid = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
                if !valid {
                    return problem("invalid named capture", self.reader.from(start));
                }
                if self.names.iter().flatten().any(|known| *known == name) {
                    return problem("duplicate capture group name", &name);
                }
                self.names.push(Some(name));
                self.out.push('(');
            } else if self.set_flags(start)? {
                // `(?i)`: for the rest of the group, and no atom.
                return Ok(());
            } else {
                self.out.push_str("(?:");
            }
        } else {
            self.names.push(None);
            self.out.push('(');
        }
        self.open.push((self.level, before));
        if self.open.len() > MAX_DEPTH {
            return problem("expression nests too deeply", self.reader.text);
        }
        self.level = Level { largest: 1, last: 1, ..Level::default() };
        Ok(())
    }

    /// After `(?`: flags; whether that was all, as in `(?i)`, rather than the beginning of a group, `(?i:`.
    fn set_flags(&mut self, start: usize) -> Result<bool, PatternError> {
        let (mut flags, mut value, mut seen) = (self.flags, true, false);
        loop {
            let next = self.reader.next();
            match next {
                Some('i') => flags.fold = value,
                Some('m') => flags.multiline = value,
                Some('s') => flags.dot_newline = value,
                Some('U') => flags.lazy = value,
                Some('-') if value => {
                    value = false;
                    seen = false;
                    continue;
                }
                Some(':' | ')') if value || seen => {
                    self.flags = flags;
                    return Ok(next == Some(')'));
                }
                None => return problem("missing closing )", self.reader.text),
                _ => return problem("invalid or unsupported Perl syntax", self.reader.from(start)),
            }
            seen = true;
        }
    }

    fn close_group(&mut self) -> Step {
        self.reader.next();
        let Some((mut level, flags)) = self.open.pop() else {
            return problem("unexpected )", self.reader.text);
        };
        self.out.push(')');
        level.atom = true;
        level.last = self.level.largest.max(1);
        level.largest = level.largest.max(level.last);
        level.repeated = None;
        self.level = level;
        self.flags = flags;
        Ok(())
    }

    /// `{n}`, `{n,}`, `{n,m}`; anything else after the brace makes it a literal.
    fn counted(&mut self, start: usize, repeated: Option<usize>) -> Step {
        let Some((least, most, length)) = counts(self.reader.rest()) else {
            self.reader.next();
            self.literal(u32::from('{'));
            return Ok(());
        };
        self.reader.skip(length);
        let too_many = least > MAX_REPEAT || most.is_some_and(|most| most > MAX_REPEAT || most < least);
        if too_many {
            return problem("invalid repeat count", self.reader.from(start));
        }
        let operator = match most {
            Some(most) if most == least => format!("{{{least}}}"),
            Some(most) => format!("{{{least},{most}}}"),
            None => format!("{{{least},}}"),
        };
        self.repeat(start, repeated, &operator, least, most, true)
    }

    fn repeat(
        &mut self,
        start: usize,
        repeated: Option<usize>,
        operator: &str,
        least: u32,
        most: Option<u32>,
        counted: bool,
    ) -> Step {
        let mut lazy = self.flags.lazy;
        if self.reader.peek() == Some('?') {
            self.reader.next();
            lazy = !lazy;
        }
        if let Some(repeated) = repeated {
            return problem("invalid nested repetition operator", self.reader.from(repeated));
        }
        if !self.level.atom {
            return problem("missing argument to repetition operator", self.reader.from(start));
        }
        let times = most.unwrap_or(least);
        if counted && (least >= 2 || times >= 2) {
            let product = times.saturating_mul(self.level.last);
            if product > MAX_REPEAT {
                return problem("invalid repeat count", self.reader.from(start));
            }
            self.level.last = product.max(1);
            self.level.largest = self.level.largest.max(self.level.last);
        }
        self.out.push_str(operator);
        if lazy {
            self.out.push('?');
        }
        self.level.repeated = Some(start);
        Ok(())
    }
}

/// The counts of a repetition and its length in bytes; `None`: it is none.
fn counts(text: &str) -> Option<(u32, Option<u32>, usize)> {
    let end = text.find('}')?;
    let inside = text.get(1..end)?;
    // As Go, which reads numbers without leading zeros; very large ones are too large anyway.
    let number = |digits: &str| -> Option<u32> {
        let plain = !digits.is_empty()
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && (digits.len() == 1 || !digits.starts_with('0'));
        plain.then(|| digits.parse().unwrap_or(u32::MAX))
    };
    let (least, most) = match inside.split_once(',') {
        None => (number(inside)?, Some(number(inside)?)),
        Some((least, "")) => (number(least)?, None),
        Some((least, most)) => (number(least)?, Some(number(most)?)),
    };
    Some((least, most, end + 1))
}
