//! Parts of an image reference, for `AssignImage`.

/// Domain, path, and tag or digest; the last with its `:` or `@`. Empty: not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ImageParts {
    pub(crate) domain: String,
    pub(crate) path: String,
    pub(crate) tag: String,
}

impl ImageParts {
    fn of(reference: &str) -> Self {
        let (domain, rest) = split_domain(reference);
        let (path, tag) = rest.split_at(rest.find([':', '@']).unwrap_or(rest.len()));
        Self { domain: domain.into(), path: path.into(), tag: tag.into() }
    }

    /// The reference with these parts in place of its own.
    pub(crate) fn applied_to(&self, reference: &str) -> String {
        let old = Self::of(reference);
        let pick = |own: &str, old: String| if own.is_empty() { old } else { own.to_owned() };
        let domain = pick(&self.domain, old.domain);
        let slash = if domain.is_empty() { "" } else { "/" };
        format!("{domain}{slash}{}{}", pick(&self.path, old.path), pick(&self.tag, old.tag))
    }

    /// Whether applying them twice is applying them once; what is wrong, in words.
    pub(crate) fn problem(&self) -> Option<String> {
        let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let Self { domain, path, tag } = self;
        if domain.is_empty() && path.is_empty() && tag.is_empty() {
            return Some("one of `assignDomain`, `assignPath` and `assignTag` must be set".into());
        }
        if !domain.is_empty() && !is_domain(domain, word) {
            return Some(format!(
                "`assignDomain` is `{domain}`; must be a host with a dot, or localhost, and perhaps a port"
            ));
        }
        if !path.is_empty() && !is_path(path) {
            return Some(format!(
                "`assignPath` is `{path}`; must be lower-case names with `/`, `.`, `_` or `-` between them"
            ));
        }
        if !tag.is_empty() && !is_tag(tag, word) {
            return Some(format!("`assignTag` is `{tag}`; must be `:` and a tag, or `@` and a digest"));
        }
        (domain.is_empty() && !split_domain(path).0.is_empty())
            .then(|| format!("`assignPath` `{path}` begins like a domain; set `assignDomain` as well"))
    }
}

fn split_domain(reference: &str) -> (&str, &str) {
    match reference.split_once('/') {
        Some((head, rest)) if head.contains(['.', ':']) || head == "localhost" => (head, rest),
        _ => ("", reference),
    }
}

fn is_domain(domain: &str, word: impl Fn(char) -> bool) -> bool {
    let (host, port) = domain.split_once(':').map_or((domain, None), |(host, port)| (host, Some(port)));
    let port_fits =
        port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let ends = host.starts_with(&word) && host.ends_with(&word);
    let inside = host.chars().all(|character| word(character) || character == '-' || character == '.');
    let dotted = host.split_once('.').is_some_and(|(first, _)| !first.is_empty());
    port_fits && (host == "localhost" || (ends && inside && dotted))
}

/// Runs of lower-case letters and digits, separated by one of `.` `_` `/`, by `__`, or by dashes.
fn is_path(path: &str) -> bool {
    let plain = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    if !(path.starts_with(plain) && path.ends_with(plain)) {
        return false;
    }
    path.split(plain)
        .filter(|gap| !gap.is_empty())
        .all(|gap| matches!(gap, "." | "_" | "/" | "__") || gap.bytes().all(|byte| byte == b'-'))
}

fn is_tag(tag: &str, word: impl Fn(char) -> bool) -> bool {
    if let Some(name) = tag.strip_prefix(':') {
        let inside = name.chars().all(|character| word(character) || character == '.' || character == '-');
        return name.starts_with(word) && inside && name.len() <= 128;
    }
    let Some((algorithm, digest)) = tag.strip_prefix('@').and_then(|rest| rest.split_once(':')) else {
        return false;
    };
    let parts_fit = algorithm.split(['-', '_', '+', '.']).all(|part| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    parts_fit && digest.len() >= 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(domain: &str, path: &str, tag: &str) -> ImageParts {
        ImageParts { domain: domain.into(), path: path.into(), tag: tag.into() }
    }

    #[test]
    fn parts_are_replaced_one_by_one() {
        for (own, before, after) in [
            (parts("registry.local", "", ""), "nginx:1", "registry.local/nginx:1"),
            (
                parts("registry.local:5000", "", ""),
                "docker.io/library/nginx",
                "registry.local:5000/library/nginx",
            ),
            (parts("", "team/app", ""), "gcr.io/x/y@sha256:ab", "gcr.io/team/app@sha256:ab"),
            (parts("", "", ":2"), "localhost/a:1", "localhost/a:2"),
            (parts("a.b", "c", ":d"), "", "a.b/c:d"),
        ] {
            assert_eq!(own.problem(), None);
            assert_eq!(own.applied_to(before), after);
            assert_eq!(own.applied_to(after), after, "twice is once");
        }
    }

    #[test]
    fn what_would_not_come_to_rest_is_refused() {
        for bad in [
            parts("", "", ""),
            parts("registry", "", ""),
            parts("a.b/c", "", ""),
            parts("", "Upper", ""),
            parts("", "gcr.io/repo", ""),
            parts("", "a//b", ""),
            parts("", "", "1.2"),
            parts("", "", "@sha256:short"),
        ] {
            assert!(bad.problem().is_some(), "{bad:?}");
        }
    }
}
