//! `uri.*`: references as Go's `net/url` reads them.

use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::rego::text::quote::write_quoted;
use crate::value::bytes::{bytes_of, text_from};
use crate::value::{Object, Value};

pub(super) const TABLE: &[Builtin] = &[
    function("uri.is_valid", &[Type::String], Type::Boolean, is_valid),
    function("uri.parse", &[Type::String], Type::Object(&[], Some((&Type::String, &Type::String))), parse),
];

/// The parts of a reference.
#[derive(Debug, Default)]
pub(super) struct Reference {
    scheme: String,
    /// With its port.
    pub(super) host: String,
    path: Vec<u8>,
    raw_path: String,
    /// As written, without the `?`.
    pub(super) query: String,
    fragment: Vec<u8>,
}

/// Where a part of a reference stands decides which characters it may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Host,
    Zone,
    User,
    Path,
    Fragment,
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    write_quoted(&mut out, text, false);
    out
}

fn unescape(text: &str, part: Part) -> Result<Vec<u8>, String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte != b'%' {
            let host = matches!(part, Part::Host | Part::Zone);
            if host && byte.is_ascii() && must_escape(*byte, part) {
                return Err(format!(
                    "invalid character {} in host name",
                    quoted(text.get(at..=at).unwrap_or_default())
                ));
            }
            out.push(*byte);
            at += 1;
            continue;
        }
        let digits = text.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()));
        let Some(value) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else {
            let end = (at + 3).min(bytes.len());
            let shown = text_from(bytes.get(at..end).unwrap_or_default()).into_owned();
            return Err(format!("invalid URL escape {}", quoted(&shown)));
        };
        let escape = text.get(at..at + 3).unwrap_or_default();
        // In a host only what is not ASCII may be escaped; in a zone, `%25` and what is harmless.
        let refused = match part {
            Part::Host => value < 0x80 && escape != "%25",
            Part::Zone => escape != "%25" && value != b' ' && must_escape(value, Part::Host),
            _ => false,
        };
        if refused {
            return Err(format!("invalid URL escape {}", quoted(escape)));
        }
        out.push(value);
        at += 3;
    }
    Ok(out)
}

fn must_escape(byte: u8, part: Part) -> bool {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => false,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'[' | b']'
        | b'<' | b'>' | b'"'
            if matches!(part, Part::Host | Part::Zone) =>
        {
            false
        }
        b'$' | b'&' | b'+' | b',' | b'/' | b':' | b';' | b'=' | b'?' | b'@' => match part {
            Part::Path => byte == b'?',
            Part::User => matches!(byte, b'@' | b'/' | b'?' | b':'),
            Part::Fragment => false,
            Part::Host | Part::Zone => true,
        },
        b'!' | b'(' | b')' | b'*' if part == Part::Fragment => false,
        _ => true,
    }
}

/// What Go writes for a part.
fn escape(bytes: &[u8], part: Part) -> String {
    let mut text = String::new();
    for byte in bytes {
        if must_escape(*byte, part) {
            text.push_str(&format!("%{byte:02X}"));
        } else {
            text.push(char::from(*byte));
        }
    }
    text
}

impl Reference {
    /// Reads a reference.
    ///
    /// # Errors
    /// In Go's words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut reference =
            Self::without_fragment(rest).map_err(|why| format!("parse {}: {why}", quoted(rest)))?;
        reference.fragment =
            unescape(fragment, Part::Fragment).map_err(|why| format!("parse {}: {why}", quoted(text)))?;
        Ok(reference)
    }

    fn without_fragment(text: &str) -> Result<Self, String> {
        let mut reference = Self::default();
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        if text == "*" {
            reference.path = b"*".to_vec();
            return Ok(reference);
        }
        let (scheme, rest) = scheme(text)?;
        reference.scheme = scheme.to_ascii_lowercase();
        let rest = match rest.strip_suffix('?') {
            Some(before) if !before.contains('?') => before,
            _ => match rest.split_once('?') {
                Some((before, query)) => {
                    query.clone_into(&mut reference.query);
                    before
                }
                None => rest,
            },
        };
        if !rest.starts_with('/') {
            if !reference.scheme.is_empty() {
                // Opaque, such as `mailto:a@b`: nothing in it has a name.
                return Ok(reference);
            }
            let segment = rest.split('/').next().unwrap_or_default();
            if segment.contains(':') {
                return Err("first path segment in URL cannot contain colon".to_owned());
            }
        }
        let mut path = rest;
        let has_authority =
            rest.starts_with("//") && (!reference.scheme.is_empty() || !rest.starts_with("///"));
        if has_authority {
            let after = rest.get(2..).unwrap_or_default();
            let end = after.find('/').unwrap_or(after.len());
            let (authority, after) = after.split_at(end);
            path = after;
            reference.host = host(authority)?;
        }
        reference.set_path(path)?;
        Ok(reference)
    }

    fn set_path(&mut self, path: &str) -> Result<(), String> {
        self.path = unescape(path, Part::Path)?;
        // Kept only where it is not what the path would be written as.
        if escape(&self.path, Part::Path) != path {
            path.clone_into(&mut self.raw_path);
        }
        Ok(())
    }

    /// Whether it begins with a scheme.
    pub(super) fn has_scheme(&self) -> bool {
        !self.scheme.is_empty()
    }

    /// The path, without escapes.
    pub(super) fn path(&self) -> String {
        text_from(&self.path).into_owned()
    }

    /// The fragment, without escapes.
    pub(super) fn fragment(&self) -> String {
        text_from(&self.fragment).into_owned()
    }

    /// The path as Go writes it: as it was written, if that was well-formed.
    pub(super) fn escaped_path(&self) -> String {
        let plain = |byte: u8| b"!$&'()*+,;=:@[]%".contains(&byte) || !must_escape(byte, Part::Path);
        if !self.raw_path.is_empty() && self.raw_path.bytes().all(plain) {
            return self.raw_path.clone();
        }
        if self.path == b"*" { "*".to_owned() } else { escape(&self.path, Part::Path) }
    }

    /// Without port and brackets.
    fn hostname(&self) -> &str {
        let host = self.without_port().0;
        host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host)
    }

    fn without_port(&self) -> (&str, &str) {
        match self.host.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => (host, port),
            _ => (&self.host, ""),
        }
    }
}

/// The scheme and what follows its colon; no scheme is the empty one.
fn scheme(text: &str) -> Result<(&str, &str), String> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default())),
            _ => break,
        }
    }
    Ok(("", text))
}

/// The host of an authority, with its port.
fn host(authority: &str) -> Result<String, String> {
    let host = match authority.rsplit_once('@') {
        None => authority,
        Some((user, host)) => {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
            if !user.chars().all(allowed) {
                return Err("net/url: invalid userinfo".to_owned());
            }
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            unescape(name, Part::User)?;
            unescape(password, Part::User)?;
            host
        }
    };
    let valid_port = |port: &str| {
        let digits = port.strip_prefix(':');
        port.is_empty() || digits.is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))
    };
    let invalid_port = |port: &str| Err(format!("invalid port {} after host", quoted(port)));
    if let Some(open) = host.rfind('[') {
        if open > 0 {
            return Err("invalid IP-literal".to_owned());
        }
        let Some(end) = host.rfind(']') else { return Err("missing ']' in host".to_owned()) };
        let port = host.get(end + 1..).unwrap_or_default();
        if !valid_port(port) {
            return invalid_port(port);
        }
        let inside = host.get(1..end).unwrap_or_default();
        let literal = match inside.find("%25") {
            Some(zone) => {
                let address = unescape(inside.get(..zone).unwrap_or_default(), Part::Host)?;
                let name = unescape(inside.get(zone..).unwrap_or_default(), Part::Zone)?;
                [address, name].concat()
            }
            None => unescape(inside, Part::Host)?,
        };
        let literal = text_from(&literal).into_owned();
        let address = literal.split_once('%').map_or(literal.as_str(), |(address, _)| address);
        let zone_fits = !literal.ends_with('%');
        if address.parse::<std::net::Ipv6Addr>().is_err() || !zone_fits {
            return Err(format!("invalid host: ParseAddr({}): unable to parse IP", quoted(&literal)));
        }
        return Ok(format!("[{literal}]{port}"));
    }
    if let Some(colon) = host.rfind(':') {
        let port = host.get(colon..).unwrap_or_default();
        if !valid_port(port) {
            return invalid_port(port);
        }
        if host.get(..colon).is_some_and(|before| before.contains(':')) {
            return invalid_port(host.get(host.find(':').unwrap_or(colon)..).unwrap_or_default());
        }
    }
    Ok(text_from(&unescape(host, Part::Host)?).into_owned())
}

fn is_valid<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = operand::at(arguments, 1).as_str().unwrap_or_default();
    call.spend(text.len() / 16)?;
    Ok(Some(Value::Bool(!text.is_empty() && Reference::parse(text).is_ok())))
}

/// The parts of a reference, its host with the port.
pub(super) fn parts<'a>(call: &Call<'a, '_>, text: &str) -> Result<Object<'a>, String> {
    let reference = Reference::parse(text)?;
    let (path, fragment) =
        (text_from(&reference.path).into_owned(), text_from(&reference.fragment).into_owned());
    let members = [
        ("scheme", reference.scheme.as_str()),
        ("host", &reference.host),
        ("path", &path),
        ("raw_query", &reference.query),
        ("fragment", &fragment),
    ];
    Ok(Object::new(&call.arena, members.into_iter().map(|(name, text)| (name, call.text(text))).collect()))
}

fn parse<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    call.spend(text.len() / 8)?;
    let reference = Reference::parse(text).map_err(BuiltinError::failed)?;
    let path = text_from(&reference.path).into_owned();
    let raw_path =
        if path.is_empty() || !reference.raw_path.is_empty() { &reference.raw_path } else { &path };
    let fragment = text_from(&reference.fragment).into_owned();
    let members = [
        ("scheme", reference.scheme.as_str()),
        ("hostname", reference.hostname()),
        ("port", reference.without_port().1),
        ("path", &path),
        ("raw_path", raw_path),
        ("raw_query", &reference.query),
        ("fragment", &fragment),
    ];
    let members = members.into_iter().filter(|(_, text)| !text.is_empty());
    let members = members.map(|(name, text)| (name, call.text(&text_from(&bytes_of(text))))).collect();
    Ok(Some(Value::Object(Object::new(&call.arena, members))))
}
