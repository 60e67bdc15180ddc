//! X.509 certificates: what is in them, and whether one leads to another.

use super::der::{arcs, elements, read};
use aws_lc_rs::signature::{self as lc, UnparsedPublicKey, VerificationAlgorithm};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo, X509Version};

/// What chains are made of.
#[derive(Clone, Debug)]
pub(in crate::rego) struct Certificate<'a> {
    /// As parsed.
    pub(in crate::rego) parsed: X509Certificate<'a>,
    /// The usages it is limited to, as Go numbers them; `None`: not limited. Unknown ones have no number.
    pub(in crate::rego) usages: Option<Vec<Option<i64>>>,
    /// Whether it says that it may sign others, and how many there may be below it.
    pub(in crate::rego) constraints: Option<(bool, Option<u32>)>,
    /// Bits of what its key may be used for; 0: anything.
    pub(in crate::rego) key_usage: u16,
    /// Its names.
    pub(in crate::rego) names: Names,
    /// Whether an extension is critical that is not understood here.
    pub(in crate::rego) critical_unknown: Vec<Vec<u64>>,
    /// Whether it limits the names below it.
    pub(in crate::rego) limits_names: bool,
}

/// The subject alternative names.
#[derive(Clone, Debug, Default)]
pub(in crate::rego) struct Names {
    pub(in crate::rego) dns: Vec<String>,
    pub(in crate::rego) emails: Vec<String>,
    pub(in crate::rego) addresses: Vec<std::net::IpAddr>,
    pub(in crate::rego) uris: Vec<String>,
}

/// Go's numbers of extended key usages, by the last arc of `1.3.6.1.5.5.7.3` and by whole identifiers.
fn usage_number(arcs: &[u64]) -> Option<i64> {
    match arcs {
        [2, 5, 29, 37, 0] => Some(0),
        [1, 3, 6, 1, 5, 5, 7, 3, last @ 1..=9] => i64::try_from(*last).ok(),
        [1, 3, 6, 1, 4, 1, 311, 10, 3, 3] => Some(10),
        [2, 16, 840, 1, 113_730, 4, 1] => Some(11),
        [1, 3, 6, 1, 4, 1, 311, 2, 1, 22] => Some(12),
        [1, 3, 6, 1, 4, 1, 311, 61, 1, 1] => Some(13),
        _ => None,
    }
}

/// The certificates of DER that follow each other.
///
/// # Errors
/// If one is none.
pub(in crate::rego) fn parse_certificates(der: &[u8]) -> Result<Vec<Certificate<'_>>, String> {
    let mut rest = der;
    let mut certificates = Vec::new();
    while !rest.is_empty() {
        let (after, parsed) = x509_parser::parse_x509_certificate(rest)
            .map_err(|error| format!("x509: malformed certificate: {error}"))?;
        rest = after;
        certificates.push(Certificate::new(parsed));
    }
    Ok(certificates)
}

impl<'a> Certificate<'a> {
    fn new(parsed: X509Certificate<'a>) -> Self {
        let mut new = Self {
            usages: None,
            constraints: None,
            key_usage: 0,
            names: Names::default(),
            critical_unknown: Vec::new(),
            limits_names: false,
            parsed,
        };
        let extensions = new.parsed.extensions().to_vec();
        for extension in &extensions {
            let mut known = true;
            match extension.parsed_extension() {
                ParsedExtension::BasicConstraints(constraints) => {
                    new.constraints = Some((constraints.ca, constraints.path_len_constraint));
                }
                ParsedExtension::KeyUsage(usage) => new.key_usage = usage.flags,
                ParsedExtension::ExtendedKeyUsage(_) => {
                    let list = read(extension.value).map_or(&[][..], |(_, content, _)| content);
                    new.usages = Some(elements(list).map(|(_, oid)| usage_number(&arcs(oid))).collect());
                }
                ParsedExtension::SubjectAlternativeName(names) => {
                    names.general_names.iter().for_each(|name| new.names.add(name));
                }
                ParsedExtension::NameConstraints(_) => new.limits_names = true,
                ParsedExtension::CertificatePolicies(_)
                | ParsedExtension::AuthorityKeyIdentifier(_)
                | ParsedExtension::SubjectKeyIdentifier(_)
                | ParsedExtension::AuthorityInfoAccess(_)
                | ParsedExtension::CRLDistributionPoints(_)
                | ParsedExtension::PolicyConstraints(_)
                | ParsedExtension::PolicyMappings(_)
                | ParsedExtension::InhibitAnyPolicy(_) => {}
                _ => known = false,
            }
            if extension.critical && !known {
                new.critical_unknown.push(arcs(extension.oid.as_bytes()));
            }
        }
        new
    }

    fn valid_at(&self, seconds: i64) -> bool {
        let validity = self.parsed.validity();
        validity.not_before.timestamp() <= seconds && seconds <= validity.not_after.timestamp()
    }

    /// Whether this one signed another, and may.
    fn signed(&self, child: &Self) -> bool {
        let may_sign = match self.constraints {
            Some((authority, _)) => authority,
            None => self.parsed.version() != X509Version::V3,
        };
        let for_certificates = self.key_usage == 0 || self.key_usage & (1 << 5) != 0;
        may_sign
            && for_certificates
            && self.parsed.subject().as_raw() == child.parsed.issuer().as_raw()
            && signature_holds(self.parsed.public_key(), child)
    }

    /// Whether the certificate is for a host.
    fn names_host(&self, host: &str) -> bool {
        let bare = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse() {
            return self.names.addresses.contains(&address);
        }
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.names.dns.iter().any(|pattern| {
            let pattern = pattern.to_ascii_lowercase();
            match pattern.strip_prefix("*.") {
                Some(parent) => {
                    host.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && rest == parent)
                }
                None => pattern == host,
            }
        })
    }
}

impl Names {
    /// Adds a name.
    pub(in crate::rego) fn add(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::DNSName(name) => self.dns.push((*name).to_owned()),
            GeneralName::RFC822Name(name) => self.emails.push((*name).to_owned()),
            GeneralName::URI(name) => self.uris.push((*name).to_owned()),
            GeneralName::IPAddress(bytes) => {
                let four = <[u8; 4]>::try_from(*bytes).map(std::net::IpAddr::from);
                self.addresses
                    .extend(four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(std::net::IpAddr::from)));
            }
            _ => {}
        }
    }
}

/// Go's number of the algorithm that a certificate is signed with; 0: unknown.
pub(in crate::rego) fn signature_number(certificate: &X509Certificate<'_>) -> i64 {
    algorithm_number(&certificate.signature_algorithm)
}

/// Go's number of a signature algorithm by its identifier; 0: unknown.
pub(in crate::rego) fn algorithm_number(algorithm: &AlgorithmIdentifier<'_>) -> i64 {
    match algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.4" => 2,
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => 3,
        "1.2.840.113549.1.1.11" => 4,
        "1.2.840.113549.1.1.12" => 5,
        "1.2.840.113549.1.1.13" => 6,
        "1.2.840.10040.4.3" => 7,
        "2.16.840.1.101.3.4.3.2" => 8,
        "1.2.840.10045.4.1" => 9,
        "1.2.840.10045.4.3.2" => 10,
        "1.2.840.10045.4.3.3" => 11,
        "1.2.840.10045.4.3.4" => 12,
        // The hash of PSS is in its parameters: the last arc of SHA-256, SHA-384 and SHA-512 is 1, 2 and 3.
        "1.2.840.113549.1.1.10" => {
            const HASHES: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
            let parameters = algorithm.parameters.as_ref().map_or(&[][..], |parameters| parameters.data);
            let mut windows = parameters.windows(9).filter(|window| window.starts_with(&HASHES));
            match windows.next().and_then(|window| window.last()) {
                Some(1) => 13,
                Some(2) => 14,
                Some(3) => 15,
                _ => 0,
            }
        }
        "1.3.101.112" => 16,
        _ => 0,
    }
}

fn signature_holds(key: &SubjectPublicKeyInfo<'_>, child: &Certificate<'_>) -> bool {
    let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    let curve = curve.map(|oid| oid.to_id_string()).unwrap_or_default();
    let number = signature_number(&child.parsed);
    // What is based on MD5 or SHA-1 is refused, as by Go.
    let algorithm: &dyn VerificationAlgorithm = match (number, curve.as_str()) {
        (4, _) => &lc::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (5, _) => &lc::RSA_PKCS1_2048_8192_SHA384,
        (6, _) => &lc::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        (10, "1.2.840.10045.3.1.7") => &lc::ECDSA_P256_SHA256_ASN1,
        (11, "1.2.840.10045.3.1.7") => &lc::ECDSA_P256_SHA384_ASN1,
        (12, "1.2.840.10045.3.1.7") => &lc::ECDSA_P256_SHA512_ASN1,
        (10, "1.3.132.0.34") => &lc::ECDSA_P384_SHA256_ASN1,
        (11, "1.3.132.0.34") => &lc::ECDSA_P384_SHA384_ASN1,
        (12, "1.3.132.0.34") => &lc::ECDSA_P384_SHA512_ASN1,
        (10, "1.3.132.0.35") => &lc::ECDSA_P521_SHA256_ASN1,
        (11, "1.3.132.0.35") => &lc::ECDSA_P521_SHA384_ASN1,
        (12, "1.3.132.0.35") => &lc::ECDSA_P521_SHA512_ASN1,
        (13, _) => &lc::RSA_PSS_2048_8192_SHA256,
        (14, _) => &lc::RSA_PSS_2048_8192_SHA384,
        (15, _) => &lc::RSA_PSS_2048_8192_SHA512,
        (16, _) => &lc::ED25519,
        _ => return false,
    };
    let key = UnparsedPublicKey::new(algorithm, &*key.subject_public_key.data);
    key.verify(child.parsed.tbs_certificate.as_ref(), &child.parsed.signature_value.data).is_ok()
}

/// What a chain is held against.
#[derive(Clone, Debug)]
pub(in crate::rego) struct Expectations {
    /// Seconds since 1970.
    pub(in crate::rego) now: i64,
    /// A host that the leaf must be for; empty for any.
    pub(in crate::rego) host: String,
    /// Usages that all must allow, as Go numbers them.
    pub(in crate::rego) usages: Vec<i64>,
}

/// The chain from the last certificate to the first, the root, by way of those between; `None`: there is none.
///
/// # Errors
/// If a certificate limits the names below it: that is not checked here, and must not pass unchecked.
pub(in crate::rego) fn chain<'c, 'a>(
    certificates: &'c [Certificate<'a>],
    expected: &Expectations,
) -> Result<Option<Vec<&'c Certificate<'a>>>, &'static str> {
    let [root, between @ .., leaf] = certificates else { return Ok(None) };
    if certificates.iter().any(|certificate| certificate.limits_names) {
        return Err("certificates with name constraints are not verified here");
    }
    let sound = |certificate: &Certificate<'_>| {
        certificate.critical_unknown.is_empty() && certificate.valid_at(expected.now)
    };
    if !sound(leaf) || !sound(root) || (!expected.host.is_empty() && !leaf.names_host(&expected.host)) {
        return Ok(None);
    }
    let mut chain = vec![leaf];
    if leaf.parsed.as_raw() != root.parsed.as_raw() && !extend(&mut chain, root, between, &sound) {
        return Ok(None);
    }
    let usage_allowed = |usage: i64| {
        usage == 0
            || chain.iter().all(|certificate| match &certificate.usages {
                None => true,
                Some(usages) => usages.contains(&Some(0)) || usages.contains(&Some(usage)),
            })
    };
    let fits = expected.usages.iter().any(|usage| usage_allowed(*usage));
    Ok(fits.then_some(chain))
}

/// Goes on from the last of the chain to the root, first straight, then by way of each of those between.
fn extend<'c, 'a>(
    chain: &mut Vec<&'c Certificate<'a>>,
    root: &'c Certificate<'a>,
    between: &'c [Certificate<'a>],
    sound: &dyn Fn(&Certificate<'_>) -> bool,
) -> bool {
    /// As deep as chains are; searching further only costs time.
    const MAX_CHAIN: usize = 12;
    let Some(last) = chain.last().copied() else { return false };
    if chain.len() >= MAX_CHAIN {
        return false;
    }
    let below = u32::try_from(chain.len() - 1).unwrap_or(u32::MAX);
    let long_enough = |certificate: &Certificate<'_>| match certificate.constraints {
        Some((_, Some(most))) => below <= most,
        _ => true,
    };
    if long_enough(root) && root.signed(last) {
        chain.push(root);
        return true;
    }
    for candidate in between {
        let used = chain.iter().any(|used| used.parsed.as_raw() == candidate.parsed.as_raw());
        let authority = matches!(candidate.constraints, Some((true, _)));
        if used || !authority || !sound(candidate) || !long_enough(candidate) || !candidate.signed(last) {
            continue;
        }
        chain.push(candidate);
        if extend(chain, root, between, sound) {
            return true;
        }
        chain.pop();
    }
    false
}
