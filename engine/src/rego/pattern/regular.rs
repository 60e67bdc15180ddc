//! A compiled regular expression in Go's syntax, with Go's rules for finding, splitting and replacing.

use super::translate;
use regex::{Captures, Regex, RegexBuilder};

/// The most memory that one compiled pattern may take, in bytes: room for every pattern people write, none for
/// those that are made to fill it.
const SIZE_LIMIT: usize = 4 << 20;

/// Longer patterns are refused unread.
const MAX_PATTERN: usize = 64 << 10;

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rego) enum PatternError {
    /// It is none: in Go's words.
    Syntax(String),
    /// It is one, but not one that is compiled, for this reason.
    Refused(&'static str),
}

/// A pattern of more than is compiled.
pub(super) const TOO_LARGE: PatternError = PatternError::Refused("the pattern is too large");

/// A compiled regular expression.
#[derive(Clone, Debug)]
pub(in crate::rego) struct Regular {
    regex: Regex,
    /// The name of each group, the whole match first.
    names: Vec<Option<String>>,
}

impl Regular {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// For what Go refuses, and for what would take more memory than [`SIZE_LIMIT`].
    pub(in crate::rego) fn new(pattern: &str) -> Result<Self, PatternError> {
        if pattern.len() > MAX_PATTERN {
            return Err(TOO_LARGE);
        }
        let translated = translate(pattern)?;
        Ok(Self { regex: compile(&translated.pattern)?, names: translated.names })
    }

    /// Whether it matches anywhere.
    pub(in crate::rego) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The first matches, at most so many.
    pub(in crate::rego) fn find<'t>(&self, text: &'t str, most: usize) -> Vec<&'t str> {
        self.regex.find_iter(text).take(most).map(|found| found.as_str()).collect()
    }

    /// The first matches with their groups; a group that took no part is the empty string.
    pub(in crate::rego) fn find_groups<'t>(&self, text: &'t str, most: usize) -> Vec<Vec<&'t str>> {
        let groups = |captures: Captures<'t>| {
            captures.iter().map(|group| group.map_or("", |group| group.as_str())).collect()
        };
        self.regex.captures_iter(text).take(most).map(groups).collect()
    }

    /// The parts between the matches. A match of nothing at the very beginning does not cut.
    pub(in crate::rego) fn split<'t>(&self, text: &'t str) -> Vec<&'t str> {
        if text.is_empty() && !self.regex.as_str().is_empty() {
            return vec![""];
        }
        let (mut parts, mut begin, mut end) = (Vec::new(), 0, 0);
        for found in self.regex.find_iter(text) {
            end = found.start();
            if found.end() != 0 {
                parts.push(text.get(begin..end).unwrap_or_default());
            }
            begin = found.end();
        }
        if end != text.len() {
            parts.push(text.get(begin..).unwrap_or_default());
        }
        parts
    }

    /// Every match replaced; `grow` is asked before the result gets longer.
    ///
    /// # Errors
    /// What `grow` says.
    pub(in crate::rego) fn replace<E>(
        &self,
        text: &str,
        template: &str,
        mut grow: impl FnMut(usize) -> Result<(), E>,
    ) -> Result<String, E> {
        let mut out = String::with_capacity(text.len());
        let mut last = 0;
        for captures in self.regex.captures_iter(text) {
            let Some(whole) = captures.get(0) else { continue };
            out.push_str(text.get(last..whole.start()).unwrap_or_default());
            let before = out.len();
            self.expand(&mut out, template, &captures);
            grow(out.len() - before + 1)?;
            last = whole.end();
        }
        out.push_str(text.get(last..).unwrap_or_default());
        Ok(out)
    }

    /// Puts groups into a template: `$1`, `$name`, `${name}`, `$$`.
    fn expand(&self, out: &mut String, template: &str, captures: &Captures<'_>) {
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            rest = after;
            if let Some(after) = rest.strip_prefix('$') {
                out.push('$');
                rest = after;
                continue;
            }
            let Some((name, after)) = variable(rest) else {
                out.push('$');
                continue;
            };
            rest = after;
            let named = || self.names.iter().rposition(|known| known.as_deref() == Some(name));
            let group = index(name).or_else(named).and_then(|at| captures.get(at));
            out.push_str(group.map_or("", |group| group.as_str()));
        }
        out.push_str(rest);
    }
}

/// Compiles what was translated.
pub(super) fn compile(pattern: &str) -> Result<Regex, PatternError> {
    let built =
        RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).dfa_size_limit(SIZE_LIMIT).nest_limit(3000).build();
    built.map_err(|error| match error {
        regex::Error::Syntax(problem) => {
            let last = problem.lines().last().unwrap_or_default().trim_start_matches("error: ");
            PatternError::Syntax(format!("error parsing regexp: {last}"))
        }
        _ => TOO_LARGE,
    })
}

/// The name at the beginning of what follows a `$`, and what follows it.
fn variable(text: &str) -> Option<(&str, &str)> {
    let (inner, braced) = match text.strip_prefix('{') {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let end = inner.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(inner.len());
    let (name, after) = inner.split_at(end);
    let after = if braced { after.strip_prefix('}')? } else { after };
    (!name.is_empty()).then_some((name, after))
}

/// A name that is the number of a group.
fn index(name: &str) -> Option<usize> {
    let plain = name.len() == 1 || !name.starts_with('0');
    let number = name.parse().ok().filter(|number| *number < 100_000_000);
    if plain && name.bytes().all(|digit| digit.is_ascii_digit()) { number } else { None }
}
