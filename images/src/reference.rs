//! Image references as people write them, and patterns of repositories, each parsed once.
//!
//! The grammar is that of `github.com/distribution/reference` (regexp.go), the rule of what is a registry and what
//! is Docker Hub that of its normalize.go: what a node pulls is what is verified. The same rules stand in Rego
//! (`lib.image_reference`, `lib.registry_pattern`); a test compares the two.

use crate::digest::Digest;
use std::fmt;
use std::str::FromStr;

/// Docker Hub's name in a normalised reference.
pub const DOCKER_HUB: &str = "docker.io";

/// Where an image is: a registry's host, a repository in it, and a tag, a digest or both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    written: String,
    name_length: usize,
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// As it was written; policies see the image under this name.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// What was written without its tag and digest, such as `my-registry/my-app`.
    pub fn name(&self) -> &str {
        self.written.get(..self.name_length).unwrap_or_default()
    }

    /// The registry's host in lower case, with its port where one is given: `ghcr.io`, `localhost:5000`,
    /// [`DOCKER_HUB`] where none is.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path in the registry: `library/nginx`, `team/app`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag as written. Where neither tag nor digest is, a node asks for `latest`: see [`Self::asked`].
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest as written.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// What a registry is asked for: the digest if there is one, else the tag, else `latest`.
    pub fn asked(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, Some(tag)) => tag.clone(),
            (None, None) => "latest".to_owned(),
        }
    }

    /// The text that names the same image by `digest`; the tag stays for people to read.
    pub fn pinned(&self, digest: Digest) -> String {
        match &self.tag {
            Some(tag) => format!("{}:{tag}@{digest}", self.name()),
            None => format!("{}@{digest}", self.name()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.written)
    }
}

/// A text that names no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no image: {reason}")]
pub struct NotAReference {
    text: String,
    reason: &'static str,
}

impl FromStr for Reference {
    type Err = NotAReference;

    fn from_str(text: &str) -> Result<Self, NotAReference> {
        parse(text).map_err(|reason| NotAReference { text: text.chars().take(200).collect(), reason })
    }
}

fn parse(text: &str) -> Result<Reference, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() == 64 && text.bytes().all(is_hex) {
        return Err("64 hexadecimal digits are an image's identifier, which no registry can be asked for");
    }
    let (registry, remainder) = match text.split_once('/') {
        Some((first, rest)) if first == DOCKER_HUB || first == "index.docker.io" => (DOCKER_HUB, rest),
        Some((first, rest)) if is_host(first) => (first, rest),
        _ => (DOCKER_HUB, text),
    };
    if !is_registry(registry) {
        return Err("its registry is no host name");
    }
    let (named, digest) = match remainder.split_once('@') {
        Some((named, digest)) => {
            let digest =
                digest.parse().map_err(|_| "its digest is not `sha256:` and 64 hexadecimal digits")?;
            (named, Some(digest))
        }
        None => (remainder, None),
    };
    let (path, tag) = match named.split_once(':') {
        Some((path, tag)) if is_tag(tag) => (path, Some(tag.to_owned())),
        Some(_) => return Err("its tag is not up to 128 of `A-Z a-z 0-9 _ . -`, starting with none of `.-`"),
        None => (named, None),
    };
    if !path.split('/').all(is_component) {
        return Err("its repository is not lower-case letters, digits and single separators `. _ __ -`");
    }
    let repository = if registry == DOCKER_HUB && !path.contains('/') {
        format!("library/{path}")
    } else {
        path.to_owned()
    };
    if repository.len() > 255 {
        return Err("its repository is longer than 255 characters");
    }
    Ok(Reference {
        name_length: text.len() - remainder.len() + path.len(),
        written: text.to_owned(),
        registry: registry.to_ascii_lowercase(),
        repository,
        tag,
        digest,
    })
}

/// Whether the first component of a name is a host rather than an account on Docker Hub.
fn is_host(component: &str) -> bool {
    component == "localhost"
        || component.contains(['.', ':'])
        || component.bytes().any(|letter| letter.is_ascii_uppercase())
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.rfind(':') {
        Some(at) if !text.ends_with(']') => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        _ => (text, None),
    };
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host_fits = match address {
        Some(address) => {
            !address.is_empty() && address.bytes().all(|letter| is_hex_any_case(letter) || letter == b':')
        }
        None => host.split('.').all(is_label),
    };
    host_fits && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()))
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-')
}

fn is_tag(tag: &str) -> bool {
    tag.len() <= 128
        && tag.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_')
        && tag.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"_.-".contains(&letter))
}

/// Runs of lower-case letters and digits with one separator between each: `.`, `_`, `__`, or any number of `-`.
fn is_component(component: &str) -> bool {
    let alphanumeric = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    component.starts_with(alphanumeric)
        && component.ends_with(alphanumeric)
        && component.split(alphanumeric).filter(|separator| !separator.is_empty()).all(|separator| {
            matches!(separator, "." | "_" | "__") || separator.bytes().all(|each| each == b'-')
        })
}

fn is_hex(letter: u8) -> bool {
    letter.is_ascii_digit() || (b'a'..=b'f').contains(&letter)
}

fn is_hex_any_case(letter: u8) -> bool {
    letter.is_ascii_hexdigit()
}

/// Which repositories: a registry's host (`registry.example.com`, `localhost:5000`, `*.example.com` for its
/// subdomains), optionally with the first components of the repository (`ghcr.io/team`).
///
/// It ends on a component's boundary, so `ghcr.io/team` does not match `ghcr.io/team-evil/app`, and it is compared
/// with parsed references, never with texts, so that `ghcr.io.evil.example` and `ghcr.io@…` stay what they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RepositoryPattern {
    written: String,
    host: String,
    prefix: String,
}

impl RepositoryPattern {
    /// Whether the image is in one of these repositories.
    pub fn matches(&self, reference: &Reference) -> bool {
        self.host_matches(reference.registry()) && self.repository_matches(reference.repository())
    }

    /// As it was written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether a registry's host is one of those that the pattern names, whatever the repository.
    pub fn host_matches(&self, host: &str) -> bool {
        match self.host.strip_prefix('*') {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => host == self.host,
        }
    }

    fn repository_matches(&self, repository: &str) -> bool {
        match repository.strip_prefix(self.prefix.as_str()) {
            Some(rest) => self.prefix.is_empty() || rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }
}

/// A text that is no pattern of repositories.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no pattern of repositories: {reason}; `ghcr.io/team` or `*.example.com` would be")]
pub struct NotAPattern {
    text: String,
    reason: &'static str,
}

impl FromStr for RepositoryPattern {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, NotAPattern> {
        let refused = |reason| NotAPattern { text: text.chars().take(200).collect(), reason };
        let trimmed = text.strip_suffix('/').unwrap_or(text);
        let (host, prefix) = trimmed.split_once('/').unwrap_or((trimmed, ""));
        if host.is_empty() {
            return Err(refused("it names no registry"));
        }
        let bare = host.strip_prefix("*.").unwrap_or(host);
        if bare.contains('*') {
            return Err(refused("a `*` stands only for the subdomains, at its start"));
        }
        if !is_registry(bare) || !is_host(bare) {
            return Err(refused("its first component is no host name with a dot or a port"));
        }
        if !prefix.is_empty() && !prefix.split('/').all(is_component) {
            return Err(refused(
                "what follows the registry is no path of a repository; tags and `*` cannot be in it",
            ));
        }
        let host = host.to_ascii_lowercase();
        let host = if host == "index.docker.io" { DOCKER_HUB.to_owned() } else { host };
        Ok(Self { written: text.to_owned(), host, prefix: prefix.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Reference {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn references_are_taken_apart_as_a_node_does() {
        let cases = [
            ("nginx", "docker.io", "library/nginx", None),
            ("index.docker.io/nginx", "docker.io", "library/nginx", None),
            ("my-registry/my-app:latest", "docker.io", "my-registry/my-app", Some("latest")),
            ("localhost:5000/app", "localhost:5000", "app", None),
            ("localhost/app:v1", "localhost", "app", Some("v1")),
            ("GHCR.io/team/app", "ghcr.io", "team/app", None),
            ("Team/app", "team", "app", None),
            ("[fd00::1]:5000/a__b/c---d:x", "[fd00::1]:5000", "a__b/c---d", Some("x")),
            ("nginx:5000", "docker.io", "library/nginx", Some("5000")),
        ];
        for (text, registry, repository, tag) in cases {
            let reference = parsed(text);
            assert_eq!(
                (reference.registry(), reference.repository(), reference.tag()),
                (registry, repository, tag),
                "{text}"
            );
        }
    }

    #[test]
    fn what_a_node_could_not_pull_names_no_image() {
        let identifier = "a".repeat(64);
        let long = format!("ghcr.io/{}", "a".repeat(256));
        let tag = format!("app:{}", "t".repeat(129));
        for bad in [
            "",
            " ",
            "app ",
            "App",
            "a//b",
            "/app",
            "app/",
            "app:",
            "app@",
            "a..b",
            "a___b",
            "-app",
            "app-",
            "app:-v",
            "ghcr.io/",
            "ghcr.io:x/app",
            "app@sha256:00",
            "app@sha512:00",
            "app:v1:v2",
            "app@sha256:ABC",
            "[::g]/app",
            "a_b.c:d/e/f",
            "ghcr.io/app\n",
            &identifier,
            &long,
            &tag,
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_digest_wins_and_a_tag_stays_to_be_read() {
        let digest = Digest::of(b"manifest");
        let both = parsed(&format!("ghcr.io/team/app:v1@{digest}"));
        assert_eq!((both.asked(), both.name()), (digest.to_string(), "ghcr.io/team/app"));
        assert_eq!(both.pinned(digest), both.written());
        assert_eq!(parsed("my-app:v1").pinned(digest), format!("my-app:v1@{digest}"));
        assert_eq!(parsed("my-app").pinned(digest), format!("my-app@{digest}"));
        assert_eq!(parsed("my-app").asked(), "latest");
    }

    #[test]
    fn a_pattern_ends_where_a_component_does() {
        let cases = [
            ("ghcr.io/team", "ghcr.io/team/app:v1", true),
            ("ghcr.io/team/", "ghcr.io/team", true),
            ("ghcr.io/team", "ghcr.io/team-evil/app", false),
            ("ghcr.io", "ghcr.io.evil.example/app", false),
            ("GHCR.io", "ghcr.io/app", true),
            ("*.example.com", "registry.example.com/app", true),
            ("*.example.com", "example.com/app", false),
            ("*.example.com", "evilexample.com/app", false),
            ("index.docker.io/library", "nginx", true),
            ("docker.io/library", "team/app", false),
            ("localhost:5000", "localhost:5001/app", false),
        ];
        for (pattern, reference, expected) in cases {
            let pattern: RepositoryPattern = pattern.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(pattern.matches(&parsed(reference)), expected, "{} {reference}", pattern.written());
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in [
            "",
            "/",
            "*",
            "team",
            "ghcr.io/team/*",
            "g*.io",
            "ghcr.io/team:v1",
            "*.*.com",
            "ghcr.io//x",
            "https://ghcr.io",
        ] {
            assert!(bad.parse::<RepositoryPattern>().is_err(), "{bad:?}");
        }
    }
}
