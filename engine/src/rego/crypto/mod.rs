//! What signed things are made of: PEM and DER, keys in certificates and JWKs, signatures.

mod certificate;
mod der;
mod jwk;
mod keys;
pub(super) mod pem;
mod private;
mod signature;

pub(super) use certificate::{
    Certificate, Expectations, Names, algorithm_number, chain, parse_certificates, signature_number,
};
pub(super) use der::{arcs, elements, read};
pub(super) use jwk::signing_key;
pub(super) use keys::{PublicKey, VerificationKey, from_certificate_or_jwk};
pub(super) use private::{NamedCurve, PrivateKey, RsaKey, from_any_der, from_pem as private_keys_from_pem};
pub(super) use signature::{Algorithm, Hash};
