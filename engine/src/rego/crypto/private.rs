//! Private keys: what PEM and DER of them hold. No error says what is in a key.

use super::der::{arcs, elements, read};
use super::pem;
use crate::value::bytes::text_from;
use aws_lc_rs::agreement;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use num_bigint::BigUint;

/// A private key.
pub(in crate::rego) enum PrivateKey {
    /// RSA of two primes.
    Rsa(Box<RsaKey>),
    /// A scalar on a curve, and its point.
    Ec { curve: NamedCurve, scalar: BigUint, x: BigUint, y: BigUint },
    /// Ed25519.
    Ed25519 { seed: Vec<u8>, public: Vec<u8> },
    /// X25519.
    X25519 { secret: Vec<u8>, public: Vec<u8> },
}

/// The numbers of an RSA key (RFC 8017 §3.2).
pub(in crate::rego) struct RsaKey {
    pub(in crate::rego) modulus: BigUint,
    pub(in crate::rego) exponent: BigUint,
    pub(in crate::rego) private: BigUint,
    pub(in crate::rego) primes: [BigUint; 2],
    pub(in crate::rego) exponents: [BigUint; 2],
    pub(in crate::rego) coefficient: BigUint,
}

/// The curves that Go reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rego) enum NamedCurve {
    P224,
    P256,
    P384,
    P521,
}

impl NamedCurve {
    fn of(arcs: &[u64]) -> Option<Self> {
        Some(match arcs {
            [1, 3, 132, 0, 33] => Self::P224,
            [1, 2, 840, 10_045, 3, 1, 7] => Self::P256,
            [1, 3, 132, 0, 34] => Self::P384,
            [1, 3, 132, 0, 35] => Self::P521,
            _ => return None,
        })
    }

    /// The length of a coordinate, in bytes.
    pub(in crate::rego) fn width(self) -> usize {
        match self {
            Self::P224 => 28,
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

type Read<T> = Result<T, String>;

fn broken() -> String {
    "asn1: structure error: not a private key of its kind".to_owned()
}

/// The content of the sequence that DER is.
fn sequence(der: &[u8]) -> Read<Vec<(u8, &[u8])>> {
    let (tag, content, _) = read(der).ok_or("asn1: syntax error: truncated tag or length")?;
    if tag == 0x30 { Ok(elements(content).collect()) } else { Err(broken()) }
}

/// Of PKCS #1 (RFC 8017 §A.1.2).
pub(in crate::rego) fn from_pkcs1(der: &[u8]) -> Read<PrivateKey> {
    let numbers: Option<Vec<BigUint>> = sequence(der)?
        .into_iter()
        .take(9)
        .map(|(tag, content)| (tag == 2).then(|| BigUint::from_bytes_be(content)))
        .collect();
    let numbers: [BigUint; 9] = numbers.ok_or_else(broken)?.try_into().map_err(|_| broken())?;
    let [version, modulus, exponent, private, p, q, dp, dq, coefficient] = numbers;
    let one = BigUint::from(1_u8);
    if version != BigUint::ZERO {
        return Err("x509: RSA keys of more than two primes are not read here".to_owned());
    }
    let sound = p > one
        && q > one
        && &p * &q == modulus
        && [&p, &q].iter().all(|prime| (&private * &exponent) % (*prime - &one) == &one % (*prime - &one))
        && &private % (&p - &one) == dp
        && &private % (&q - &one) == dq
        && (&coefficient * &q) % &p == one;
    if !sound {
        return Err("x509: invalid RSA private key: its numbers do not belong together".to_owned());
    }
    let (primes, exponents) = ([p, q], [dp, dq]);
    Ok(PrivateKey::Rsa(Box::new(RsaKey { modulus, exponent, private, primes, exponents, coefficient })))
}

/// Of SEC 1 (RFC 5915); the curve is known where it comes in PKCS #8.
pub(in crate::rego) fn from_sec1(der: &[u8], known: Option<NamedCurve>) -> Read<PrivateKey> {
    let elements = sequence(der)?;
    let [(2, [1]), (4, secret), rest @ ..] = elements.as_slice() else {
        return Err("x509: failed to parse EC private key".to_owned());
    };
    let named = rest.iter().find(|(tag, _)| *tag == 0xa0).and_then(|(_, content)| read(content));
    let curve = known.or_else(|| named.and_then(|(_, oid, _)| NamedCurve::of(&arcs(oid))));
    let curve = curve.ok_or("x509: unknown elliptic curve")?;
    let scalar = BigUint::from_bytes_be(secret);
    let digits = scalar.to_bytes_be();
    let missing =
        curve.width().checked_sub(digits.len()).ok_or("x509: invalid elliptic curve private key value")?;
    let padded = [vec![0; missing], digits].concat();
    let algorithm = match curve {
        NamedCurve::P256 => &agreement::ECDH_P256,
        NamedCurve::P384 => &agreement::ECDH_P384,
        NamedCurve::P521 => &agreement::ECDH_P521,
        NamedCurve::P224 => {
            // There is nothing to compute its point with: it must be there.
            let point = rest.iter().find(|(tag, _)| *tag == 0xa1).and_then(|(_, content)| read(content));
            let point = point.and_then(|(_, bits, _)| bits.strip_prefix(&[0, 4]));
            let point = point.filter(|point| point.len() == 2 * curve.width());
            let (x, y) = point.ok_or("keys on P-224 without their point are not read here")?.split_at(28);
            let (x, y) = (BigUint::from_bytes_be(x), BigUint::from_bytes_be(y));
            return Ok(PrivateKey::Ec { curve, scalar, x, y });
        }
    };
    let point = agreement::PrivateKey::from_private_key(algorithm, &padded)
        .ok()
        .and_then(|key| key.compute_public_key().ok())
        .ok_or("x509: invalid elliptic curve private key value")?;
    let (x, y) = point.as_ref().get(1..).unwrap_or_default().split_at(curve.width());
    Ok(PrivateKey::Ec { curve, scalar, x: BigUint::from_bytes_be(x), y: BigUint::from_bytes_be(y) })
}

/// Of PKCS #8 (RFC 5958).
pub(in crate::rego) fn from_pkcs8(der: &[u8]) -> Read<PrivateKey> {
    let elements_of_key = sequence(der)?;
    let [(2, _), (0x30, algorithm), (4, key), ..] = elements_of_key.as_slice() else {
        return Err(broken());
    };
    let mut algorithm = elements(algorithm);
    let oid = algorithm.next().map(|(_, oid)| arcs(oid)).unwrap_or_default();
    match oid.as_slice() {
        [1, 2, 840, 113_549, 1, 1, 1] => from_pkcs1(key)
            .map_err(|why| format!("x509: failed to parse RSA private key embedded in PKCS#8: {why}")),
        [1, 2, 840, 10_045, 2, 1] => {
            let curve = algorithm.next().and_then(|(_, oid)| NamedCurve::of(&arcs(oid)));
            from_sec1(key, curve)
                .map_err(|why| format!("x509: failed to parse EC private key embedded in PKCS#8: {why}"))
        }
        [1, 3, 101, kind @ (110 | 112)] => {
            let (_, secret, _) = read(key).filter(|(tag, ..)| *tag == 4).ok_or_else(broken)?;
            let secret = secret.to_vec();
            let refused = "x509: invalid Ed25519 or X25519 private key length";
            if *kind == 112 {
                let pair = Ed25519KeyPair::from_seed_unchecked(&secret).map_err(|_| refused)?;
                return Ok(PrivateKey::Ed25519 { seed: secret, public: pair.public_key().as_ref().to_vec() });
            }
            let point = agreement::PrivateKey::from_private_key(&agreement::X25519, &secret)
                .map_err(|_| refused)?
                .compute_public_key()
                .map_err(|_| refused)?;
            Ok(PrivateKey::X25519 { secret, public: point.as_ref().to_vec() })
        }
        _ => {
            let oid: Vec<_> = oid.iter().map(u64::to_string).collect();
            Err(format!(
                "x509: PKCS#8 wrapping contained private key with unknown algorithm: {}",
                oid.join(".")
            ))
        }
    }
}

/// A key of any of the three forms, as TLS takes it.
pub(in crate::rego) fn from_any_der(der: &[u8]) -> Option<PrivateKey> {
    from_pkcs1(der).or_else(|_| from_pkcs8(der)).or_else(|_| from_sec1(der, None)).ok()
}

/// The keys of PEM; what holds none is passed over.
///
/// # Errors
/// If a key is broken, or of a kind that is not read.
pub(in crate::rego) fn from_pem(bytes: &[u8]) -> Read<Vec<PrivateKey>> {
    let text = text_from(bytes);
    let (mut rest, mut keys) = (&*text, Vec::new());
    while let Some((block, after)) = pem::decode(rest) {
        rest = after;
        match block.label.as_str() {
            "RSA PRIVATE KEY" => keys.push(from_pkcs1(&block.bytes)?),
            "PRIVATE KEY" => keys.push(from_pkcs8(&block.bytes)?),
            "EC PRIVATE KEY" => keys.push(from_sec1(&block.bytes, None)?),
            _ => {}
        }
    }
    Ok(keys)
}
