//! `crypto.x509.parse_certificate_request`: requests for certificates (PKCS #10, RFC 2986) as Go's `crypto/x509`
//! shows them in JSON.

use super::certificates::{bytes, identifier, list, name, public_key, record, texts, time, uris};
use super::encoding::from_base64_standard;
use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::rego::crypto::{Names, algorithm_number, arcs, elements, pem, read};
use crate::rego::number::integer;
use crate::value::Value;
use crate::value::bytes::{bytes_of, text_from};
use aws_lc_rs::signature::{self, ParsedPublicKey};
use num_bigint::BigInt;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo, X509Name};

pub(super) const TABLE: &[Builtin] =
    &[function("crypto.x509.parse_certificate_request", &[Type::String], Type::RECORD, parse)];

const BEGIN: &str = "-----BEGIN CERTIFICATE REQUEST-----";

fn broken() -> BuiltinError {
    BuiltinError::failed("asn1: structure error: not a certificate request")
}

/// An element with its tag and length, its content, and what follows.
type Element<'d> = (&'d [u8], &'d [u8], &'d [u8]);

/// The first element.
fn element(der: &[u8]) -> Result<Element<'_>, BuiltinError> {
    let (_, content, rest) = read(der).ok_or_else(broken)?;
    let whole = der.get(..der.len() - rest.len()).unwrap_or_default();
    Ok((whole, content, rest))
}

fn parse<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    call.spend(500 + text.len() / 4)?;
    call.claim(text.len().saturating_mul(16))?;
    let given = if text.starts_with(BEGIN) {
        bytes_of(text).into_owned()
    } else {
        from_base64_standard(text).map_err(BuiltinError::failed)?
    };
    let der = match pem::decode(&text_from(&given)) {
        None => given,
        Some((block, _)) if block.label == "CERTIFICATE REQUEST" => block.bytes,
        Some(_) => return Err(BuiltinError::failed("invalid PEM-encoded certificate signing request")),
    };
    if der.first() != Some(&0x30) {
        return Err(broken());
    }
    let (_, request, rest) = element(&der)?;
    if !rest.is_empty() {
        return Err(BuiltinError::failed("asn1: syntax error: trailing data"));
    }
    let (information, fields, rest) = element(request)?;
    let (_, algorithm) = AlgorithmIdentifier::from_der(rest).map_err(|_| broken())?;
    let (_, _, rest) = element(rest)?;
    let (_, signature, _) = element(rest)?;
    let (_, version, fields) = element(fields)?;
    let (subject, _, fields) = element(fields)?;
    let (key, _, fields) = element(fields)?;
    let attributes = read(fields).filter(|(tag, ..)| *tag == 0xa0).map_or(&[][..], |(_, content, _)| content);
    if !is_name(subject) {
        return Err(BuiltinError::failed("asn1: structure error: the subject is no name"));
    }
    let (_, subject_name) = X509Name::from_der(subject).map_err(|_| broken())?;
    let (_, key_information) = SubjectPublicKeyInfo::from_der(key).map_err(|_| broken())?;
    if !is_on_curve(&key_information) {
        return Err(BuiltinError::failed("x509: failed to unmarshal elliptic curve point"));
    }
    let (public, key_algorithm) = public_key(call, &key_information)?;
    let requested = extensions(attributes);
    let mut names = Names::default();
    let mut extensions = Vec::new();
    for extension in &requested {
        if let ParsedExtension::SubjectAlternativeName(alternatives) = extension.parsed_extension() {
            alternatives.general_names.iter().for_each(|name| names.add(name));
        }
        let members = vec![
            ("Id", identifier(call, &arcs(extension.oid.as_bytes()))),
            ("Critical", Value::Bool(extension.critical)),
            ("Value", bytes(call, extension.value)),
        ];
        extensions.push(record(call, members));
    }
    let version = BigInt::from_signed_bytes_be(version);
    let members = vec![
        ("Raw", bytes(call, &der)),
        ("RawTBSCertificateRequest", bytes(call, information)),
        ("RawSubjectPublicKeyInfo", bytes(call, key)),
        ("RawSubject", bytes(call, subject)),
        ("Version", Value::Number(integer::to_number(&call.arena, &version)?)),
        ("Signature", bytes(call, signature.get(1..).unwrap_or_default())),
        ("SignatureAlgorithm", Value::int(algorithm_number(&algorithm))),
        ("PublicKeyAlgorithm", Value::int(key_algorithm)),
        ("PublicKey", public),
        ("Subject", name(call, &subject_name)),
        ("Attributes", shown_attributes(call, attributes)?),
        ("Extensions", list(call, &extensions)),
        ("ExtraExtensions", Value::Null),
        ("DNSNames", texts(call, &names.dns)),
        ("EmailAddresses", texts(call, &names.emails)),
        ("IPAddresses", texts(call, names.addresses.iter().map(std::net::IpAddr::to_string))),
        ("URIs", uris(call, &names.uris)?),
    ];
    Ok(Some(record(call, members)))
}

/// Whether DER is a name whose parts are strings: sets of pairs of an identifier and a string.
fn is_name(der: &[u8]) -> bool {
    let is_pair = |(tag, pair): (u8, &[u8])| {
        let parts: Vec<_> = elements(pair).collect();
        let [(6, [_, ..]), (kind, text)] = parts.as_slice() else { return false };
        tag == 0x30
            && match kind {
                12 => std::str::from_utf8(text).is_ok(),
                18 => text.iter().all(|byte| byte.is_ascii_digit() || *byte == b' '),
                19 => {
                    text.iter().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(byte))
                }
                22 => text.is_ascii(),
                _ => true,
            }
    };
    let is_set = |(tag, set): (u8, &[u8])| tag == 0x31 && elements(set).all(is_pair);
    read(der).is_some_and(|(tag, sets, rest)| tag == 0x30 && rest.is_empty() && elements(sets).all(is_set))
}

/// Whether a key on a curve is a point of it.
fn is_on_curve(key: &SubjectPublicKeyInfo<'_>) -> bool {
    let Ok(PublicKey::EC(point)) = key.parsed() else { return true };
    let curve = key.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
    let algorithm = match curve.map(|oid| oid.to_id_string()).unwrap_or_default().as_str() {
        "1.2.840.10045.3.1.7" => &signature::ECDSA_P256_SHA256_ASN1,
        "1.3.132.0.34" => &signature::ECDSA_P384_SHA384_ASN1,
        "1.3.132.0.35" => &signature::ECDSA_P521_SHA512_ASN1,
        _ => return true,
    };
    ParsedPublicKey::new(algorithm, point.data()).is_ok()
}

/// The attribute that asks for extensions (RFC 2985 §5.4.2).
const EXTENSION_REQUEST: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 14];

/// The extensions that are asked for.
fn extensions(attributes: &[u8]) -> Vec<X509Extension<'_>> {
    let mut found = Vec::new();
    for (_, attribute) in elements(attributes) {
        let mut parts = elements(attribute);
        if parts.next().is_none_or(|(_, oid)| arcs(oid) != EXTENSION_REQUEST) {
            continue;
        }
        let mut rest = parts.next().and_then(|(_, set)| read(set)).map_or(&[][..], |(_, list, _)| list);
        while let Ok((after, extension)) = X509Extension::from_der(rest) {
            found.push(extension);
            rest = after;
        }
    }
    found
}

/// The attributes whose values are sets of sequences of names with values; Go passes over the others.
fn shown_attributes<'a>(call: &Call<'a, '_>, attributes: &[u8]) -> Result<Value<'a>, BuiltinError> {
    let mut shown = Vec::new();
    'attributes: for (_, attribute) in elements(attributes) {
        let parts: Vec<_> = elements(attribute).collect();
        let [(6, oid), (0x31, set), ..] = parts.as_slice() else { continue };
        let mut values = Vec::new();
        for (tag, sequence) in elements(set) {
            let mut pairs = Vec::new();
            for (inner, pair) in elements(sequence) {
                let parts: Vec<_> = elements(pair).collect();
                let (0x30, 0x30, [(6, oid), (kind, value), ..]) = (tag, inner, parts.as_slice()) else {
                    continue 'attributes;
                };
                let members =
                    vec![("Type", identifier(call, &arcs(oid))), ("Value", any(call, *kind, value)?)];
                pairs.push(record(call, members));
            }
            values.push(call.array(&pairs));
        }
        let members = vec![("Type", identifier(call, &arcs(oid))), ("Value", call.array(&values))];
        shown.push(record(call, members));
    }
    Ok(list(call, &shown))
}

/// A value of any type, as Go decodes it.
fn any<'a>(call: &Call<'a, '_>, tag: u8, content: &[u8]) -> Result<Value<'a>, BuiltinError> {
    Ok(match tag {
        1 => Value::Bool(content != [0]),
        2 => Value::Number(integer::to_number(&call.arena, &BigInt::from_signed_bytes_be(content))?),
        3 => {
            let (unused, bits) = content.split_first().unwrap_or((&0, &[]));
            let length = (bits.len() * 8).saturating_sub(usize::from(*unused));
            record(call, vec![("Bytes", bytes(call, bits)), ("BitLength", call.count(length))])
        }
        4 => bytes(call, content),
        6 => identifier(call, &arcs(content)),
        12 | 18 | 19 | 20 | 22 => call.text(&text_from(content)),
        23 | 24 => {
            let length = u8::try_from(content.len()).unwrap_or(0);
            let whole = [&[tag, length], content].concat();
            ASN1Time::from_der(&whole).map_or(Value::Null, |(_, at)| time(call, at.timestamp()))
        }
        _ => Value::Null,
    })
}
