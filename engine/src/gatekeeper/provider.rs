//! `Provider`: whom `external_data` and `assign.externalData` ask.

use super::object::{Given, Problem};
use crate::rego::{decode_pem, from_base64_standard};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The time for an answer where a Provider names none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// An admission request never waits longer.
const MAX_TIMEOUT: u64 = 30;

/// A provider, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name.
    pub name: String,
    /// Where it answers: `https://host[:port][/path][?query]`.
    pub url: String,
    /// For one answer. Default 5 s, at most 30 s.
    pub timeout: Duration,
    /// The certificates (DER) of whom it is trusted by; nobody else's signature counts.
    pub authorities: Vec<Vec<u8>>,
    /// A hash of address and authorities: what one said is nothing that another may be taken to have said.
    pub identity: [u8; 32],
}

/// All providers by name.
pub(crate) type Providers = BTreeMap<String, Provider>;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    #[serde(default)]
    url: String,
    #[serde(default)]
    timeout: i64,
    #[serde(default)]
    ca_bundle: String,
}

/// Reads a provider.
///
/// # Errors
/// What Gatekeeper would not take either: another scheme than https, no authority, a negative time.
pub(crate) fn read(given: &Given) -> Result<Provider, Problem> {
    if !matches!(given.version(), "v1beta1" | "v1alpha1") {
        let message = format!("version `{}` is not known; write `v1beta1`", given.version());
        return Err(Problem::new("/apiVersion", message));
    }
    if given.name().is_empty() {
        return Err(Problem::new("/metadata", "the Provider has no `metadata.name`"));
    }
    let spec: Spec = given.spec()?;
    let at = |pointer: &'static str| move |message: String| Problem::new(pointer, message);
    check_url(&spec.url).map_err(at("/spec/url"))?;
    let timeout = match u64::try_from(spec.timeout) {
        Ok(0) => DEFAULT_TIMEOUT,
        Ok(seconds) => Duration::from_secs(seconds.min(MAX_TIMEOUT)),
        Err(_) => {
            let message = format!("`timeout` is {}; must be a number of seconds", spec.timeout);
            return Err(Problem::new("/spec/timeout", message));
        }
    };
    let authorities = authorities(&spec.ca_bundle).map_err(at("/spec/caBundle"))?;
    let mut hasher = blake3::Hasher::new();
    for part in [given.name(), &spec.url, &spec.ca_bundle] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    Ok(Provider {
        name: given.name().to_owned(),
        url: spec.url,
        timeout,
        authorities,
        identity: *hasher.finalize().as_bytes(),
    })
}

/// An address that can be asked. The client parses it whole; what is checked here is what people get wrong.
fn check_url(url: &str) -> Result<(), String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err("`url` must be an address such as `https://provider.namespace:8443/validate`".into());
    };
    if !scheme.eq_ignore_ascii_case("https") {
        return Err(format!("`url` begins with `{scheme}://`; only https is asked"));
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host_ends = if authority.starts_with('[') { authority.find(']').map(|at| at + 1) } else { None };
    let colon = host_ends.or_else(|| authority.find(':')).unwrap_or(authority.len());
    let (host, port) = authority.split_at(colon.min(authority.len()));
    let printable = url.bytes().all(|byte| byte.is_ascii_graphic());
    if authority.contains('@') {
        return Err("`url` has a user name; a provider knows us by a client certificate".into());
    }
    if host.is_empty() || !printable || path.contains('#') {
        return Err("`url` is no address such as `https://provider.namespace:8443/validate`".into());
    }
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(()),
        Some(number) if number.parse::<u16>().is_ok_and(|number| number > 0) => Ok(()),
        _ => Err(format!("`url` has no port that exists: `{port}`")),
    }
}

/// The certificates of a bundle; as in Gatekeeper the first must be one, and what follows counts where it is.
fn authorities(bundle: &str) -> Result<Vec<Vec<u8>>, String> {
    if bundle.is_empty() {
        return Err("`caBundle` is missing; it says who may sign for the provider".into());
    }
    let plain: String = bundle.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    let text = from_base64_standard(&plain).map_err(|_| "`caBundle` is not base64".to_owned())?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut rest = text.as_str();
    let mut found = Vec::new();
    while let Some((block, after)) = decode_pem(rest) {
        rest = after;
        let is_certificate =
            block.label == "CERTIFICATE" && x509_parser::parse_x509_certificate(&block.bytes).is_ok();
        if is_certificate {
            found.push(block.bytes);
        } else if found.is_empty() {
            break;
        }
    }
    if found.is_empty() { Err("`caBundle` holds no certificate in PEM".into()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A certificate that is only ever parsed.
    const CA: &str = include_str!("../../tests/data/authority.pem");

    fn provider(spec: serde_json::Value) -> Result<Provider, Problem> {
        let object = json!({
            "apiVersion": "externaldata.gatekeeper.sh/v1beta1", "kind": "Provider",
            "metadata": {"name": "p"}, "spec": spec,
        });
        read(&Given { object, from: "p.yaml".into(), place: None })
    }

    fn bundle() -> String {
        crate::reply::base64(CA.as_bytes())
    }

    #[test]
    fn what_can_be_asked_is_taken() {
        let read =
            provider(json!({"url": "https://p.system:8090/validate", "timeout": 2, "caBundle": bundle()}));
        let read = read.unwrap();
        assert_eq!((read.timeout, read.authorities.len()), (Duration::from_secs(2), 1));
        let other = provider(json!({"url": "HTTPS://[::1]:8090/?a=b", "caBundle": bundle()})).unwrap();
        assert_eq!(other.timeout, DEFAULT_TIMEOUT);
        assert_ne!(read.identity, other.identity);
        let two = crate::reply::base64(format!("{CA}{CA}").as_bytes());
        assert_eq!(provider(json!({"url": "https://p", "caBundle": two})).unwrap().authorities.len(), 2);
    }

    #[test]
    fn what_cannot_is_refused_by_name() {
        let problem = |url: &str, timeout: i64, bundle: &str| {
            let problem = provider(json!({"url": url, "timeout": timeout, "caBundle": bundle})).unwrap_err();
            format!("{}: {}", problem.pointer, problem.message)
        };
        let good = bundle();
        for (url, words) in [
            ("", "`url` must be an address such as `https://provider.namespace:8443/validate`"),
            ("http://p/", "`url` begins with `http://`; only https is asked"),
            ("https:///x", "`url` is no address such as `https://provider.namespace:8443/validate`"),
            ("https://p /", "`url` is no address such as `https://provider.namespace:8443/validate`"),
            ("https://u:p@h/", "`url` has a user name; a provider knows us by a client certificate"),
            ("https://h:0/", "`url` has no port that exists: `:0`"),
            ("https://h:65536/", "`url` has no port that exists: `:65536`"),
            ("https://[::1]9/", "`url` has no port that exists: `9`"),
        ] {
            assert_eq!(problem(url, 1, &good), format!("/spec/url: {words}"));
        }
        assert_eq!(
            problem("https://h", -1, &good),
            "/spec/timeout: `timeout` is -1; must be a number of seconds"
        );
        for (bundle, words) in [
            (String::new(), "`caBundle` is missing; it says who may sign for the provider"),
            ("-----BEGIN".to_owned(), "`caBundle` is not base64"),
            (crate::reply::base64(b"nothing"), "`caBundle` holds no certificate in PEM"),
            (
                crate::reply::base64(CA.replace("CERTIFICATE", "PRIVATE KEY").as_bytes()),
                "`caBundle` holds no certificate in PEM",
            ),
        ] {
            assert_eq!(problem("https://h", 1, &bundle), format!("/spec/caBundle: {words}"));
        }
    }
}
