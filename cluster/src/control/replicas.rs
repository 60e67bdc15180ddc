//! What every ready replica has loaded: asked over its health port (see the decision record on load reports).

use crate::client::{ApiError, Client, REQUEST_LIMIT, within};
use crate::policies::LoadReport;
use futures::future::join_all;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, ListParams};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Where replicas answer with their report.
pub const REPORT_PATH: &str = "/policies";
/// The name of the health port in the Service.
pub const HEALTH_PORT: &str = "health";
/// One replica's time to answer; a ready replica answers from memory.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// A report of ten thousand policies with errors fits.
const LARGEST_REPORT: usize = 8 << 20;

/// Where the replicas are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replicas {
    /// The ready endpoints of a Service, by its `EndpointSlice`s.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// Servers outside of the cluster, by the address of their health port.
    Addresses(Vec<SocketAddr>),
}

/// One ready replica and what it said.
#[derive(Clone, Debug, PartialEq)]
pub struct Replica {
    /// Its health port.
    pub address: SocketAddr,
    /// Its report, or why there is none.
    pub report: Result<LoadReport, String>,
}

impl Replicas {
    /// Asks every ready replica, all at the same time.
    ///
    /// # Errors
    /// When the API server does not tell which replicas are ready. A replica that does not answer is no error: it
    /// has not told that it has loaded anything.
    pub async fn ask(&self, client: &Client) -> Result<Vec<Replica>, ApiError> {
        let addresses = match self {
            Self::Addresses(addresses) => addresses.clone(),
            Self::Service { namespace, name } => {
                let api: Api<EndpointSlice> = Api::namespaced(client.clone(), namespace);
                let params = ListParams::default().labels(&format!("kubernetes.io/service-name={name}"));
                ready(within(REQUEST_LIMIT, api.list(&params)).await?.items)
            }
        };
        let asked = addresses.into_iter().map(|address| async move {
            let report = match tokio::time::timeout(ANSWER_LIMIT, fetch(address)).await {
                Ok(answer) => answer,
                Err(_) => Err(format!("no answer within {} ms", ANSWER_LIMIT.as_millis())),
            };
            Replica { address, report }
        });
        Ok(join_all(asked).await)
    }
}

/// The health ports of ready endpoints, each Pod once whatever address families it has.
fn ready(slices: Vec<EndpointSlice>) -> Vec<SocketAddr> {
    let mut by_pod: BTreeMap<String, SocketAddr> = BTreeMap::new();
    for slice in slices {
        let ports = slice.ports.unwrap_or_default();
        let port =
            ports.iter().find(|port| port.name.as_deref() == Some(HEALTH_PORT)).and_then(|port| port.port);
        let Some(port) = port.and_then(|port| u16::try_from(port).ok()) else { continue };
        for endpoint in slice.endpoints.into_iter().flatten() {
            // Absent means ready (discovery/v1).
            if endpoint.conditions.and_then(|conditions| conditions.ready) == Some(false) {
                continue;
            }
            let Some(address) = endpoint.addresses.first().and_then(|text| text.parse::<IpAddr>().ok())
            else {
                continue;
            };
            let pod =
                endpoint.target_ref.and_then(|target| target.uid).unwrap_or_else(|| address.to_string());
            let address = SocketAddr::new(address, port);
            by_pod.entry(pod).and_modify(|known| *known = (*known).min(address)).or_insert(address);
        }
    }
    by_pod.into_values().collect()
}

async fn fetch(address: SocketAddr) -> Result<LoadReport, String> {
    let stream = tokio::net::TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| error.to_string())?;
    let connection = crate::mirror::Task(tokio::spawn(async {
        // An error here is seen by the request as well.
        let _ = connection.await;
    }));
    let request = http::Request::get(REPORT_PATH)
        .header(http::header::HOST, address.to_string())
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = response.status();
    let body = Limited::new(response.into_body(), LARGEST_REPORT)
        .collect()
        .await
        .map_err(|error| error.to_string())?;
    drop(connection);
    if status != http::StatusCode::OK {
        return Err(format!("`GET {REPORT_PATH}` answered {status}"));
    }
    serde_json::from_slice(&body.to_bytes())
        .map_err(|error| format!("`GET {REPORT_PATH}` answered no report: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_api::client;
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// A server on the loopback that gives this answer to every request.
    async fn server(answer: String) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = [0; 1024];
                let read = stream.read(&mut head).await.unwrap();
                assert!(head[..read].starts_with(b"GET /policies HTTP/1.1\r\n"));
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        address
    }

    fn http(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    }

    #[tokio::test]
    async fn every_replica_is_asked_and_failures_are_told_apart() {
        let fine = server(http(
            "200 OK",
            r#"{"setDigest":"d","policies":[{"name":"p","generation":2,"loaded":true}]}"#,
        ))
        .await;
        let old = server(http("404 Not Found", "")).await;
        let odd = server(http("200 OK", "hello")).await;
        let (client, _) = client(|line, _| panic!("{line}"));
        let replicas = Replicas::Addresses(vec![fine, old, odd]).ask(&client).await.unwrap();
        let report = replicas[0].report.as_ref().unwrap();
        assert_eq!((report.set_digest.as_str(), report.policies[0].generation), ("d", 2));
        assert_eq!(replicas[1].report.as_ref().unwrap_err(), "`GET /policies` answered 404 Not Found");
        assert!(replicas[2].report.as_ref().unwrap_err().starts_with("`GET /policies` answered no report"));
    }

    #[tokio::test]
    async fn ready_endpoints_only_and_each_pod_once() {
        let slice = |family: &str, addresses: &[(&str, &str, Option<bool>)]| {
            let endpoint = |(address, pod, ready): &(&str, &str, Option<bool>)| json!({"addresses": [address], "conditions": {"ready": ready}, "targetRef": {"uid": pod}});
            json!({
                "metadata": {"name": family}, "addressType": family,
                "ports": [{"name": "https", "port": 8443}, {"name": "health", "port": 8080}],
                "endpoints": addresses.iter().map(endpoint).collect::<Vec<_>>(),
            })
        };
        let items = json!([
            slice("IPv6", &[("fd00::1", "a", Some(true))]),
            slice("IPv4", &[("10.0.0.1", "a", Some(true)), ("10.0.0.2", "b", Some(false)), ("10.0.0.3", "c", None)]),
            {"metadata": {"name": "x"}, "addressType": "IPv4", "ports": [{"name": "https", "port": 8443}], "endpoints": [{"addresses": ["10.0.0.9"]}]},
        ]);
        let slices: Vec<EndpointSlice> = serde_json::from_value(items).unwrap();
        let expected: Vec<SocketAddr> =
            vec!["10.0.0.1:8080".parse().unwrap(), "10.0.0.3:8080".parse().unwrap()];
        assert_eq!(ready(slices), expected);
    }
}
