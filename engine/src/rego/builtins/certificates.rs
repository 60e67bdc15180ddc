//! `crypto.x509.*`: certificates as Go's `crypto/x509` shows them in JSON, and chains of them.

use super::encoding::{base64_standard, from_base64_standard};
use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::rego::crypto::{
    Certificate, Expectations, arcs, chain, elements, parse_certificates, pem, read, signature_number,
};
use crate::rego::number::integer;
use crate::rego::time::{Civil, format, named_layout};
use crate::value::{Object, Value};
use num_bigint::{BigInt, Sign};
use x509_parser::extensions::{GeneralName, ParsedExtension, X509Extension};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

const RECORDS: Type = Type::Array(&[], Some(&Type::RECORD));
const VERIFIED: Type = Type::Array(&[Type::Boolean, RECORDS], None);

pub(super) const TABLE: &[Builtin] = &[
    function("crypto.x509.parse_certificates", &[Type::String], RECORDS, parse),
    function("crypto.x509.parse_and_verify_certificates", &[Type::String], VERIFIED, verify),
    function(
        "crypto.x509.parse_and_verify_certificates_with_options",
        &[Type::String, Type::RECORD],
        VERIFIED,
        verify_with_options,
    ),
];

/// The DER of certificates in PEM, or in base64 of either.
fn der(text: &str) -> Result<Vec<u8>, String> {
    const BEGIN: &str = "-----BEGIN";
    if text.starts_with(BEGIN) {
        return from_pem(text);
    }
    let bytes = from_base64_standard(text)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) if text.starts_with(BEGIN) => from_pem(text),
        _ => Ok(bytes),
    }
}

fn from_pem(text: &str) -> Result<Vec<u8>, String> {
    let (mut rest, mut bytes) = (text, Vec::new());
    while let Some((block, after)) = pem::decode(rest) {
        if block.label != "CERTIFICATE" {
            return Err(format!("PEM block type is '{}', expected CERTIFICATE", block.label));
        }
        bytes.extend(block.bytes);
        rest = after;
    }
    Ok(bytes)
}

fn parse<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    call.spend(text.len() / 4)?;
    call.claim(text.len().saturating_mul(16))?;
    let der = der(text).map_err(BuiltinError::failed)?;
    let certificates = parse_certificates(&der).map_err(BuiltinError::failed)?;
    let mut values = Vec::new();
    for certificate in &certificates {
        values.push(shown(call, certificate, true)?);
    }
    Ok(Some(call.array(&values)))
}

/// Usages that certificates are for where nothing else is asked: servers.
const SERVER: i64 = 1;

fn verify<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let expected = Expectations {
        now: call.now_ns.div_euclid(1_000_000_000),
        host: String::new(),
        usages: vec![SERVER],
    };
    verified(call, operand::string(arguments, 1)?, &expected, true)
}

fn verify_with_options<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    let mut expected =
        Expectations { now: call.now_ns.div_euclid(1_000_000_000), host: String::new(), usages: Vec::new() };
    let options = operand::object(arguments, 2)?;
    if der(text).is_ok_and(|der| parse_certificates(&der).is_ok()) {
        for (key, value) in options {
            let Value::String(key) = key else { continue };
            expected.set(key, value)?;
        }
    }
    if expected.usages.is_empty() {
        expected.usages.push(SERVER);
    }
    verified(call, text, &expected, false)
}

impl Expectations {
    fn set(&mut self, key: &str, value: Value<'_>) -> Result<(), BuiltinError> {
        let wrong = |what: &'static str| BuiltinError::failed(what);
        match (key, value) {
            ("DNSName", Value::String(host)) => host.trim_matches('"').clone_into(&mut self.host),
            ("DNSName", _) => return Err(wrong("'DNSName' should be a string")),
            ("CurrentTime", Value::Number(number)) => {
                let nanoseconds = crate::rego::number::int64(number)
                    .ok_or_else(|| wrong("'CurrentTime' should be a valid int64 number"))?;
                self.now = nanoseconds.div_euclid(1_000_000_000);
            }
            ("CurrentTime", _) => return Err(wrong("'CurrentTime' should be a number")),
            // There are no name constraints to compare.
            ("MaxConstraintComparisons", Value::Number(number))
                if crate::rego::number::int64(number).is_some() => {}
            ("MaxConstraintComparisons", _) => {
                return Err(wrong("'MaxConstraintComparisons' should be a number"));
            }
            ("KeyUsages", Value::Array(_) | Value::Set(_)) => {
                let mut invalid = Vec::new();
                for name in operand::items(&[value], 1)?.iter().filter_map(|item| item.as_str()) {
                    let name = name.trim_matches('"');
                    match USAGES.iter().position(|known| *known == name) {
                        Some(number) => self.usages.push(i64::try_from(number).unwrap_or(0)),
                        None => invalid.push(name),
                    }
                }
                if !invalid.is_empty() {
                    let words = format!("invalid entries for 'KeyUsages' found: [{}]", invalid.join(" "));
                    return Err(BuiltinError::failed(words));
                }
            }
            ("KeyUsages", _) => return Err(wrong("'KeyUsages' should be an Array or Set")),
            _ => return Err(wrong("invalid key option")),
        }
        Ok(())
    }
}

/// In the order of Go's numbers.
const USAGES: [&str; 14] = [
    "KeyUsageAny",
    "KeyUsageServerAuth",
    "KeyUsageClientAuth",
    "KeyUsageCodeSigning",
    "KeyUsageEmailProtection",
    "KeyUsageIPSECEndSystem",
    "KeyUsageIPSECTunnel",
    "KeyUsageIPSECUser",
    "KeyUsageTimeStamping",
    "KeyUsageOCSPSigning",
    "KeyUsageMicrosoftServerGatedCrypto",
    "KeyUsageNetscapeServerGatedCrypto",
    "KeyUsageMicrosoftCommercialCodeSigning",
    "KeyUsageMicrosoftKernelCodeSigning",
];

fn verified<'a>(
    call: &mut Call<'a, '_>,
    text: &str,
    expected: &Expectations,
    with_uris: bool,
) -> Outcome<'a> {
    call.spend(text.len() / 4)?;
    call.claim(text.len().saturating_mul(16))?;
    let none = call.array(&[Value::Bool(false), Value::EMPTY_ARRAY]);
    let Ok(der) = der(text) else { return Ok(Some(none)) };
    let Ok(certificates) = parse_certificates(&der) else { return Ok(Some(none)) };
    // Each may have to be held against each.
    call.spend(certificates.len() * certificates.len() * 2_500)?;
    let Some(chain) = chain(&certificates, expected).map_err(|why| BuiltinError::Halt(why.into()))? else {
        return Ok(Some(none));
    };
    let mut values = Vec::new();
    for certificate in chain {
        values.push(shown(call, certificate, with_uris)?);
    }
    let values = call.array(&values);
    Ok(Some(call.array(&[Value::Bool(true), values])))
}

/// A list, or `null` for none, as Go's JSON has it.
pub(super) fn list<'a>(call: &Call<'a, '_>, items: &[Value<'a>]) -> Value<'a> {
    if items.is_empty() { Value::Null } else { call.array(items) }
}

pub(super) fn texts<'a, T: AsRef<str>>(call: &Call<'a, '_>, texts: impl IntoIterator<Item = T>) -> Value<'a> {
    let items: Vec<_> = texts.into_iter().map(|text| call.text(text.as_ref())).collect();
    list(call, &items)
}

pub(super) fn bytes<'a>(call: &Call<'a, '_>, bytes: &[u8]) -> Value<'a> {
    call.text(&base64_standard(bytes))
}

/// An object identifier.
pub(super) fn identifier<'a>(call: &Call<'a, '_>, arcs: &[u64]) -> Value<'a> {
    let items: Vec<_> = arcs.iter().map(|arc| Value::int(i64::try_from(*arc).unwrap_or(i64::MAX))).collect();
    call.array(&items)
}

pub(super) fn record<'a>(call: &Call<'a, '_>, members: Vec<(&'static str, Value<'a>)>) -> Value<'a> {
    Value::Object(Object::new(&call.arena, members))
}

fn unsigned<'a>(call: &Call<'a, '_>, bytes: &[u8]) -> Result<Value<'a>, BuiltinError> {
    integer::to_number(&call.arena, &BigInt::from_bytes_be(Sign::Plus, bytes)).map(Value::Number)
}

/// A distinguished name.
pub(super) fn name<'a>(call: &Call<'a, '_>, name: &X509Name<'_>) -> Value<'a> {
    let mut all = Vec::new();
    let of = |arc: u64| {
        let same = |attribute: &&x509_parser::x509::AttributeTypeAndValue<'_>| {
            arcs(attribute.attr_type().as_bytes()) == [2, 5, 4, arc]
        };
        name.iter_attributes()
            .filter(same)
            .map(|attribute| call.text(attribute.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    let last = |items: Vec<Value<'a>>| items.last().copied().unwrap_or(Value::String(""));
    let (common, serial) = (last(of(3)), last(of(5)));
    let lists = [
        ("Country", 6),
        ("Organization", 10),
        ("OrganizationalUnit", 11),
        ("Locality", 7),
        ("Province", 8),
        ("StreetAddress", 9),
        ("PostalCode", 17),
    ];
    let mut members: Vec<_> = lists.into_iter().map(|(key, arc)| (key, list(call, &of(arc)))).collect();
    for attribute in name.iter_attributes() {
        let kind = identifier(call, &arcs(attribute.attr_type().as_bytes()));
        let value = call.text(attribute.as_str().unwrap_or_default());
        all.push(record(call, vec![("Type", kind), ("Value", value)]));
    }
    members.extend([
        ("CommonName", common),
        ("SerialNumber", serial),
        ("ExtraNames", Value::Null),
        ("Names", list(call, &all)),
    ]);
    record(call, members)
}

/// A public key, and Go's number of its kind.
pub(super) fn public_key<'a>(
    call: &Call<'a, '_>,
    info: &SubjectPublicKeyInfo<'_>,
) -> Result<(Value<'a>, i64), BuiltinError> {
    Ok(match info.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            let (n, e) = (unsigned(call, rsa.modulus)?, unsigned(call, rsa.exponent)?);
            (record(call, vec![("N", n), ("E", e)]), 1)
        }
        Ok(PublicKey::EC(point)) => {
            let coordinates = point.data().get(1..).unwrap_or_default();
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            let (x, y) = (unsigned(call, x)?, unsigned(call, y)?);
            (record(call, vec![("Curve", Value::EMPTY), ("X", x), ("Y", y)]), 3)
        }
        _ if info.algorithm.algorithm.to_id_string() == "1.3.101.112" => {
            (bytes(call, &info.subject_public_key.data), 4)
        }
        _ => (Value::Null, 0),
    })
}

pub(super) fn time<'a>(call: &Call<'a, '_>, seconds: i64) -> Value<'a> {
    let text = format(&Civil::from_seconds(seconds, 0), 0, "UTC", named_layout("RFC3339"));
    call.text(&String::from_utf8_lossy(&text))
}

/// What the extensions say beside what [`Certificate`] knows.
#[derive(Default)]
struct Said {
    key_id: Option<Vec<u8>>,
    authority_key_id: Option<Vec<u8>>,
    ocsp: Vec<String>,
    issuers: Vec<String>,
    revocation: Vec<String>,
    policies: Vec<Vec<u64>>,
}

impl Said {
    fn read(&mut self, extension: &X509Extension<'_>) {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => self.key_id = Some(id.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                self.authority_key_id = id.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                for description in &access.accessdescs {
                    let GeneralName::URI(uri) = &description.access_location else { continue };
                    match arcs(description.access_method.as_bytes()).last() {
                        Some(1) => self.ocsp.push((*uri).to_owned()),
                        Some(2) => self.issuers.push((*uri).to_owned()),
                        _ => {}
                    }
                }
            }
            ParsedExtension::CRLDistributionPoints(points) => {
                for point in points.iter() {
                    if let Some(x509_parser::extensions::DistributionPointName::FullName(names)) =
                        &point.distribution_point
                    {
                        self.revocation.extend(names.iter().filter_map(|name| match name {
                            GeneralName::URI(uri) => Some((*uri).to_owned()),
                            _ => None,
                        }));
                    }
                }
            }
            ParsedExtension::CertificatePolicies(_) => {
                let policies = read(extension.value).map_or(&[][..], |(_, content, _)| content);
                self.policies
                    .extend(elements(policies).filter_map(|(_, policy)| Some(arcs(read(policy)?.1))));
            }
            _ => {}
        }
    }
}

/// A certificate as Go's JSON shows it.
pub(super) fn shown<'a>(
    call: &mut Call<'a, '_>,
    certificate: &Certificate<'_>,
    with_uris: bool,
) -> Result<Value<'a>, BuiltinError> {
    let parsed = &certificate.parsed;
    if certificate.limits_names {
        return Err(BuiltinError::Halt("certificates with name constraints are not shown here".into()));
    }
    call.spend(500)?;
    let mut said = Said::default();
    let mut extensions = Vec::new();
    for extension in parsed.extensions() {
        said.read(extension);
        let id = identifier(call, &arcs(extension.oid.as_bytes()));
        let value = bytes(call, extension.value);
        extensions.push(record(
            call,
            vec![("Id", id), ("Critical", Value::Bool(extension.critical)), ("Value", value)],
        ));
    }
    let (key, key_algorithm) = public_key(call, parsed.public_key())?;
    let optional =
        |call: &Call<'a, '_>, id: &Option<Vec<u8>>| id.as_ref().map_or(Value::Null, |id| bytes(call, id));
    let (known, unknown) = usages(call, certificate);
    let unhandled: Vec<_> = certificate.critical_unknown.iter().map(|arcs| identifier(call, arcs)).collect();
    let policies: Vec<_> = said.policies.iter().map(|arcs| identifier(call, arcs)).collect();
    let dotted = |arcs: &Vec<u64>| arcs.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
    let (authority, length) = certificate.constraints.unwrap_or((false, None));
    let has_constraints = certificate.constraints.is_some();
    let length = length.map_or(if has_constraints { -1 } else { 0 }, i64::from);
    let raw_key = parsed.public_key().raw;
    let mut members = vec![
        ("Raw", bytes(call, parsed.as_raw())),
        ("RawTBSCertificate", bytes(call, parsed.tbs_certificate.as_ref())),
        ("RawSubjectPublicKeyInfo", bytes(call, raw_key)),
        ("RawSubject", bytes(call, parsed.subject().as_raw())),
        ("RawIssuer", bytes(call, parsed.issuer().as_raw())),
        ("Signature", bytes(call, &parsed.signature_value.data)),
        ("SignatureAlgorithm", Value::int(signature_number(parsed))),
        ("PublicKeyAlgorithm", Value::int(key_algorithm)),
        ("PublicKey", key),
        ("Version", Value::int(i64::from(parsed.version().0) + 1)),
        ("SerialNumber", {
            let serial = BigInt::from_signed_bytes_be(parsed.raw_serial());
            Value::Number(integer::to_number(&call.arena, &serial)?)
        }),
        ("Issuer", name(call, parsed.issuer())),
        ("Subject", name(call, parsed.subject())),
        ("NotBefore", time(call, parsed.validity().not_before.timestamp())),
        ("NotAfter", time(call, parsed.validity().not_after.timestamp())),
        ("KeyUsage", Value::int(i64::from(certificate.key_usage))),
        ("Extensions", list(call, &extensions)),
        ("ExtKeyUsage", known),
        ("UnknownExtKeyUsage", unknown),
        ("UnhandledCriticalExtensions", list(call, &unhandled)),
        ("BasicConstraintsValid", Value::Bool(has_constraints)),
        ("IsCA", Value::Bool(authority)),
        ("MaxPathLen", Value::int(length)),
        ("MaxPathLenZero", Value::Bool(has_constraints && length == 0)),
        ("SubjectKeyId", optional(call, &said.key_id)),
        ("AuthorityKeyId", optional(call, &said.authority_key_id)),
        ("OCSPServer", texts(call, &said.ocsp)),
        ("IssuingCertificateURL", texts(call, &said.issuers)),
        ("CRLDistributionPoints", texts(call, &said.revocation)),
        ("PolicyIdentifiers", list(call, &policies)),
        ("Policies", texts(call, said.policies.iter().map(dotted))),
        ("DNSNames", texts(call, &certificate.names.dns)),
        ("EmailAddresses", texts(call, &certificate.names.emails)),
        ("IPAddresses", texts(call, certificate.names.addresses.iter().map(std::net::IpAddr::to_string))),
        ("URIs", uris(call, &certificate.names.uris)?),
    ];
    members.extend(ALWAYS);
    if with_uris {
        members.push(("URIStrings", texts(call, &certificate.names.uris)));
    }
    Ok(record(call, members))
}

/// Members that are the same for every certificate that is shown.
const ALWAYS: [(&str, Value<'static>); 17] = [
    ("ExtraExtensions", Value::Null),
    ("PermittedDNSDomainsCritical", Value::Bool(false)),
    ("PermittedDNSDomains", Value::Null),
    ("ExcludedDNSDomains", Value::Null),
    ("PermittedIPRanges", Value::Null),
    ("ExcludedIPRanges", Value::Null),
    ("PermittedEmailAddresses", Value::Null),
    ("ExcludedEmailAddresses", Value::Null),
    ("PermittedURIDomains", Value::Null),
    ("ExcludedURIDomains", Value::Null),
    ("PolicyMappings", Value::Null),
    ("InhibitAnyPolicy", Value::int(0)),
    ("InhibitAnyPolicyZero", Value::Bool(false)),
    ("InhibitPolicyMapping", Value::int(0)),
    ("InhibitPolicyMappingZero", Value::Bool(false)),
    ("RequireExplicitPolicy", Value::int(0)),
    ("RequireExplicitPolicyZero", Value::Bool(false)),
];

/// The usages that have numbers, and the others.
fn usages<'a>(call: &Call<'a, '_>, certificate: &Certificate<'_>) -> (Value<'a>, Value<'a>) {
    let numbers = certificate.usages.iter().flatten();
    let known: Vec<_> = numbers.clone().flatten().map(|number| Value::int(*number)).collect();
    let extension = certificate
        .parsed
        .extensions()
        .iter()
        .find(|extension| matches!(extension.parsed_extension(), ParsedExtension::ExtendedKeyUsage(_)));
    let identifiers =
        extension.and_then(|extension| read(extension.value)).map_or(&[][..], |(_, content, _)| content);
    let unknown: Vec<_> = elements(identifiers)
        .zip(numbers)
        .filter(|(_, number)| number.is_none())
        .map(|((_, oid), _)| identifier(call, &arcs(oid)))
        .collect();
    (list(call, &known), list(call, &unknown))
}

/// URIs in their parts.
pub(super) fn uris<'a>(call: &mut Call<'a, '_>, uris: &[String]) -> Result<Value<'a>, BuiltinError> {
    let mut items = Vec::new();
    for uri in uris {
        let mut members = vec![
            ("User", Value::Null),
            ("Opaque", Value::String("")),
            ("RawFragment", Value::String("")),
            ("RawPath", Value::String("")),
            ("ForceQuery", Value::Bool(false)),
            ("OmitHost", Value::Bool(false)),
        ];
        let parts = super::uris::parts(call, uri).map_err(BuiltinError::failed)?;
        for (shown, part) in [
            ("Scheme", "scheme"),
            ("Host", "host"),
            ("Path", "path"),
            ("RawQuery", "raw_query"),
            ("Fragment", "fragment"),
        ] {
            members.push((shown, parts.get(part).unwrap_or(Value::String(""))));
        }
        items.push(record(call, members));
    }
    Ok(list(call, &items))
}
