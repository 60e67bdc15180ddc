//! What a registry asks for before it answers: the `WWW-Authenticate` header (RFC 9110 §11.6.1) as registries write
//! it, and the token that the distribution specification's "token authentication" gives.

use serde::Deserialize;

/// How a registry wants to know who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with each request (RFC 7617).
    Basic,
    /// A token from the realm.
    Bearer {
        /// The URL that gives tokens.
        realm: String,
        /// Who the token is for.
        service: Option<String>,
        /// What it is for, where the registry says it.
        scope: Option<String>,
    },
}

/// The first challenge of a kind that is known, over all headers; tokens are preferred.
pub(super) fn read<'h>(headers: impl Iterator<Item = &'h str>) -> Option<Challenge> {
    let found: Vec<Challenge> = headers.filter_map(one).collect();
    let bearer = found.iter().find(|challenge| matches!(challenge, Challenge::Bearer { .. }));
    bearer.or(found.first()).cloned()
}

fn one(header: &str) -> Option<Challenge> {
    let (scheme, rest) = header.trim().split_once([' ', '\t']).unwrap_or((header.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut parameters = Parameters(rest);
    let (mut realm, mut service, mut scope) = (None, None, None);
    for (name, value) in parameters.by_ref() {
        match name.to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value),
            "service" => service = Some(value),
            "scope" => scope = Some(value),
            _ => {}
        }
    }
    Some(Challenge::Bearer { realm: realm?, service, scope })
}

/// `name="value", name=value …`, with quoted pairs.
struct Parameters<'t>(&'t str);

impl Iterator for Parameters<'_> {
    type Item = (String, String);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.trim_start_matches([' ', '\t', ',']);
        let (name, rest) = text.split_once('=')?;
        let (value, rest) = if let Some(quoted) = rest.strip_prefix('"') {
            unquoted(quoted)?
        } else {
            let (value, rest) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
            (value.trim().to_owned(), rest)
        };
        self.0 = rest;
        Some((name.trim().to_owned(), value))
    }
}

/// What stands before the closing quote, and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(letters.next()?.1),
            _ => value.push(letter),
        }
    }
    None
}

/// The answer of a realm.
#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// The token in a realm's answer, and for how many seconds it holds: 60 where it does not say, as the specification
/// has it.
pub(super) fn token(answer: &[u8]) -> Result<(String, u64), &'static str> {
    let answer: Answer = serde_json::from_slice(answer).map_err(|_| "it is no JSON object with a token")?;
    let token = [answer.token, answer.access_token].into_iter().flatten().find(|token| !token.is_empty());
    let token = token.ok_or("it has neither `token` nor `access_token`")?;
    if token.bytes().any(|byte| !(0x21..0x7f).contains(&byte)) {
        return Err("its token cannot stand in a header");
    }
    Ok((token, answer.expires_in.unwrap_or(60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.into(),
            service: service.map(Into::into),
            scope: scope.map(Into::into),
        }
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let cases = [
            (
                vec![
                    r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
                ],
                Some(bearer(
                    "https://auth.docker.io/token",
                    Some("registry.docker.io"),
                    Some("repository:a/b:pull,push"),
                )),
            ),
            (vec![r"bearer realm=https://x/t , service=y"], Some(bearer("https://x/t", Some("y"), None))),
            (vec![r#"Basic realm="it \"says\" so""#], Some(Challenge::Basic)),
            (vec!["Basic realm=x", r#"Bearer realm="https://x""#], Some(bearer("https://x", None, None))),
            (vec![r#"Bearer service="no realm""#], None),
            (vec![r#"Bearer realm="unclosed"#], None),
            (vec!["Negotiate"], None),
            (vec![""], None),
        ];
        for (headers, expected) in cases {
            assert_eq!(read(headers.iter().copied()), expected, "{headers:?}");
        }
    }

    #[test]
    fn tokens_are_taken_from_either_field() {
        assert_eq!(token(br#"{"token":"a","expires_in":300}"#), Ok(("a".into(), 300)));
        assert_eq!(token(br#"{"token":"","access_token":"b"}"#), Ok(("b".into(), 60)));
        assert!(token(br#"{"access_token":"a\r\nHost: evil"}"#).is_err());
        assert!(token(b"{}").is_err());
        assert!(token(b"<html>").is_err());
    }
}
