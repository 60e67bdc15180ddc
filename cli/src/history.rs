//! Where the history is, as commands take it, and how it is written to and asked: a database itself, or the service
//! that owns one.

use crate::exit::Failure;
use rustls::client::ResolvesClientCert;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use wayguard_certs::{ServingCertificate, ServingNames};
use wayguard_cluster::Client;
use wayguard_cluster::authority::{AuthorityFollower, SecretPlace};
use wayguard_history::{
    AuditPart, DecisionFilter, DecisionRecord, Place, Sink, SinkError, Store, StoreError,
};
use wayguard_webhook::{HistoryClient, TrustedCas};

/// The URL of a database holds its password: an environment variable or a file, never an argument.
const URL_VARIABLE: &str = "WAYGUARD_DATABASE_URL";
/// The Service in front of the history.
pub(crate) const HISTORY_SERVICE: &str = "wayguard-history";
/// By these names the audit and people who read come to it; `serve` comes by that of its own Service.
pub(crate) const AUDIT_NAME: &str = "wayguard-audit";
pub(crate) const READER_NAME: &str = "wayguard-history-reader";
/// How long the authority's Secret may take to be read.
const AUTHORITY_WITHIN: Duration = Duration::from_secs(10);

/// Options that name a history.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct HistoryArgs {
    /// Where decisions are kept: a file (SQLite), or the suite's service (https://HOST:PORT, by the shared authority)
    #[arg(long, value_name = "FILE|URL", env = "WAYGUARD_HISTORY")]
    pub(crate) history: Option<String>,

    /// Decisions are kept in PostgreSQL: a file with the database's URL (postgres://user:password@host/database). The
    /// URL itself can be given as WAYGUARD_DATABASE_URL
    #[arg(long, value_name = "FILE", env = "WAYGUARD_DATABASE_URL_FILE", conflicts_with = "history")]
    pub(crate) database_url_file: Option<PathBuf>,
}

/// Where a history is.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    /// In a database that this process opens.
    Database(Place),
    /// Behind the service.
    Service(String),
}

impl HistoryArgs {
    /// Where it is, if one is named.
    ///
    /// # Errors
    /// If what names it cannot be read.
    pub(crate) fn kept(&self) -> Result<Option<Kept>, Failure> {
        if let Some(history) = &self.history {
            return Ok(Some(if history.starts_with("https://") {
                Kept::Service(history.clone())
            } else if history.contains("://") {
                return Err(Failure::Invalid(
                    "`--history` takes a file or an https:// address; a database's URL holds a password and is given by `--database-url-file` or WAYGUARD_DATABASE_URL".to_owned(),
                ));
            } else {
                Kept::Database(Place::file(Path::new(history)))
            }));
        }
        let (url, from) = match &self.database_url_file {
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).map_err(|error| Failure::unreadable(path, &error))?;
                (text, format!("`{}`", path.display()))
            }
            None => match std::env::var(URL_VARIABLE) {
                Ok(url) if !url.is_empty() => (url, URL_VARIABLE.to_owned()),
                _ => return Ok(None),
            },
        };
        let place = Place::server(&url).map_err(|problem| Failure::Invalid(format!("{from}: {problem}")))?;
        Ok(Some(Kept::Database(place)))
    }
}

/// A database that is opened when something is to be written: one that is gone keeps no server from starting.
struct Opening {
    place: Place,
    store: tokio::sync::OnceCell<Store>,
}

impl Opening {
    async fn store(&self) -> Result<&Store, SinkError> {
        let opened = self.store.get_or_try_init(|| Store::open(self.place.clone()));
        opened.await.map_err(|error| SinkError::NotNow(error.to_string()))
    }
}

impl Sink for Opening {
    fn write<'s>(
        &'s self,
        batch: &'s [DecisionRecord],
    ) -> Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 's>> {
        Box::pin(async move { Sink::write(self.store().await?, batch).await })
    }

    fn write_state<'s>(
        &'s self,
        part: &'s AuditPart,
    ) -> Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 's>> {
        Box::pin(async move { Sink::write_state(self.store().await?, part).await })
    }
}

/// Who we are to the service, and whom we trust to be it.
pub(crate) type Mutual = (Arc<dyn ResolvesClientCert>, TrustedCas);

/// Where to write. `mutual` is needed for the service only.
///
/// # Errors
/// If the address is none, or there is no certificate to come with.
pub(crate) fn sink(kept: Kept, mutual: Option<Mutual>) -> Result<Arc<dyn Sink>, Failure> {
    match kept {
        Kept::Database(place) => Ok(Arc::new(Opening { place, store: tokio::sync::OnceCell::new() })),
        Kept::Service(url) => {
            let (identity, trusted) = mutual.ok_or_else(|| {
                Failure::Invalid(
                    "the history's service knows its clients by the suite's own authority: add `--authority-secret-name`".into(),
                )
            })?;
            Ok(Arc::new(HistoryClient::new(&url, identity, trusted).map_err(Failure::Invalid)?))
        }
    }
}

/// The CAs that a follower knows, as TLS takes them.
pub(crate) fn trusted(follower: &AuthorityFollower) -> TrustedCas {
    let bundle = follower.bundle();
    Arc::new(move || bundle().certificates().iter().map(|certificate| certificate.der().clone()).collect())
}

/// A certificate of the shared authority under a name of the suite's namespace. It lasts as long as the follower.
///
/// # Errors
/// If the names are none of Kubernetes.
pub(crate) fn follow(
    client: &Client,
    place: &SecretPlace,
    name: &str,
    local: bool,
) -> Result<(AuthorityFollower, Arc<ServingCertificate>), Failure> {
    let names = ServingNames::for_service(name, &place.namespace)
        .map_err(|error| Failure::Invalid(error.to_string()))?;
    let names = if local { names.and(&ServingNames::local()) } else { names };
    let serving = ServingCertificate::empty();
    let follower = AuthorityFollower::start(client, place, names, Arc::clone(&serving));
    Ok((follower, serving))
}

/// A history that is asked.
pub(crate) enum Asked {
    Database(Store),
    Service { client: Box<HistoryClient>, _follower: AuthorityFollower },
}

impl Asked {
    /// Opens it. The service is reached by whoever may read the authority's Secret.
    ///
    /// # Errors
    /// If it is not there, or the Secret cannot be read.
    pub(crate) async fn open(
        kept: Kept,
        cluster: impl Future<Output = Result<Client, Failure>>,
        place: SecretPlace,
    ) -> Result<Self, Failure> {
        let url = match kept {
            Kept::Database(place) => {
                return Store::read(place).await.map(Self::Database).map_err(|error| failure(&error));
            }
            Kept::Service(url) => url,
        };
        let client = cluster.await?;
        let (follower, serving) = follow(&client, &place, READER_NAME, false)?;
        let deadline = Instant::now() + AUTHORITY_WITHIN;
        while serving.is_valid_at(SystemTime::now()).is_err() {
            if Instant::now() > deadline {
                let why = follower.problem().unwrap_or_else(|| "it holds no authority".to_owned());
                return Err(Failure::Invalid(format!(
                    "the Secret `{}/{}`, whose authority the history asks for, cannot be used: {why}",
                    place.namespace, place.name
                )));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let client = HistoryClient::new(&url, serving, trusted(&follower)).map_err(Failure::Invalid)?;
        Ok(Self::Service { client: Box::new(client), _follower: follower })
    }

    /// The decisions whose id begins so.
    pub(crate) async fn named(&self, id: &str) -> Result<Vec<DecisionRecord>, Failure> {
        match self {
            Self::Database(store) => store.decisions_named(id).await.map_err(|error| failure(&error)),
            Self::Service { client, .. } => {
                client.decisions(&format!("id={id}")).await.map_err(Failure::Ours)
            }
        }
    }

    /// The decisions that a filter chooses.
    pub(crate) async fn chosen(&self, filter: &DecisionFilter) -> Result<Vec<DecisionRecord>, Failure> {
        match self {
            Self::Database(store) => store.decisions(filter).await.map_err(|error| failure(&error)),
            Self::Service { client, .. } => client.decisions(&query(filter)).await.map_err(Failure::Ours),
        }
    }
}

/// A database that does not do its work, as an end of the command.
pub(crate) fn failure(error: &StoreError) -> Failure {
    match error {
        StoreError::NotThere { .. } | StoreError::Newer { .. } => Failure::Invalid(error.to_string()),
        _ => Failure::Ours(error.to_string()),
    }
}

/// A filter as the query of a URL (RFC 3986 §2).
fn query(filter: &DecisionFilter) -> String {
    let mut pairs = vec![format!("limit={}", filter.limit)];
    let moments = [("since", filter.since), ("until", filter.until)];
    pairs.extend(moments.iter().filter_map(|(key, at)| at.map(|at| format!("{key}={at}"))));
    for (key, value) in [
        ("cluster", &filter.cluster),
        ("namespace", &filter.namespace),
        ("kind", &filter.kind),
        ("name", &filter.name),
        ("user", &filter.user),
        ("verdict", &filter.verdict),
        ("policy", &filter.policy),
    ] {
        if !value.is_empty() {
            let escaped: String = value
                .bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                        char::from(byte).to_string()
                    }
                    other => format!("%{other:02X}"),
                })
                .collect();
            pairs.push(format!("{key}={escaped}"));
        }
    }
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_taken_from_the_command_line() {
        let args = HistoryArgs { history: Some("postgres://u:secret@h/d".into()), database_url_file: None };
        let error = args.kept().unwrap_err().to_string();
        assert!(error.contains("--database-url-file") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn a_filter_travels_whole() {
        let filter = DecisionFilter {
            user: "system:serviceaccount:a b&c".into(),
            since: Some(jiff::Timestamp::UNIX_EPOCH),
            limit: 5,
            ..DecisionFilter::default()
        };
        let expected = "limit=5&since=1970-01-01T00:00:00Z&user=system%3Aserviceaccount%3Aa%20b%26c";
        assert_eq!(query(&filter), expected);
    }
}
