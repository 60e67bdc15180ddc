//! An identity that may sign: issuer and subject, each compared exactly or by an anchored regular expression.

use crate::authority::problem::{AuthorityProblem, Problem};
use crate::authority::spec::IdentitySpec;
use regex::{Regex, RegexBuilder};

/// How large a regular expression may become when it is compiled, and how deeply nested it may be.
const REGEX_SIZE: usize = 256 << 10;
const REGEX_NESTING: u32 = 32;
/// A text that no issuer vouches for; what matches it matches everybody.
const NOBODY: &str = "\u{7f}nobody\u{7f}";

/// An issuer and a subject.
#[derive(Clone, Debug)]
pub struct Identity {
    issuer: Expected,
    subject: Expected,
}

#[derive(Clone, Debug)]
enum Expected {
    Exactly(String),
    Matching(Regex),
}

impl Identity {
    /// From what was written at `path`.
    pub fn compile(spec: &IdentitySpec, path: &str) -> Result<Self, AuthorityProblem> {
        let part = |name: &'static str, exact: &Option<String>, pattern: &Option<String>| {
            let at = |suffix: &str, problem| AuthorityProblem { path: format!("{path}{suffix}"), problem };
            match (exact, pattern) {
                (Some(text), None) if text.is_empty() => Err(at(&format!(".{name}"), Problem::Empty)),
                (Some(text), None) => Ok(Expected::Exactly(text.clone())),
                (None, Some(pattern)) => anchored(pattern)
                    .map(Expected::Matching)
                    .map_err(|problem| at(&format!(".{name}Regex"), problem)),
                _ => Err(at("", Problem::OneOf(name))),
            }
        };
        Ok(Self {
            issuer: part("issuer", &spec.issuer, &spec.issuer_regex)?,
            subject: part("subject", &spec.subject, &spec.subject_regex)?,
        })
    }

    /// Whether the issuer is the one that is meant.
    pub fn issued_by(&self, issuer: &str) -> bool {
        self.issuer.is(issuer)
    }

    /// Whether the subject is the one that is meant.
    pub fn names(&self, subject: &str) -> bool {
        self.subject.is(subject)
    }
}

impl Expected {
    fn is(&self, text: &str) -> bool {
        match self {
            Self::Exactly(expected) => expected == text,
            Self::Matching(pattern) => pattern.is_match(text),
        }
    }
}

/// The pattern must be whole in itself before it is put between anchors: `a)|(b` would step out of them.
fn anchored(pattern: &str) -> Result<Regex, Problem> {
    if pattern.is_empty() {
        return Err(Problem::Empty);
    }
    let build = |text: &str| {
        RegexBuilder::new(text)
            .size_limit(REGEX_SIZE)
            .nest_limit(REGEX_NESTING)
            .build()
            .map_err(|error| Problem::Regex(last_line(&error.to_string())))
    };
    build(pattern)?;
    let regex = build(&format!("^(?:{pattern})$"))?;
    if regex.is_match("") || regex.is_match(NOBODY) { Err(Problem::Everybody) } else { Ok(regex) }
}

/// The library draws the pattern over several lines; what is wrong is on the last.
fn last_line(text: &str) -> String {
    let last = text.lines().next_back().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://token.example.com";

    fn subject(pattern: &str) -> Result<Identity, AuthorityProblem> {
        let spec = IdentitySpec {
            issuer: Some(ISSUER.to_owned()),
            subject_regex: Some(pattern.to_owned()),
            ..IdentitySpec::default()
        };
        Identity::compile(&spec, "authorities[0].keyless.identities[0]")
    }

    #[test]
    fn a_pattern_matches_the_whole_text() {
        let identity = subject("https://github\\.com/team/.*@refs/tags/v[0-9]+|ops@example\\.com").unwrap();
        assert!(identity.issued_by(ISSUER) && !identity.issued_by("https://token.example.com.evil.example"));
        for (text, fits) in [
            ("https://github.com/team/app@refs/tags/v1", true),
            ("https://github.com/team/app@refs/tags/v1\n", false),
            ("x https://github.com/team/app@refs/tags/v1", false),
            ("https://github.com/team/app@refs/tags/v1-evil", false),
            ("https://github-com/team/app@refs/tags/v1", false),
            ("ops@example.com", true),
            ("devops@example.com", false),
            ("", false),
        ] {
            assert_eq!(identity.names(text), fits, "{text:?}");
        }
    }

    #[test]
    fn a_pattern_that_is_none_or_everybody_is_refused() {
        let problem = |pattern: &str| subject(pattern).unwrap_err().problem;
        assert!(matches!(problem("a)|(b"), Problem::Regex(_)));
        assert!(matches!(problem("("), Problem::Regex(_)));
        assert!(matches!(problem("(?x)a # b"), Problem::Regex(_)));
        assert!(matches!(problem("(a{1000}){1000}"), Problem::Regex(_)));
        assert!(matches!(problem(""), Problem::Empty));
        for everybody in [".*", ".+", "(?s).*", "[^@]+|x", "x?|.*@.*|[^ ]*"] {
            assert_eq!(problem(everybody), Problem::Everybody, "{everybody}");
        }
    }

    #[test]
    fn exactly_one_of_each_pair_is_said() {
        let spec = IdentitySpec { issuer: Some(ISSUER.to_owned()), ..IdentitySpec::default() };
        let problem = Identity::compile(&spec, "here").unwrap_err();
        assert_eq!(problem.to_string(), "`here`: say exactly one of `subject` and `subjectRegex`");
        let spec = IdentitySpec { issuer_regex: Some("x".to_owned()), subject: Some("y".to_owned()), ..spec };
        assert_eq!(Identity::compile(&spec, "here").unwrap_err().problem, Problem::OneOf("issuer"));
    }
}
