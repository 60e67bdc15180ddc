//! Credentials as pull secrets hold them (`.dockerconfigjson`), and which of them fit an image: the kubelet's rules
//! (`pkg/credentialprovider/keyring.go`), so that what a node can pull is what can be looked at.

use crate::reference::DOCKER_HUB;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// A user and a password, or a token in the place of one. It shows neither.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credential {
    user: String,
    password: String,
}

impl Credential {
    /// A user and a password.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self { user: user.into(), password: password.into() }
    }

    /// Whether it says nothing: tools leave such entries where a helper has the password.
    pub fn is_empty(&self) -> bool {
        self.user.is_empty() && self.password.is_empty()
    }

    /// The value of an `Authorization` header (RFC 7617).
    pub(super) fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.user, self.password)))
    }

    /// Tells credentials apart without telling what they are: for keys of caches.
    pub fn scope(&self) -> [u8; 32] {
        *crate::digest::Digest::of(format!("{}\0{}", self.user, self.password).as_bytes()).bytes()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Credential(…)")
    }
}

/// All credentials of some pull secrets, the most specific first.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// The host, each label of which may have `*` in it, and its port.
    host: String,
    port: String,
    /// A path that repositories must begin with, with its slash; empty: any.
    path: String,
    credential: Credential,
}

/// Why a pull secret gives no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCredentials {
    /// Not `{"auths": {…}}`.
    #[error("it is no `.dockerconfigjson`: an object with `auths` is one")]
    Shape,
    /// `auth` of one registry.
    #[error("`auth` for `{0}` is not the Base64 of `user:password`")]
    Auth(String),
}

#[derive(Deserialize)]
struct File {
    auths: BTreeMap<String, Login>,
}

#[derive(Deserialize)]
struct Login {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    auth: String,
}

impl Keyring {
    /// No credentials: everything is asked by nobody in particular.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the credentials of a `.dockerconfigjson`.
    ///
    /// # Errors
    /// If it is none; no part of its text is in the words but the names of registries.
    pub fn add(&mut self, secret: &[u8]) -> Result<(), NotCredentials> {
        let file: File = serde_json::from_slice(secret).map_err(|_| NotCredentials::Shape)?;
        for (registry, login) in file.auths {
            let credential = login.credential().ok_or_else(|| NotCredentials::Auth(registry.clone()))?;
            self.insert(&registry, credential);
        }
        Ok(())
    }

    /// Adds one credential for a registry as `.dockerconfigjson` names it: `https://index.docker.io/v1/`,
    /// `ghcr.io`, `*.example.com`, `registry.example.com:5000/team`.
    pub fn insert(&mut self, registry: &str, credential: Credential) {
        let bare =
            registry.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
        let (authority, path) = bare.split_once('/').unwrap_or((bare, ""));
        let path = match path {
            // What stands there for the API's version is no repository.
            "" | "v1" | "v2" => String::new(),
            path => format!("/{path}"),
        };
        let (host, port) = split_port(authority);
        self.entries.push(Entry {
            host: canonical(host).to_ascii_lowercase(),
            port: port.to_owned(),
            path,
            credential,
        });
        self.sort();
    }

    /// Adds all of another; where both have one that is as specific, those that were there are tried first.
    pub fn join(&mut self, other: &Self) {
        self.entries.extend(other.entries.iter().cloned());
        self.sort();
    }

    /// Longer names are more specific; the kubelet sorts in reverse by text, which tries longer paths first.
    fn sort(&mut self) {
        self.entries.sort_by(|left, right| {
            (right.path.len(), right.host.len())
                .cmp(&(left.path.len(), left.host.len()))
                .then_with(|| right.host.cmp(&left.host))
        });
    }

    /// The credentials that fit a repository, in the order in which they are tried.
    pub fn matching<'k>(
        &'k self,
        registry: &'k str,
        repository: &'k str,
    ) -> impl Iterator<Item = &'k Credential> {
        let (host, port) = split_port(registry);
        let path = format!("/{repository}");
        self.entries
            .iter()
            .filter(move |entry| {
                entry.port == port && host_fits(&entry.host, canonical(host)) && path.starts_with(&entry.path)
            })
            .map(|entry| &entry.credential)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Login {
    fn credential(self) -> Option<Credential> {
        if self.auth.is_empty() {
            return Some(Credential::new(self.username, self.password));
        }
        // Some tools wrap lines, and some pad with NUL.
        let text: String = self.auth.chars().filter(|letter| !letter.is_whitespace()).collect();
        let plain = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
        let (user, password) = plain.split_once(':')?;
        Some(Credential::new(user, password.trim_end_matches('\0')))
    }
}

/// Docker Hub has three names.
fn canonical(host: &str) -> &str {
    if matches!(host, "index.docker.io" | "registry-1.docker.io") { DOCKER_HUB } else { host }
}

fn split_port(authority: &str) -> (&str, &str) {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) && !port.is_empty() => {
            (host, port)
        }
        _ => (authority, ""),
    }
}

/// As many labels, and each as the pattern's has it.
fn host_fits(pattern: &str, host: &str) -> bool {
    let (mut wanted, mut given) = (pattern.split('.'), host.split('.'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if label_fits(wanted.as_bytes(), given.as_bytes()) => {}
            _ => return false,
        }
    }
}

/// `*` is any number of characters of one label.
fn label_fits(pattern: &[u8], label: &[u8]) -> bool {
    match pattern.split_first() {
        None => label.is_empty(),
        Some((b'*', rest)) => {
            (0..=label.len()).any(|from| label.get(from..).is_some_and(|tail| label_fits(rest, tail)))
        }
        Some((letter, rest)) => label
            .split_first()
            .is_some_and(|(first, tail)| first.eq_ignore_ascii_case(letter) && label_fits(rest, tail)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users<'k>(keyring: &'k Keyring, registry: &'k str, repository: &'k str) -> Vec<&'k str> {
        keyring.matching(registry, repository).map(|credential| credential.user.as_str()).collect()
    }

    #[test]
    fn the_most_specific_credential_is_tried_first() {
        let mut keyring = Keyring::new();
        for (registry, user) in [
            ("https://index.docker.io/v1/", "hub"),
            ("registry.example.com", "host"),
            ("registry.example.com/team", "team"),
            ("registry.example.com/team/app", "app"),
            ("*.example.com", "any"),
            ("registry.example.com:5000", "port"),
            ("prefix*.example.com", "prefix"),
        ] {
            keyring.insert(registry, Credential::new(user, "p"));
        }
        assert_eq!(users(&keyring, "docker.io", "library/nginx"), ["hub"]);
        assert_eq!(users(&keyring, "registry.example.com", "team/app"), ["app", "team", "host", "any"]);
        assert_eq!(users(&keyring, "registry.example.com", "other"), ["host", "any"]);
        assert_eq!(users(&keyring, "registry.example.com:5000", "team/app"), ["port"]);
        assert_eq!(users(&keyring, "prefix-1.example.com", "x"), ["prefix", "any"]);
        // A `*` does not go over a dot, and a host is not a suffix of another.
        assert!(users(&keyring, "a.b.example.com", "x").is_empty());
        assert!(users(&keyring, "registry.example.com.evil.example", "team/app").is_empty());
    }

    #[test]
    fn a_pull_secret_is_read_as_docker_writes_it() {
        let auth = STANDARD.encode("user:pass:word");
        let mut keyring = Keyring::new();
        keyring.add(format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{auth}"}},"quay.io":{{"username":"q","password":"s"}}}}}}"#).as_bytes()).unwrap();
        let found: Vec<_> = keyring.matching("ghcr.io", "x").cloned().collect();
        assert_eq!(found, [Credential::new("user", "pass:word")]);
        assert_eq!(format!("{found:?}"), "[Credential(…)]");
        assert_eq!(users(&keyring, "quay.io", "x"), ["q"]);
    }

    #[test]
    fn what_is_no_pull_secret_is_refused_without_its_text() {
        let mut keyring = Keyring::new();
        for bad in ["", "{}", "[]", r#"{"auths":[]}"#, r#"{"auths":{"x.io":"s3cret"}}"#] {
            assert_eq!(keyring.add(bad.as_bytes()), Err(NotCredentials::Shape), "{bad}");
        }
        let bad = format!(r#"{{"auths":{{"x.io":{{"auth":"{}"}}}}}}"#, STANDARD.encode("s3cret"));
        let error = keyring.add(bad.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("x.io") && !error.contains("s3cret"), "{error}");
        assert!(keyring.is_empty());
    }
}
