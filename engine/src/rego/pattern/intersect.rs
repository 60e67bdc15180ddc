//! Whether two patterns of `regex.globs_match` have a text in common: `.`, `[a-z]`, and the flags `*` and `+`.
//! The search is the one of OPA's library (yashtewari/glob-intersection), whose answers count, also where it
//! gives up early.

use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flag {
    None,
    Plus,
    Star,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Character(char),
    Dot,
    Set(BTreeSet<char>),
}

#[derive(Clone, Debug)]
struct Token {
    kind: Kind,
    flag: Flag,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rego) enum IntersectError<E> {
    /// A pattern is none.
    Invalid(String),
    /// The search was stopped.
    Stopped(E),
}

/// Patterns of more tokens are refused: the search recurses into them.
const MAX_TOKENS: usize = 500;

/// Whether two patterns have a text in common; `step` is asked before each step of the search.
///
/// # Errors
/// A pattern that is none, or what `step` says.
pub(in crate::rego) fn intersect<E>(
    left: &str,
    right: &str,
    step: &mut dyn FnMut() -> Result<(), E>,
) -> Result<bool, IntersectError<E>> {
    let (left, right) =
        (tokens(left).map_err(IntersectError::Invalid)?, tokens(right).map_err(IntersectError::Invalid)?);
    let Some((left, right)) = trimmed(&left, &right) else { return Ok(false) };
    Search { step }.normal(left, right).map_err(IntersectError::Stopped)
}

impl Token {
    fn meets(&self, other: &Token) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Dot, _) | (_, Kind::Dot) => true,
            (Kind::Character(left), Kind::Character(right)) => left == right,
            (Kind::Character(one), Kind::Set(set)) | (Kind::Set(set), Kind::Character(one)) => {
                set.contains(one)
            }
            (Kind::Set(left), Kind::Set(right)) => !left.is_disjoint(right),
        }
    }
}

/// The parts of two patterns that a plain comparison leaves over; `None`: they cannot meet.
fn trimmed<'t>(left: &'t [Token], right: &'t [Token]) -> Option<(&'t [Token], &'t [Token])> {
    let plain = |token: Option<&Token>| token.is_some_and(|token| token.flag == Flag::None);
    let mut from = 0;
    while plain(left.get(from)) && plain(right.get(from)) {
        if !left.get(from)?.meets(right.get(from)?) {
            return None;
        }
        from += 1;
    }
    // One token stays, so that neither side becomes empty.
    from = from.saturating_sub(1);
    let (left, right) = (left.get(from..)?, right.get(from..)?);
    let (mut left_end, mut right_end) = (left.len(), right.len());
    while left_end > 0 && right_end > 0 && plain(left.get(left_end - 1)) && plain(right.get(right_end - 1)) {
        if !left.get(left_end - 1)?.meets(right.get(right_end - 1)?) {
            return None;
        }
        left_end -= 1;
        right_end -= 1;
    }
    if left_end < left.len() {
        left_end += 1;
        right_end += 1;
    }
    Some((left.get(..left_end)?, right.get(..right_end)?))
}

struct Search<'s, E> {
    step: &'s mut dyn FnMut() -> Result<(), E>,
}

impl<E> Search<'_, E> {
    fn normal(&mut self, left: &[Token], right: &[Token]) -> Result<bool, E> {
        let (mut left, mut right) = (left, right);
        while let (Some((a, left_rest)), Some((b, right_rest))) = (left.split_first(), right.split_first()) {
            (self.step)()?;
            match (a.flag, b.flag) {
                (Flag::None, Flag::None) => {
                    if !a.meets(b) {
                        return Ok(false);
                    }
                }
                (Flag::Plus, _) => return self.plus(left, right),
                (Flag::Star, _) => return self.star(left, right),
                (Flag::None, Flag::Plus) => return self.plus(right, left),
                (Flag::None, Flag::Star) => return self.star(right, left),
            }
            (left, right) = (left_rest, right_rest);
        }
        Ok(left.is_empty() && right.is_empty())
    }

    fn plus(&mut self, plussed: &[Token], other: &[Token]) -> Result<bool, E> {
        let (Some((first, plussed_rest)), Some((next, other_rest))) =
            (plussed.split_first(), other.split_first())
        else {
            return Ok(false);
        };
        if !first.meets(next) {
            return Ok(false);
        }
        Ok(self.star(plussed, other_rest)?
            || (next.flag != Flag::None && self.normal(plussed_rest, other)?))
    }

    fn star(&mut self, starred: &[Token], other: &[Token]) -> Result<bool, E> {
        let Some((star, rest)) = starred.split_first() else { return Ok(false) };
        let after = rest.first();
        for (index, token) in other.iter().enumerate() {
            (self.step)()?;
            let ends_here = after.is_some_and(|after| token.meets(after));
            if ends_here && self.normal(rest, other.get(index..).unwrap_or_default())? {
                return Ok(true);
            }
            if !token.meets(star) {
                return Ok(false);
            }
        }
        Ok(after.is_none())
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let input: Vec<char> = text.chars().collect();
    let mut reader = Reader { text, input: &input, at: 0 };
    let mut tokens: Vec<Token> = Vec::new();
    while let Some(kind) = reader.kind()? {
        let token = Token { kind, flag: reader.flag()? };
        // Two equal tokens with flags are one.
        if let Some(last) = tokens.last_mut()
            && token.flag != Flag::None
            && last.flag != Flag::None
            && last.kind == token.kind
        {
            if token.flag == Flag::Plus {
                last.flag = Flag::Plus;
            }
            continue;
        }
        tokens.push(token);
        if tokens.len() > MAX_TOKENS {
            return Err(format!("the pattern has more than {MAX_TOKENS} tokens"));
        }
    }
    Ok(tokens)
}

struct Reader<'t> {
    text: &'t str,
    input: &'t [char],
    at: usize,
}

impl Reader<'_> {
    fn problem<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("input:{}, pos:{}, {what}: the input provided is invalid", self.text, self.at))
    }

    /// The next character, and whether it was escaped.
    fn next(&mut self) -> Result<Option<(char, bool)>, String> {
        match (self.input.get(self.at), self.input.get(self.at + 1)) {
            (None, _) => Ok(None),
            (Some('\\'), None) => self.problem("input ends with a \\ (escape) character"),
            (Some('\\'), Some(escaped)) => {
                self.at += 2;
                Ok(Some((*escaped, true)))
            }
            (Some(plain), _) => {
                self.at += 1;
                Ok(Some((*plain, false)))
            }
        }
    }

    fn kind(&mut self) -> Result<Option<Kind>, String> {
        Ok(Some(match self.next()? {
            None => return Ok(None),
            Some(('.', false)) => Kind::Dot,
            Some((']', false)) => return self.problem("set-close ']' with no preceding '['"),
            Some(('[', false)) => self.set()?,
            Some((flag @ ('+' | '*'), false)) => {
                return self.problem(&format!("flag '{flag}' must be preceded by a non-flag"));
            }
            Some((literal, _)) => Kind::Character(literal),
        }))
    }

    fn flag(&mut self) -> Result<Flag, String> {
        let before = self.at;
        match self.next()? {
            Some(('+', false)) => Ok(Flag::Plus),
            Some(('*', false)) => Ok(Flag::Star),
            _ => {
                self.at = before;
                Ok(Flag::None)
            }
        }
    }

    fn set(&mut self) -> Result<Kind, String> {
        let mut members = BTreeSet::new();
        let mut previous = None;
        while let Some((character, escaped)) = self.next()? {
            match character {
                ']' if !escaped => return Ok(Kind::Set(members)),
                '-' if !escaped => {
                    let Some(low) = previous.take() else {
                        return self.problem("range character '-' must be preceded by a Unicode character");
                    };
                    if self.at + 1 >= self.input.len() {
                        return self.problem("range character '-' must be followed by a Unicode character");
                    }
                    let Some((high, escaped)) = self.next()? else { break };
                    if !escaped && matches!(high, ']' | '-') {
                        return self.problem("range character '-' cannot be followed by a special symbol");
                    }
                    if high < low {
                        return self.problem(&format!(
                            "range is out of order: '{high}' comes before '{low}' in Unicode"
                        ));
                    }
                    members.extend(low..=high);
                }
                member => {
                    members.insert(member);
                    previous = Some(member);
                }
            }
        }
        self.problem("found [ without matching ]")
    }
}
