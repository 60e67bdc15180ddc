//! Where a database is, as operators name it, and how to speak of it without its password.

use std::fmt;
use std::path::{Path, PathBuf};

/// A database.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// A file of SQLite.
    File(PathBuf),
    /// A server of PostgreSQL, by its URL. Holds a password, and so shows itself without.
    Server {
        /// `postgres://user:password@host:port/database?sslmode=…`, TLS settings included.
        url: String,
        /// Host, port and database.
        shown: String,
    },
}

/// Why a text names no database. Does not repeat it: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Not a URL of PostgreSQL.
    #[error("expected a URL such as `postgres://wayguard:password@db.example:5432/history`")]
    NotPostgres,
}

impl Place {
    /// A file.
    pub fn file(path: &Path) -> Self {
        Self::File(path.to_owned())
    }

    /// A server. Unless the URL says another `sslmode`, the server's certificate and name are checked
    /// (`verify-full`); on this machine (loopback, a socket) TLS is not asked for.
    ///
    /// # Errors
    /// If it is no URL of PostgreSQL.
    pub fn server(url: &str) -> Result<Self, PlaceError> {
        let url = url.trim();
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or(PlaceError::NotPostgres)?;
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let address = before.rsplit_once('@').map_or(before, |(_, address)| address);
        let host = address.split('/').next().unwrap_or_default();
        if host.is_empty() && !query.contains("host=") || url.chars().any(char::is_whitespace) {
            return Err(PlaceError::NotPostgres);
        }
        let near = ["localhost", "127.0.0.1", "[::1]", "%2F", "%2f"].iter().any(|own| {
            host.strip_prefix(own)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(':') || own.starts_with('%'))
        }) || query.contains("host=/")
            || query.contains("host=%2");
        let chosen =
            query.split('&').any(|pair| pair.starts_with("sslmode=") || pair.starts_with("ssl-mode="));
        let url = match (chosen || near, query.is_empty()) {
            (true, _) => url.to_owned(),
            (false, true) => format!("{}?sslmode=verify-full", url.trim_end_matches('?')),
            (false, false) => format!("{url}&sslmode=verify-full"),
        };
        Ok(Self::Server { url, shown: format!("the database `{address}`") })
    }

    /// For messages.
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => format!("the history `{}`", path.display()),
            Self::Server { shown, .. } => shown.clone(),
        }
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// The library's form.
    pub(crate) fn url(&self, mode: &str) -> String {
        match self {
            Self::File(path) => {
                let mut name = String::new();
                for byte in path.as_os_str().as_encoded_bytes() {
                    match byte {
                        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                            name.push(char::from(*byte));
                        }
                        other => name.push_str(&format!("%{other:02X}")),
                    }
                }
                format!("sqlite:{name}?mode={mode}")
            }
            Self::Server { url, .. } => url.clone(),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_spoken_to_over_tls_and_of_without_its_password() {
        let place = Place::server("postgres://way:se@cret@db.example:5432/history").unwrap();
        assert_eq!(place.shown(), "the database `db.example:5432/history`");
        assert!(!format!("{place:?}").contains("cret"));
        for (url, ends) in [
            ("postgres://u:p@db.example/h", "/h?sslmode=verify-full"),
            ("postgresql://u@db.example/h?application_name=w", "=w&sslmode=verify-full"),
            ("postgres://u:p@db.example/h?sslmode=require", "?sslmode=require"),
            ("postgres://u@127.0.0.1:5432/h", ":5432/h"),
            ("postgres://u@localhost/h", "localhost/h"),
            ("postgres://u@localhost.evil.example/h", "?sslmode=verify-full"),
            ("postgres://u@%2Frun%2Fpostgresql/h", "/h"),
            ("postgres:///h?host=/run/postgresql", "host=/run/postgresql"),
        ] {
            let url = Place::server(url).unwrap().url("rw");
            assert!(url.ends_with(ends), "{url}");
        }
        for text in ["mysql://u@h/d", "history.db", "postgres:///", "postgres://u@h/d d"] {
            let error = Place::server(text).unwrap_err().to_string();
            assert!(!error.contains(text), "{error}");
        }
    }

    #[test]
    fn any_file_name_can_be_opened() {
        let place = Place::file(Path::new("/tmp/a b?c#d%.db"));
        assert_eq!(place.url("rwc"), "sqlite:/tmp/a%20b%3Fc%23d%25.db?mode=rwc");
    }
}
