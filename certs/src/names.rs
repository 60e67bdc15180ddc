//! The names that the webhook is called by.
//!
//! The API server always asks for `<service>.<namespace>.svc`, whatever address it dials; the other forms are for
//! people and probes inside the cluster.

use crate::certificate::Certificate;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A name that cannot be a Service or namespace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not a {what} name: 1 to 63 of a-z, 0-9 and `-`, beginning and ending with a letter or digit",
    name.escape_debug()
)]
pub struct NameError {
    /// `service` or `namespace`.
    pub what: &'static str,
    /// What was given.
    pub name: String,
}

/// DNS names and addresses for a serving certificate, without repetitions, in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServingNames {
    dns: Vec<String>,
    ips: Vec<IpAddr>,
}

impl ServingNames {
    /// The four names of a Service: `<svc>`, `<svc>.<ns>`, `<svc>.<ns>.svc`, `<svc>.<ns>.svc.cluster.local`.
    ///
    /// # Errors
    /// When either is not a DNS-1123 label (what Kubernetes allows for both).
    pub fn for_service(service: &str, namespace: &str) -> Result<Self, NameError> {
        for (what, name) in [("service", service), ("namespace", namespace)] {
            if !is_label(name) {
                return Err(NameError { what, name: name.to_owned() });
            }
        }
        Ok(Self::default()
            .with_dns(service)
            .with_dns(format!("{service}.{namespace}"))
            .with_dns(format!("{service}.{namespace}.svc"))
            .with_dns(format!("{service}.{namespace}.svc.cluster.local")))
    }

    /// This machine only: `localhost`, `127.0.0.1` and `::1`.
    pub fn local() -> Self {
        Self::default()
            .with_dns("localhost")
            .with_ip(Ipv4Addr::LOCALHOST.into())
            .with_ip(Ipv6Addr::LOCALHOST.into())
    }

    /// These names and one more. It is not checked here: the authority refuses what a certificate cannot hold.
    #[must_use]
    pub fn with_dns(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if !self.dns.contains(&name) {
            self.dns.push(name);
        }
        self
    }

    /// These names and one more address.
    #[must_use]
    pub fn with_ip(mut self, address: IpAddr) -> Self {
        if !self.ips.contains(&address) {
            self.ips.push(address);
        }
        self
    }

    /// Both, for a server that is called in the cluster and from this machine.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        let with_names = other.dns.iter().fold(self, Self::with_dns);
        other.ips.iter().fold(with_names, |all, address| all.with_ip(*address))
    }

    /// The DNS names.
    pub fn dns(&self) -> &[String] {
        &self.dns
    }

    /// The addresses.
    pub fn ips(&self) -> &[IpAddr] {
        &self.ips
    }

    /// The names that `certificate` does not cover.
    pub fn missing_from(&self, certificate: &Certificate) -> Vec<String> {
        let dns = self.dns.iter().filter(|name| !certificate.covers_dns(name)).cloned();
        let ips = self.ips.iter().filter(|ip| !certificate.covers_ip(**ip)).map(ToString::to_string);
        dns.chain(ips).collect()
    }

    /// What would make a client of ours refuse `certificate`, one sentence each; empty if nothing. Warnings, not
    /// errors: a mounted certificate is its owner's choice, and one name may be all that is used.
    pub fn warnings(&self, certificate: &Certificate) -> Vec<String> {
        let mut warnings = Vec::new();
        let missing = self.missing_from(certificate);
        if !missing.is_empty() {
            let covered: Vec<String> = certificate
                .dns_names()
                .iter()
                .map(|name| name.escape_debug().to_string())
                .chain(certificate.ip_addresses().iter().map(ToString::to_string))
                .collect();
            let covered = if covered.is_empty() {
                "it has no subject alternative names, and common names do not count".to_owned()
            } else {
                format!("it covers `{}`", covered.join("`, `"))
            };
            warnings.push(format!("the certificate does not cover `{}`; {covered}", missing.join("`, `")));
        }
        if !certificate.is_for_servers() {
            warnings.push("the certificate's extended key usage leaves out `serverAuth`".to_owned());
        }
        warnings
    }
}

fn is_label(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=63).contains(&name.len())
        && name.bytes().all(|byte| inner(byte) || byte == b'-')
        && name.bytes().next().is_some_and(inner)
        && name.bytes().last().is_some_and(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{now, params, self_signed};

    #[test]
    fn a_service_has_four_names() {
        let names = ServingNames::for_service("wayguard", "wayguard-system").unwrap();
        let expected = [
            "wayguard",
            "wayguard.wayguard-system",
            "wayguard.wayguard-system.svc",
            "wayguard.wayguard-system.svc.cluster.local",
        ];
        assert_eq!(names.dns(), expected);
        assert!(names.ips().is_empty());
    }

    #[test]
    fn what_kubernetes_would_not_take_as_a_name_is_refused() {
        let long = "a".repeat(64);
        for bad in ["", "-a", "a-", "A", "a.b", "a_b", "ä", &long] {
            let error = ServingNames::for_service(bad, "ns").unwrap_err();
            assert_eq!(error, NameError { what: "service", name: bad.to_owned() });
            assert_eq!(ServingNames::for_service("svc", bad).unwrap_err().what, "namespace");
        }
        ServingNames::for_service("0", &"a".repeat(63)).unwrap();
    }

    #[test]
    fn names_are_joined_without_repetition() {
        let both = ServingNames::for_service("gate", "ns").unwrap().and(&ServingNames::local());
        assert_eq!(both.clone().and(&both), both);
        assert_eq!((both.dns().len(), both.ips().len()), (5, 2));
    }

    #[test]
    fn what_is_not_covered_is_named_together_with_what_is() {
        let names = ServingNames::for_service("gate", "ns").unwrap().with_ip(Ipv4Addr::LOCALHOST.into());
        let certificate = self_signed(&params(&["gate.ns.svc", "127.0.0.1"], now()));
        assert_eq!(names.missing_from(&certificate), ["gate", "gate.ns", "gate.ns.svc.cluster.local"]);
        assert_eq!(
            names.warnings(&certificate),
            ["the certificate does not cover `gate`, `gate.ns`, `gate.ns.svc.cluster.local`; \
              it covers `gate.ns.svc`, `127.0.0.1`"]
        );
        assert!(ServingNames::default().with_dns("gate.ns.svc").warnings(&certificate).is_empty());
    }

    #[test]
    fn a_certificate_without_names_or_for_clients_only_is_warned_of() {
        let mut params = params(&[], now());
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let warnings = ServingNames::local().warnings(&self_signed(&params));
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].ends_with("it has no subject alternative names, and common names do not count"));
        assert_eq!(warnings[1], "the certificate's extended key usage leaves out `serverAuth`");
    }

    #[test]
    fn a_wildcard_stands_for_exactly_one_label() {
        let certificate = self_signed(&params(&["*.ns.svc", "Plain.Example"], now()));
        for (name, covered) in [
            ("gate.ns.svc", true),
            ("GATE.NS.SVC", true),
            ("a.gate.ns.svc", false),
            ("ns.svc", false),
            (".ns.svc", false),
            ("plain.example", true),
            ("*.ns.svc", true),
        ] {
            assert_eq!(certificate.covers_dns(name), covered, "{name}");
        }
    }
}
