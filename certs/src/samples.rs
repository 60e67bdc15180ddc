//! Certificates that the tests of this crate start from.

use crate::certificate::Certificate;
use rcgen::{CertificateParams, DnType, KeyPair};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A fixed time of day, whole seconds: 2026-10-26T07:33:20Z.
pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_793_000_000)
}

/// A certificate's parameters: named `sample`, alive from an hour before `at` to a day after.
pub(crate) fn params(names: &[&str], at: SystemTime) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "sample");
    params.not_before = (at - Duration::from_hours(1)).into();
    params.not_after = (at + Duration::from_hours(24)).into();
    params
}

/// The certificate that these parameters make, signed by its own key.
pub(crate) fn self_signed(params: &CertificateParams) -> Certificate {
    self_signed_with_key(params).0
}

/// As [`self_signed`], with its key as PEM text.
pub(crate) fn self_signed_with_key(params: &CertificateParams) -> (Certificate, String) {
    let key = KeyPair::generate().unwrap();
    let signed = params.self_signed(&key).unwrap();
    (Certificate::from_der(signed.into()).unwrap(), key.serialize_pem())
}

/// Every run of 16 characters of a PEM key's body that must not be seen in `text`.
pub(crate) fn assert_holds_nothing_of(key: &str, text: &str) {
    let body: String = key.lines().filter(|line| !line.starts_with("-----")).collect();
    assert!(body.len() > 32, "not a key: nothing would be tested");
    for window in body.as_bytes().windows(16) {
        let window = std::str::from_utf8(window).unwrap();
        assert!(!text.contains(window), "a part of the key is in: {text}");
    }
}
