//! The formats that strings can be asked to have; what is no format that is known, every string has.

use super::super::uris::Reference;
use crate::rego::builtins::{BuiltinError, Call};
use crate::rego::pattern::PatternError;
use crate::rego::time::parse as parse_time;
use std::net::IpAddr;

/// Whether a string has a format.
///
/// # Errors
/// If that is not judged here.
pub(super) fn has_format(call: &mut Call<'_, '_>, format: &str, text: &str) -> Result<bool, BuiltinError> {
    let is_time = |layout: &str| parse_time(layout, text).is_ok();
    Ok(match format {
        "date" => is_time(DATE),
        "time" => is_time(FULL_TIME) || is_time(TIME),
        "date-time" => [TIME, FULL_TIME, DATE, INSTANT].into_iter().any(is_time),
        "hostname" => is_hostname(text),
        "email" | "idn-email" => return is_address(text),
        "ipv4" => text.parse::<IpAddr>().is_ok() && text.contains('.'),
        "ipv6" => text.parse::<IpAddr>().is_ok() && text.contains(':'),
        "uri" | "iri" => {
            Reference::parse(text).is_ok_and(|reference| reference.has_scheme()) && !text.contains('\\')
        }
        "uri-reference" | "iri-reference" => Reference::parse(text).is_ok() && !text.contains('\\'),
        "uri-template" => {
            !text.contains('\\')
                && Reference::parse(text).is_ok_and(|reference| is_template(&reference.path()))
        }
        "uuid" => is_uuid(text),
        "regex" => match call.caches.regular(text) {
            Ok(_) => true,
            Err(PatternError::Syntax(_)) => false,
            Err(PatternError::Refused(why)) => return Err(BuiltinError::Halt(why.into())),
        },
        "json-pointer" => is_pointer(text),
        "relative-json-pointer" => {
            let rest = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
            let digits = text.len() - rest.len();
            let is_number = digits == 1 || digits > 1 && !text.starts_with('0');
            is_number && (rest == "#" || is_pointer(rest))
        }
        _ => true,
    })
}

const DATE: &str = "2006-01-02";
const TIME: &str = "15:04:05";
const FULL_TIME: &str = "15:04:05Z07:00";
const INSTANT: &str = "2006-01-02T15:04:05Z07:00";

fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        let ends = |end: Option<char>| end.is_some_and(|character| character.is_ascii_alphanumeric());
        label.len() <= 63
            && ends(label.chars().next())
            && ends(label.chars().last())
            && label.chars().all(|character| character.is_ascii_alphanumeric() || character == '-')
    };
    text.len() < 256 && text.split('.').all(is_label)
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// What is opened is closed.
fn is_template(path: &str) -> bool {
    let mut rest = path;
    while let Some((_, opened)) = rest.split_once('{') {
        let Some((_, closed)) = opened.split_once('}') else { return false };
        rest = closed;
    }
    true
}

fn is_pointer(text: &str) -> bool {
    (text.is_empty() || text.starts_with('/'))
        && text.split('~').skip(1).all(|after| after.starts_with(['0', '1']))
}

/// Whether a text is one address, as Go's `mail.ParseAddress` has it: with or without a name before it.
fn is_address(text: &str) -> Result<bool, BuiltinError> {
    if !text.contains('@') {
        return Ok(false);
    }
    if text.contains('(') || text.contains(';') || text.contains("=?") {
        let words = "mail addresses with comments, groups or encoded names are not judged here";
        return Err(BuiltinError::Halt(words.into()));
    }
    let text = text.trim_start_matches([' ', '\t']);
    if let Some(rest) = after_address(text) {
        return Ok(rest.trim_start_matches([' ', '\t']).is_empty());
    }
    let mut rest = text;
    if !rest.starts_with('<') {
        let mut words = 0;
        loop {
            rest = rest.trim_start_matches([' ', '\t']);
            let after = if rest.starts_with('"') { after_quoted(rest) } else { after_atom(rest, true) };
            let Some(after) = after else { break };
            (rest, words) = (after, words + 1);
        }
        if words == 0 {
            return Ok(false);
        }
    }
    let inside = rest.trim_start_matches([' ', '\t']).strip_prefix('<').and_then(after_address);
    let after = inside.and_then(|inside| inside.strip_prefix('>'));
    Ok(after.is_some_and(|after| after.trim_start_matches([' ', '\t']).is_empty()))
}

/// What follows `local@domain`.
fn after_address(text: &str) -> Option<&str> {
    let text = text.trim_start_matches([' ', '\t']);
    let after = if text.starts_with('"') { after_quoted(text)? } else { after_atom(text, false)? };
    let domain = after.strip_prefix('@')?;
    let domain = domain.trim_start_matches([' ', '\t']);
    match domain.strip_prefix('[') {
        Some(literal) => {
            let (inside, after) = literal.split_once(']')?;
            let address = inside.strip_prefix("IPv6:").unwrap_or(inside);
            address.parse::<IpAddr>().is_ok().then_some(after)
        }
        None => after_atom(domain, false),
    }
}

/// What follows letters with dots between them; in a name, dots may be anywhere.
fn after_atom(text: &str, in_name: bool) -> Option<&str> {
    let is_letter = |character: char| {
        !character.is_ascii() || character.is_ascii_graphic() && !"()<>[]:;@\\,\"".contains(character)
    };
    let end = text.find(|character| !is_letter(character)).unwrap_or(text.len());
    let (atom, after) = text.split_at(end);
    let dots = atom.starts_with('.') || atom.ends_with('.') || atom.contains("..");
    (!atom.is_empty() && (in_name || !dots)).then_some(after)
}

/// What follows a string in quotes; an empty one is none.
fn after_quoted(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('"')?;
    let mut escaped = false;
    for (at, character) in inside.char_indices() {
        let visible = !character.is_control() || character == '\t';
        match character {
            _ if escaped && visible => escaped = false,
            '\\' => escaped = true,
            '"' => return inside.get(at + 1..),
            _ if visible => {}
            _ => return None,
        }
    }
    None
}
