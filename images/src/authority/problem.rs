//! Why an `ImageAuthority` cannot be used: where in it, what, and what would work.

use crate::digest::Digest;
use crate::reference::NotAPattern;
use crate::trust::KeyProblem;

/// A mistake in an `ImageAuthority`, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`: {problem}")]
pub struct AuthorityProblem {
    /// Such as `authorities[0].keys[1]`.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

impl AuthorityProblem {
    /// Whether something that it names is not there, rather than written wrongly: what was withdrawn is believed no
    /// longer, while a slip of the pen leaves what was good before.
    pub fn is_withdrawal(&self) -> bool {
        matches!(self.problem, Problem::Text { .. } | Problem::UnknownRoot(_) | Problem::Root { .. })
    }
}

/// What can be wrong in an `ImageAuthority`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No repositories.
    #[error("it is empty; name repositories, such as `ghcr.io/team`")]
    NoImages,
    /// A pattern that is none.
    #[error(transparent)]
    Pattern(#[from] NotAPattern),
    /// Nobody may sign.
    #[error("it is empty, so that no image could pass; name who may sign")]
    NoAuthorities,
    /// A name that is empty or too long.
    #[error("a name has 1 to 63 characters")]
    Name,
    /// Two of one name.
    #[error("`{0}` is there twice; policies tell authorities by their names")]
    NameTwice(String),
    /// Neither keys nor keyless, or both.
    #[error("it says {0}; say `keys` or `keyless`, and both as two authorities")]
    Who(&'static str),
    /// A key with no source or several.
    #[error(
        "one of `pem`, `configMap`, `secret` and `file` says where the key is, and {0} of them are there"
    )]
    KeySources(usize),
    /// A text that is not to be had.
    #[error("{reference} cannot be read: {cause}")]
    Text {
        /// Where it should be.
        reference: String,
        /// Why it is not.
        cause: String,
    },
    /// A key that cannot be used.
    #[error(transparent)]
    Key(#[from] KeyProblem),
    /// One key twice.
    #[error("the key {0} is there twice; as two signers it would still be one")]
    KeyTwice(Digest),
    /// No such trust root.
    #[error(
        "there is no trust root `{0}`; a TrustRoot of that name, or `public-good`, `github` or `staging` would work"
    )]
    UnknownRoot(String),
    /// The trust root that was named cannot be used.
    #[error("the trust root `{name}` cannot be used: {cause}")]
    Root {
        /// Which.
        name: String,
        /// Why.
        cause: String,
    },
    /// A trust root in two places.
    #[error("with `keyless` the trust root is `keyless.trustRoot`")]
    RootTwice,
    /// Evidence that nobody could check.
    #[error("it needs a trust root; `trustRoot: public-good` would be one, `off` needs none")]
    NoRoot,
    /// A trust root without what is needed.
    #[error("the trust root `{root}` has no {what}; `{otherwise}` would do without")]
    Lacks {
        /// Which trust root.
        root: String,
        /// What is not in it.
        what: &'static str,
        /// A setting that does not need it.
        otherwise: &'static str,
    },
    /// Keyless signatures without any time.
    #[error(
        "a keyless signature is only as good as the time at which it was made: one of `transparencyLog` and `timestamps` must not be `off`"
    )]
    NoTime,
    /// A certificate timestamp asked of keys.
    #[error("keys have no certificate; leave it out")]
    SctOfKeys,
    /// No identities.
    #[error("it is empty; name at least one issuer and subject")]
    NoIdentities,
    /// Not exactly one of a pair.
    #[error("say exactly one of `{0}` and `{0}Regex`")]
    OneOf(&'static str),
    /// An empty text where an identity should be.
    #[error("it is empty, and an empty text is nobody's")]
    Empty,
    /// A regular expression that is none.
    #[error("it is no regular expression: {0}")]
    Regex(String),
    /// A regular expression that matches everything.
    #[error("it matches everybody; name whom you trust, such as `https://github.com/my-team/.*`")]
    Everybody,
    /// A threshold of none.
    #[error("at least 1 must sign; an image that nobody needs to sign needs no ImageAuthority")]
    CountZero,
    /// A threshold that can never be met.
    #[error("{count} must sign, and only {possible} can: there are no more keys")]
    CountImpossible {
        /// How many must.
        count: u32,
        /// How many can.
        possible: usize,
    },
    /// Distinct logs where no log is looked at.
    #[error(
        "an authority whose `transparencyLog` is not `required` cannot count towards different logs: `{0}`"
    )]
    NoLogs(String),
}
