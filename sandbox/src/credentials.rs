//! Who may log in to the sandbox: the API server's token file, and kubeconfigs.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The name of the user who may do everything.
pub(crate) const ADMIN: &str = "sandbox-admin";

/// The name of the cluster, and of the context, in every kubeconfig.
const CLUSTER: &str = "wayguard-sandbox";

/// A user or group that cannot be written to the token file.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The token file is CSV, and groups are a list inside one of its fields.
    #[error("user or group `{0}` must not be empty nor hold quotes, commas or control characters")]
    Name(String),
    /// Every name has one token.
    #[error("user `{0}` is given twice, or is the sandbox's own administrator")]
    Duplicate(String),
    /// The operating system gave no random bytes.
    #[error("no random bytes for a token")]
    Random,
}

/// Someone who may log in, besides the administrator. What they may do is up to
/// RBAC: with no binding for them or their groups, next to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user name that RBAC and admission see; may hold colons and slashes.
    pub name: String,
    /// The groups; the API server adds `system:authenticated`.
    pub groups: Vec<String>,
}

impl User {
    /// A user in these groups.
    pub fn new<G: Into<String>>(name: impl Into<String>, groups: impl IntoIterator<Item = G>) -> Self {
        Self { name: name.into(), groups: groups.into_iter().map(Into::into).collect() }
    }
}

/// A user's name and the bearer token that proves it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) token: String,
}

/// Gives the administrator, first, and each user a token: the logins, and the
/// text of the file for `--token-auth-file`.
pub(crate) fn issue_tokens(users: &[User]) -> Result<(Vec<Login>, String), CredentialsError> {
    let admin = User::new(ADMIN, ["system:masters"]);
    let mut logins: Vec<Login> = Vec::new();
    let mut csv = String::new();
    for user in std::iter::once(&admin).chain(users) {
        for name in std::iter::once(&user.name).chain(&user.groups) {
            if name.is_empty() || name.chars().any(|c| c.is_control() || matches!(c, '"' | '\'' | ',')) {
                return Err(CredentialsError::Name(name.clone()));
            }
        }
        if logins.iter().any(|login| login.user == user.name) {
            return Err(CredentialsError::Duplicate(user.name.clone()));
        }
        let token = random_token()?;
        // token,user,uid,"group,group"; the uid only has to differ.
        let _ = writeln!(csv, r#"{token},"{0}","{0}","{1}""#, user.name, user.groups.join(","));
        logins.push(Login { user: user.name.clone(), token });
    }
    Ok((logins, csv))
}

/// 256 random bits in hexadecimal.
fn random_token() -> Result<String, CredentialsError> {
    let mut bytes = [0_u8; 32];
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| CredentialsError::Random)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// A kubeconfig that needs no other file.
pub(crate) fn kubeconfig(url: &str, ca: &str, login: &Login) -> String {
    let Login { user, token } = login;
    let ca = STANDARD.encode(ca);
    // Names and tokens hold no quotes (see `issue_tokens`), nor do the others.
    format!(
        r#"apiVersion: v1
kind: Config
clusters:
  - name: {CLUSTER}
    cluster:
      server: "{url}"
      certificate-authority-data: {ca}
users:
  - name: "{user}"
    user:
      token: "{token}"
contexts:
  - name: {CLUSTER}
    context:
      cluster: {CLUSTER}
      user: "{user}"
current-context: {CLUSTER}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_file_names_user_and_groups() {
        let alice = User::new("alice", ["developers", "team:alpha"]);
        let (logins, csv) = issue_tokens(&[alice]).unwrap();
        let lines: Vec<_> = csv.lines().collect();
        let token = |index: usize| logins[index].token.clone();
        assert_eq!(
            lines,
            [
                format!(r#"{},"sandbox-admin","sandbox-admin","system:masters""#, token(0)),
                format!(r#"{},"alice","alice","developers,team:alpha""#, token(1)),
            ]
        );
        assert_eq!(token(0).len(), 64);
        assert_ne!(token(0), token(1));
    }

    #[test]
    fn a_name_that_would_add_a_group_or_a_line_is_refused() {
        for name in ["", "a,b", "a\"b", "a\nb"] {
            for user in [User::new(name, ["g"]), User::new("u", [name])] {
                assert!(matches!(issue_tokens(&[user]), Err(CredentialsError::Name(n)) if n == name));
            }
        }
    }

    #[test]
    fn a_second_administrator_is_refused() {
        let twin = User::new(ADMIN, ["developers"]);
        assert!(matches!(issue_tokens(&[twin]), Err(CredentialsError::Duplicate(_))));
    }
}
