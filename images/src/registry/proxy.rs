//! Proxies towards registries, as `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` name them: a tunnel through them
//! (`CONNECT`, RFC 9110 §9.3.6), so that they see the registry's name and nothing of what is said.
//!
//! Registries over HTTP are reached directly. Through a proxy it is the proxy that looks names up, and its rules that
//! keep addresses from being dialled; what is written as an address is checked here all the same.

use super::address::Resolver;
use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tower::Service;

type BoxError = Box<dyn Error + Send + Sync>;

/// What the environment says; read once.
fn environment() -> Arc<Matcher> {
    static ENVIRONMENT: OnceLock<Arc<Matcher>> = OnceLock::new();
    Arc::clone(ENVIRONMENT.get_or_init(|| Arc::new(Matcher::from_env())))
}

/// Connects to registries, directly or through a proxy.
#[derive(Clone, Debug)]
pub(super) struct Route {
    direct: HttpConnector<Resolver>,
    to_proxy: HttpConnector,
    matcher: Arc<Matcher>,
}

impl Route {
    /// `connect` is the time until a connection stands.
    pub(super) fn new(resolver: Resolver, connect: Duration) -> Self {
        Self::with(resolver, connect, environment())
    }

    fn with(resolver: Resolver, connect: Duration, matcher: Arc<Matcher>) -> Self {
        let mut direct = HttpConnector::new_with_resolver(resolver);
        direct.enforce_http(false);
        direct.set_nodelay(true);
        direct.set_connect_timeout(Some(connect));
        // The operator's own word, so that any address will do.
        let mut to_proxy = HttpConnector::new();
        to_proxy.set_nodelay(true);
        to_proxy.set_connect_timeout(Some(connect));
        Self { direct, to_proxy, matcher }
    }
}

impl Service<Uri> for Route {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let by = if to.scheme_str() == Some("https") { self.matcher.intercept(&to) } else { None };
        let Some(by) = by else {
            let connecting = self.direct.call(to);
            return Box::pin(async move { connecting.await.map_err(Into::into) });
        };
        if by.uri().scheme_str() != Some("http") {
            let scheme = by.uri().scheme_str().unwrap_or_default().to_owned();
            return Box::pin(async move {
                Err(format!("its proxy is one of `{scheme}://`; `http://` would work").into())
            });
        }
        let mut tunnel = Tunnel::new(by.uri().clone(), self.to_proxy.clone());
        if let Some(login) = by.basic_auth() {
            tunnel = tunnel.with_auth(login.clone());
        }
        Box::pin(async move {
            tunnel.call(to).await.map_err(|error| format!("through the proxy {}: {error}", by.uri()).into())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// A proxy that takes one tunnel, and what it was asked for.
    async fn proxy(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(head).unwrap()
        });
        (address, asked)
    }

    fn route(proxy: &str) -> Route {
        let matcher = Matcher::builder().https(proxy.to_owned()).no("internal.example,10.0.0.0/8").build();
        Route::with(Resolver { loopback: true }, Duration::from_secs(5), Arc::new(matcher))
    }

    #[tokio::test]
    async fn a_registry_is_reached_by_a_tunnel_through_the_proxy() {
        let (address, asked) = proxy("HTTP/1.1 200 OK\r\n\r\n").await;
        let mut route = route(&format!("http://robot:s3cret@{address}"));
        route.call("https://registry.example/v2/".parse().unwrap()).await.unwrap();
        let asked = asked.await.unwrap().to_lowercase();
        assert!(asked.starts_with("connect registry.example:443 http/1.1\r\n"), "{asked}");
        assert!(asked.contains("proxy-authorization: basic cm9ib3q6"), "{asked}");
    }

    #[tokio::test]
    async fn a_proxy_that_refuses_is_told_without_its_password() {
        let (address, _asked) = proxy("HTTP/1.1 403 Forbidden\r\n\r\n").await;
        let mut route = route(&format!("http://robot:s3cret@{address}"));
        let error = route.call("https://registry.example/".parse().unwrap()).await.unwrap_err().to_string();
        assert!(error.contains(&format!("through the proxy http://{address}")), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[tokio::test]
    async fn what_no_proxy_names_and_what_is_not_https_goes_directly() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap();
        let mut over_http = route("http://127.0.0.1:1");
        over_http.call(format!("http://{own}/").parse().unwrap()).await.unwrap();
        let matcher = Matcher::builder().https("http://127.0.0.1:1").no("127.0.0.1").build();
        let mut named = Route::with(Resolver { loopback: true }, Duration::from_secs(5), Arc::new(matcher));
        named.call(format!("https://{own}/").parse().unwrap()).await.unwrap();
    }

    #[tokio::test]
    async fn a_proxy_of_another_kind_says_what_would_work() {
        let mut route = route("socks5://127.0.0.1:1");
        let error = route.call("https://registry.example/".parse().unwrap()).await.unwrap_err().to_string();
        assert!(error.ends_with("`http://` would work"), "{error}");
    }
}
