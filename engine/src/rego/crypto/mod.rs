//! What signed things are made of: PEM and DER, keys in certificates and JWKs, signatures.

mod der;
mod jwk;
mod keys;
pub(super) mod pem;
mod signature;

pub(super) use jwk::{parse_jwks, signing_key};
pub(super) use keys::{PublicKey, VerificationKey, from_certificate_or_jwk};
pub(super) use signature::{Algorithm, Hash};
