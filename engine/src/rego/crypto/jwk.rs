//! JSON Web Keys (RFC 7517, 7518, 8037).

use super::der;
use super::keys::{Curve, PublicKey, VerificationKey};
use super::signature::SigningKey;
use crate::rego::builtins::encoding::from_base64url;
use crate::value::{Value, parse_json};
use bumpalo::Bump;

/// The algorithms of JWTs that there are.
const ALGORITHMS: [&str; 13] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "HS256", "HS384",
    "HS512", "EdDSA",
];

fn bytes(key: Value<'_>, name: &str) -> Result<Vec<u8>, String> {
    let text =
        key.get(name).and_then(Value::as_str).ok_or_else(|| format!("required field {name} is missing"))?;
    from_base64url(text).map_err(|why| format!("failed to decode {name}: {why}"))
}

fn curve(key: Value<'_>) -> Result<Curve, String> {
    match key.get("crv").and_then(Value::as_str) {
        Some("P-256") => Ok(Curve::P256),
        Some("P-384") => Ok(Curve::P384),
        Some("P-521") => Ok(Curve::P521),
        other => Err(format!("unknown curve `{}`", other.unwrap_or_default())),
    }
}

/// An uncompressed point of two coordinates.
fn point(key: Value<'_>, curve: Curve) -> Result<Vec<u8>, String> {
    let mut point = vec![4];
    for name in ["x", "y"] {
        point.extend(
            padded(&bytes(key, name)?, curve.width()).ok_or("a coordinate is too long for its curve")?,
        );
    }
    Ok(point)
}

fn padded(bytes: &[u8], width: usize) -> Option<Vec<u8>> {
    let significant: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    let missing = width.checked_sub(significant.len())?;
    Some([vec![0; missing], significant].concat())
}

fn public(key: Value<'_>) -> Result<PublicKey, String> {
    // A private key is of another type to OPA, and verifies nothing.
    let private = key.get("d").is_some();
    let read = match key.get("kty").and_then(Value::as_str) {
        Some("RSA") => PublicKey::Rsa { modulus: bytes(key, "n")?, exponent: bytes(key, "e")? },
        Some("EC") => {
            let curve = curve(key)?;
            PublicKey::Ec { curve, point: point(key, curve)? }
        }
        Some("OKP") if key.get("crv").and_then(Value::as_str) == Some("Ed25519") => {
            PublicKey::Ed25519(bytes(key, "x")?)
        }
        Some("OKP") => PublicKey::Other,
        Some("oct") => PublicKey::Secret(bytes(key, "k")?),
        Some(other) => return Err(format!("invalid key type from JSON ({other})")),
        None => return Err("failed to find a key type (kty)".to_owned()),
    };
    Ok(if private { PublicKey::Other } else { read })
}

/// The keys of a JWK or a set of them.
///
/// # Errors
/// If it is neither.
pub(in crate::rego) fn parse_jwks(text: &str) -> Result<Vec<VerificationKey>, String> {
    let bump = Bump::new();
    let document = parse_json(&&bump, text.as_bytes()).map_err(|error| error.to_string())?;
    let single = [document];
    let keys = match document.get("keys") {
        Some(Value::Array(keys)) => keys,
        Some(_) => return Err("`keys` must be an array".to_owned()),
        None => &single[..],
    };
    let mut read = Vec::new();
    for key in keys {
        let public = public(*key)?;
        let member = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let algorithm = member("alg");
        if algorithm.is_empty() || ALGORITHMS.contains(&algorithm.as_str()) {
            read.push(VerificationKey { algorithm, id: member("kid"), key: public });
        }
    }
    Ok(read)
}

/// The first key of a JWK or a set, to sign with.
///
/// # Errors
/// If there is none, or not one that signs.
pub(in crate::rego) fn signing_key(text: &str) -> Result<SigningKey, String> {
    let bump = Bump::new();
    let document = parse_json(&&bump, text.as_bytes()).map_err(|error| error.to_string())?;
    let key = match document.get("keys") {
        Some(Value::Array(keys)) => *keys.first().ok_or("no keys found in JWK set")?,
        _ => document,
    };
    match key.get("kty").and_then(Value::as_str) {
        Some("oct") => Ok(SigningKey::Secret(bytes(key, "k")?)),
        Some("RSA") => {
            let mut elements = vec![der::integer(&[0])];
            for name in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
                elements.push(der::integer(&bytes(key, name)?));
            }
            Ok(SigningKey::Rsa(der::sequence(&elements)))
        }
        Some("EC") => {
            let curve = curve(key)?;
            let scalar =
                padded(&bytes(key, "d")?, curve.width()).ok_or("the key is too long for its curve")?;
            Ok(SigningKey::Ec { curve, scalar, point: point(key, curve)? })
        }
        Some("OKP") => Ok(SigningKey::Ed25519 { seed: bytes(key, "d")?, public: bytes(key, "x")? }),
        Some(other) => Err(format!("invalid key type from JSON ({other})")),
        None => Err("failed to find a key type (kty)".to_owned()),
    }
}
