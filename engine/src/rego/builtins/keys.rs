//! `crypto.parse_private_keys`, `crypto.x509.parse_rsa_private_key`, `crypto.x509.parse_keypair`: private keys as
//! Go's JSON and JSON Web Keys show them. No error says what is in a key.

use super::certificates::{bytes, record, shown};
use super::encoding::{base64url, from_base64_standard};
use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::rego::crypto::{
    NamedCurve, PrivateKey, RsaKey, from_any_der, parse_certificates, pem, private_keys_from_pem,
};
use crate::rego::number::integer;
use crate::value::Value;
use crate::value::bytes::{bytes_of, text_from};
use num_bigint::{BigInt, BigUint};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

pub(super) const TABLE: &[Builtin] = &[
    function("crypto.parse_private_keys", &[Type::String], Type::Array(&[], Some(&Type::RECORD)), parse_keys),
    function("crypto.x509.parse_rsa_private_key", &[Type::String], Type::RECORD, json_web_key),
    function("crypto.x509.parse_keypair", &[Type::String, Type::String], Type::RECORD, key_pair),
];

/// What reading a key may cost: the arithmetic of its numbers.
const STEPS: usize = 50_000;

fn number<'a>(call: &Call<'a, '_>, value: &BigUint) -> Result<Value<'a>, BuiltinError> {
    integer::to_number(&call.arena, &BigInt::from(value.clone())).map(Value::Number)
}

/// A key as Go's `encoding/json` shows it.
fn go_key<'a>(call: &Call<'a, '_>, key: &PrivateKey) -> Result<Value<'a>, BuiltinError> {
    Ok(match key {
        PrivateKey::Rsa(key) => {
            let RsaKey { modulus, exponent, private, primes: [p, q], exponents: [dp, dq], coefficient } =
                &**key;
            let primes = [number(call, p)?, number(call, q)?];
            let precomputed = vec![
                ("Dp", number(call, dp)?),
                ("Dq", number(call, dq)?),
                ("Qinv", number(call, coefficient)?),
                ("CRTValues", Value::EMPTY_ARRAY),
            ];
            let members = vec![
                ("N", number(call, modulus)?),
                ("E", number(call, exponent)?),
                ("D", number(call, private)?),
                ("Primes", call.array(&primes)),
                ("Precomputed", record(call, precomputed)),
            ];
            record(call, members)
        }
        PrivateKey::Ec { scalar, x, y, .. } => {
            let members = vec![
                ("Curve", Value::EMPTY),
                ("X", number(call, x)?),
                ("Y", number(call, y)?),
                ("D", number(call, scalar)?),
            ];
            record(call, members)
        }
        PrivateKey::Ed25519 { seed, public } => bytes(call, &[seed.as_slice(), public].concat()),
        PrivateKey::X25519 { .. } => Value::EMPTY,
    })
}

fn parse_keys<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    if text.is_empty() {
        return Ok(Some(Value::Null));
    }
    let keys = keys_of(call, text)?;
    let keys: Result<Vec<_>, _> = keys.iter().map(|key| go_key(call, key)).collect();
    Ok(Some(call.array(&keys?)))
}

/// The keys of PEM, or of base64 of it.
fn keys_of(call: &mut Call<'_, '_>, text: &str) -> Result<Vec<PrivateKey>, BuiltinError> {
    call.spend(text.len() / 4 + text.matches("-----BEGIN").count().max(1) * STEPS)?;
    call.claim(text.len().saturating_mul(16))?;
    let bytes = from_base64_standard(text).unwrap_or_else(|_| bytes_of(text).into_owned());
    private_keys_from_pem(&bytes).map_err(BuiltinError::failed)
}

fn json_web_key<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    if text.is_empty() {
        return Err(BuiltinError::failed("input PEM data was empty"));
    }
    let decoded = if text.starts_with("-----BEGIN") {
        text.to_owned()
    } else {
        text_from(&from_base64_standard(text).map_err(BuiltinError::failed)?).into_owned()
    };
    let keys = keys_of(call, &decoded)?;
    let Some(key) = keys.first() else { return Ok(Some(Value::Null)) };
    let text = |bytes: &[u8]| call.text(&base64url(bytes));
    let digits = |value: &BigUint| text(&value.to_bytes_be());
    let members = match key {
        PrivateKey::Rsa(key) => vec![
            ("kty", Value::String("RSA")),
            ("n", digits(&key.modulus)),
            ("e", digits(&key.exponent)),
            ("d", digits(&key.private)),
            ("p", digits(&key.primes[0])),
            ("q", digits(&key.primes[1])),
            ("dp", digits(&key.exponents[0])),
            ("dq", digits(&key.exponents[1])),
            ("qi", digits(&key.coefficient)),
        ],
        PrivateKey::Ec { curve, scalar, x, y } => {
            let name = match curve {
                NamedCurve::P224 => {
                    return Err(BuiltinError::failed("there are no JSON Web Keys on the curve P-224"));
                }
                NamedCurve::P256 => "P-256",
                NamedCurve::P384 => "P-384",
                NamedCurve::P521 => "P-521",
            };
            let padded = |value: &BigUint| {
                let digits = value.to_bytes_be();
                text(&[vec![0; curve.width().saturating_sub(digits.len())], digits].concat())
            };
            vec![
                ("kty", Value::String("EC")),
                ("crv", Value::String(name)),
                ("x", padded(x)),
                ("y", padded(y)),
                ("d", padded(scalar)),
            ]
        }
        PrivateKey::Ed25519 { seed, public } => octets("Ed25519", text(seed), text(public)),
        PrivateKey::X25519 { secret, public } => octets("X25519", text(secret), text(public)),
    };
    Ok(Some(record(call, members)))
}

fn octets<'a>(curve: &'static str, secret: Value<'a>, public: Value<'a>) -> Vec<(&'static str, Value<'a>)> {
    vec![("kty", Value::String("OKP")), ("crv", Value::String(curve)), ("d", secret), ("x", public)]
}

/// The blocks of PEM that fit; of what is no PEM, base64 of it, or DER in base64.
fn blocks(text: &str, fits: impl Fn(&str) -> bool) -> Result<Vec<Vec<u8>>, BuiltinError> {
    let decoded;
    let text = if text.starts_with("-----BEGIN ") {
        text
    } else {
        let bytes = from_base64_standard(text).map_err(BuiltinError::failed)?;
        if !bytes.starts_with(b"-----BEGIN ") {
            return Ok(vec![bytes]);
        }
        decoded = text_from(&bytes).into_owned();
        &decoded
    };
    let (mut rest, mut found) = (text, Vec::new());
    while let Some((block, after)) = pem::decode(rest) {
        rest = after;
        if fits(&block.label) {
            found.push(block.bytes);
        }
    }
    Ok(found)
}

fn key_pair<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (certificate, key) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    call.spend((certificate.len() + key.len()) / 4 + STEPS)?;
    call.claim(certificate.len().saturating_add(key.len()).saturating_mul(16))?;
    let certificates = blocks(certificate, |label| label == "CERTIFICATE")?;
    let keys = blocks(key, |label| label == "PRIVATE KEY" || label.ends_with(" PRIVATE KEY"))?;
    let failed = |what: &'static str| BuiltinError::failed(what);
    let leaf = certificates.first().ok_or(failed("tls: failed to find any PEM data in certificate input"))?;
    let leaf = parse_certificates(leaf).map_err(BuiltinError::failed)?;
    let leaf = leaf.first().ok_or(failed("x509: malformed certificate"))?;
    let der = keys.first().ok_or(failed("tls: failed to find any PEM data in key input"))?;
    let key = from_any_der(der).ok_or(failed("tls: failed to parse private key"))?;
    match belongs(&key, leaf.parsed.public_key()) {
        Some(true) => {}
        Some(false) => return Err(failed("tls: private key does not match public key")),
        None => return Err(failed("tls: private key type does not match public key type")),
    }
    let chain: Vec<_> = certificates.iter().map(|der| bytes(call, der)).collect();
    let members = vec![
        ("Certificate", call.array(&chain)),
        ("PrivateKey", go_key(call, &key)?),
        ("Leaf", shown(call, leaf, false)?),
        ("OCSPStaple", Value::Null),
        ("SignedCertificateTimestamps", Value::Null),
        ("SupportedSignatureAlgorithms", Value::Null),
    ];
    Ok(Some(record(call, members)))
}

/// Whether a private key is that of a public one; `None`: it is of another kind.
fn belongs(key: &PrivateKey, public: &SubjectPublicKeyInfo<'_>) -> Option<bool> {
    match (key, public.parsed()) {
        (PrivateKey::Rsa(key), Ok(PublicKey::RSA(rsa))) => {
            Some(key.modulus == BigUint::from_bytes_be(rsa.modulus))
        }
        (PrivateKey::Ec { x, y, .. }, Ok(PublicKey::EC(point))) => {
            let coordinates = point.data().get(1..).unwrap_or_default();
            let (their_x, their_y) = coordinates.split_at(coordinates.len() / 2);
            Some(BigUint::from_bytes_be(their_x) == *x && BigUint::from_bytes_be(their_y) == *y)
        }
        (PrivateKey::Ed25519 { public: ours, .. }, _)
            if public.algorithm.algorithm.to_id_string() == "1.3.101.112" =>
        {
            Some(**ours == *public.subject_public_key.data)
        }
        _ => None,
    }
}
