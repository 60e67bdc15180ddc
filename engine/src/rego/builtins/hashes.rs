//! `crypto.md5`, `crypto.sha1`, `crypto.sha256` and `crypto.hmac.*`. MD5 and SHA-1 are here because policies
//! compare what others made with them; nothing of ours rests on them.

use super::encoding::hex;
use super::{Builtin, BuiltinError, Call, Outcome, Type, function, operand};
use crate::value::Value;
use crate::value::bytes::bytes_of;
use aws_lc_rs::{constant_time, digest, hmac};
use md5::{Digest, Md5};

const ONE: &[Type] = &[Type::String];
const TWO: &[Type] = &[Type::String, Type::String];

pub(super) const TABLE: &[Builtin] = &[
    function("crypto.md5", ONE, Type::String, |call, a| hash(call, a, |bytes| Md5::digest(bytes).to_vec())),
    function("crypto.sha1", ONE, Type::String, |call, a| {
        hash(call, a, |bytes| digested(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes))
    }),
    function("crypto.sha256", ONE, Type::String, |call, a| hash(call, a, sha256)),
    function("crypto.hmac.md5", TWO, Type::String, |call, a| keyed(call, a, md5_hmac)),
    function("crypto.hmac.sha1", TWO, Type::String, |call, a| {
        keyed(call, a, |m, k| signed(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, m, k))
    }),
    function("crypto.hmac.sha256", TWO, Type::String, |call, a| keyed(call, a, sha256_hmac)),
    function("crypto.hmac.sha512", TWO, Type::String, |call, a| {
        keyed(call, a, |m, k| signed(hmac::HMAC_SHA512, m, k))
    }),
    function("crypto.hmac.equal", TWO, Type::Boolean, equal),
];

/// SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digested(&digest::SHA256, bytes)
}

/// HMAC with SHA-256.
pub(super) fn sha256_hmac(message: &[u8], key: &[u8]) -> Vec<u8> {
    signed(hmac::HMAC_SHA256, message, key)
}

fn digested(algorithm: &'static digest::Algorithm, bytes: &[u8]) -> Vec<u8> {
    digest::digest(algorithm, bytes).as_ref().to_vec()
}

fn signed(algorithm: hmac::Algorithm, message: &[u8], key: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, key), message).as_ref().to_vec()
}

/// RFC 2104 over MD5.
fn md5_hmac(message: &[u8], key: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    let key = if key.len() > block.len() { Md5::digest(key).to_vec() } else { key.to_vec() };
    block.iter_mut().zip(key).for_each(|(slot, byte)| *slot = byte);
    let inner = Md5::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Md5::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

fn read(call: &mut Call<'_, '_>, text: &str) -> Result<(), BuiltinError> {
    call.spend(4 + text.len() / 16)
}

fn hash<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>], hash: fn(&[u8]) -> Vec<u8>) -> Outcome<'a> {
    let text = operand::string(arguments, 1)?;
    read(call, text)?;
    Ok(Some(call.text(&hex(&hash(&bytes_of(text))))))
}

fn keyed<'a>(
    call: &mut Call<'a, '_>,
    arguments: &[Value<'a>],
    hash: fn(&[u8], &[u8]) -> Vec<u8>,
) -> Outcome<'a> {
    let (message, key) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    read(call, message)?;
    read(call, key)?;
    Ok(Some(call.text(&hex(&hash(&bytes_of(message), &bytes_of(key))))))
}

fn equal<'a>(_: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (left, right) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    let equal = constant_time::verify_slices_are_equal(&bytes_of(left), &bytes_of(right)).is_ok();
    Ok(Some(Value::Bool(equal)))
}
