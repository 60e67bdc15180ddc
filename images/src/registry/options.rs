//! How registries are reached: over HTTP where that is listed, with authorities of their own, by way of mirrors.

use crate::reference::DOCKER_HUB;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Where Docker Hub answers; its name in references is another.
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

/// How registries are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RegistryOptions {
    /// By the registry's host as references name it (`ghcr.io`, `localhost:5000`). What is not listed is reached over
    /// HTTPS, with the system's authorities.
    pub registries: BTreeMap<String, HostOptions>,
}

/// How one registry is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HostOptions {
    /// Over HTTP, in the clear: for registries on this machine, and for those of a laboratory.
    pub http: bool,
    /// Certificates of the authorities that its certificate may come from, PEM; the system's too, unless
    /// `onlyCaBundle`.
    pub ca_bundle: Option<String>,
    /// Only the authorities of `caBundle`.
    pub only_ca_bundle: bool,
    /// Hosts that are asked in its place, in this order, before it: `mirror.example.com`, or with a path that stands
    /// before the repository's (`mirror.example.com/hub`). What a mirror does not have is asked further on.
    pub mirrors: Vec<String>,
    /// Only its mirrors are asked.
    pub only_mirrors: bool,
}

/// Bounds of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Until a connection stands.
    pub connect: Duration,
    /// For one exchange with its body.
    pub exchange: Duration,
    /// Exchanges with one registry at a time; together with the largest answers this bounds memory.
    pub at_once: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), exchange: Duration::from_secs(10), at_once: 6 }
    }
}

/// A host to ask, and what stands before the repository's path there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The host and port.
    pub(super) host: String,
    /// A path without slashes at its ends; empty: none.
    pub(super) prefix: String,
}

impl RegistryOptions {
    /// How this host is reached.
    pub(super) fn host(&self, host: &str) -> HostOptions {
        self.registries.get(host).cloned().unwrap_or_default()
    }

    /// The hosts to ask for images of a registry, in their order.
    pub(super) fn endpoints(&self, registry: &str) -> Vec<Endpoint> {
        let options = self.host(registry);
        let mut endpoints: Vec<Endpoint> = options.mirrors.iter().map(|mirror| endpoint(mirror)).collect();
        if !options.only_mirrors || endpoints.is_empty() {
            endpoints.push(endpoint(registry));
        }
        endpoints
    }
}

fn endpoint(text: &str) -> Endpoint {
    let (host, prefix) = text.trim_end_matches('/').split_once('/').unwrap_or((text, ""));
    let host = if host == DOCKER_HUB { DOCKER_HUB_HOST } else { host };
    Endpoint { host: host.to_owned(), prefix: prefix.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_are_asked_before_the_registry() {
        let options: RegistryOptions = serde_json::from_value(serde_json::json!({
            "registries": {
                "docker.io": {"mirrors": ["mirror.example.com/hub/"]},
                "quay.io": {"mirrors": ["mirror.example.com"], "onlyMirrors": true},
            }
        }))
        .unwrap();
        let hosts = |registry: &str| -> Vec<(String, String)> {
            options.endpoints(registry).into_iter().map(|each| (each.host, each.prefix)).collect()
        };
        let pair = |host: &str, prefix: &str| (host.to_owned(), prefix.to_owned());
        assert_eq!(hosts("docker.io"), [pair("mirror.example.com", "hub"), pair("registry-1.docker.io", "")]);
        assert_eq!(hosts("quay.io"), [pair("mirror.example.com", "")]);
        assert_eq!(hosts("ghcr.io"), [pair("ghcr.io", "")]);
    }

    #[test]
    fn a_misspelt_option_is_an_error() {
        let text = r#"{"registries": {"x.example": {"insecure": true}}}"#;
        let error = serde_json::from_str::<RegistryOptions>(text).unwrap_err().to_string();
        assert!(error.contains("unknown field `insecure`"), "{error}");
    }
}
