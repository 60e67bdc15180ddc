//! The connection to an API server, and what its errors mean to us.

use kube::config::{KubeConfigOptions, Kubeconfig};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use kube::Client;

/// No single request of ours needs longer; watches have their own limit.
pub(crate) const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// Where the API server is and who we are to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// The Pod's own ServiceAccount.
    InCluster,
    /// A kubeconfig: this file, or `KUBECONFIG` and `~/.kube/config` as kubectl reads them.
    Kubeconfig {
        /// The file; `None`: as kubectl finds it.
        path: Option<PathBuf>,
        /// The context; `None`: the current one.
        context: Option<String>,
    },
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not in a Pod, or the Pod has no ServiceAccount token.
    #[error(
        "there is no ServiceAccount to connect with; set `--kubeconfig`, or `automountServiceAccountToken: true` in the Pod: {0}"
    )]
    NotInCluster(#[source] kube::config::InClusterError),
    /// The kubeconfig is missing, malformed, or names what it does not have.
    #[error("the kubeconfig cannot be used: {0}")]
    Kubeconfig(#[source] kube::config::KubeconfigError),
    /// The TLS settings or credentials cannot be used.
    #[error("the connection cannot be set up: {0}")]
    Setup(#[source] kube::Error),
}

/// Sets up a client; nothing is sent yet.
///
/// # Errors
/// When the kubeconfig or the ServiceAccount cannot be read.
pub async fn connect(connection: &Connection) -> Result<Client, ConnectError> {
    let mut config = match connection {
        Connection::InCluster => kube::Config::incluster().map_err(ConnectError::NotInCluster)?,
        Connection::Kubeconfig { path, context } => {
            let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
            let read = match path {
                Some(path) => match Kubeconfig::read_from(path) {
                    Ok(file) => kube::Config::from_custom_kubeconfig(file, &options).await,
                    Err(error) => Err(error),
                },
                None => kube::Config::from_kubeconfig(&options).await,
            };
            read.map_err(ConnectError::Kubeconfig)?
        }
    };
    config.headers.push((
        http::header::USER_AGENT,
        http::HeaderValue::from_static(concat!("wayguard/", env!("CARGO_PKG_VERSION"))),
    ));
    Client::try_from(config).map_err(ConnectError::Setup)
}

/// What went wrong in a request, as far as we act on it differently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// Our ServiceAccount may not do that; the message is the API server's, which names the missing rule.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such object, or no such kind.
    #[error("{0}")]
    NotFound(String),
    /// Somebody else changed the object first.
    #[error("{0}")]
    Conflict(String),
    /// The resource version is too old to go on from (HTTP 410).
    #[error("{0}")]
    Expired(String),
    /// The API server refuses the object as it is.
    #[error("{0}")]
    Invalid(String),
    /// Everything else: unreachable, overloaded, too slow.
    #[error("{0}")]
    Unavailable(String),
}

impl ApiError {
    pub(crate) fn too_slow(limit: Duration) -> Self {
        Self::Unavailable(format!("the API server has not answered within {} ms", limit.as_millis()))
    }
}

impl From<kube::Error> for ApiError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => from_status(&status),
            // The outermost words of transport errors say nothing; what they wrap does.
            other => Self::Unavailable(chain(&other)),
        }
    }
}

pub(crate) fn from_status(status: &kube::core::Status) -> ApiError {
    let message = if status.message.is_empty() {
        format!("the API server answered {} `{}`", status.code, status.reason)
    } else {
        status.message.clone()
    };
    match status.code {
        403 => ApiError::Forbidden(message),
        404 => ApiError::NotFound(message),
        409 => ApiError::Conflict(message),
        410 => ApiError::Expired(message),
        400 | 422 => ApiError::Invalid(message),
        _ => ApiError::Unavailable(message),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        inner = error.source();
    }
    text
}

/// Awaits an answer, but not for ever.
pub(crate) async fn within<T>(
    limit: Duration,
    request: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, ApiError> {
    let answer = match tokio::time::timeout(limit, request).await {
        Ok(answer) => answer.map_err(ApiError::from),
        Err(_) => Err(ApiError::too_slow(limit)),
    };
    match &answer {
        Err(ApiError::Unavailable(_)) => REQUESTS.unavailable.fetch_add(1, Ordering::Relaxed),
        Err(ApiError::Forbidden(_)) => REQUESTS.forbidden.fetch_add(1, Ordering::Relaxed),
        _ => REQUESTS.answered.fetch_add(1, Ordering::Relaxed),
    };
    answer
}

/// What became of this process's requests to the API server.
#[derive(Debug, Default)]
pub struct RequestCounts {
    /// Answered, with whatever but a refusal of our rights.
    pub answered: AtomicU64,
    /// Refused: our ServiceAccount has not the right.
    pub forbidden: AtomicU64,
    /// Unreachable, overloaded, too slow.
    pub unavailable: AtomicU64,
}

/// A process talks to one API server, through whatever clients.
static REQUESTS: RequestCounts = RequestCounts {
    answered: AtomicU64::new(0),
    forbidden: AtomicU64::new(0),
    unavailable: AtomicU64::new(0),
};

/// What became of this process's requests to the API server, since its start.
pub fn request_counts() -> &'static RequestCounts {
    &REQUESTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_an_error_in_time() {
        let never = std::future::pending::<Result<(), kube::Error>>();
        let error = within(Duration::from_millis(5), never).await.unwrap_err();
        assert_eq!(error, ApiError::Unavailable("the API server has not answered within 5 ms".into()));
    }

    #[tokio::test]
    async fn a_kubeconfig_that_is_not_there_is_named() {
        let connection = Connection::Kubeconfig { path: Some("/nowhere/config".into()), context: None };
        let error = connect(&connection).await.err().unwrap().to_string();
        assert!(
            error.starts_with("the kubeconfig cannot be used") && error.contains("/nowhere/config"),
            "{error}"
        );
    }
}
