//! `io.jwt.*`: JSON Web Tokens, decoded, verified, signed.

use super::encoding::{base64url, from_base64url, hex};
use super::{Builtin, BuiltinError, Call, Outcome, Type, function, json, operand};
use crate::rego::crypto::{
    Algorithm, Hash, PublicKey, VerificationKey, from_certificate_or_jwk, signing_key,
};
use crate::value::bytes::{bytes_of, text_from};
use crate::value::{Arena, Number, Object, Value, parse_json};

const TWO: &[Type] = &[Type::String, Type::String];
const DECODED: Type = Type::Array(&[Type::OBJECT, Type::OBJECT, Type::String], None);
const VERIFIED: Type = Type::Array(&[Type::Boolean, Type::OBJECT, Type::OBJECT], None);

macro_rules! verifier {
    ($name:literal, $algorithm:expr) => {
        function($name, TWO, Type::Boolean, |call, arguments| verify(call, arguments, $algorithm))
    };
}

pub(super) const TABLE: &[Builtin] = &[
    function("io.jwt.decode", &[Type::String], DECODED, decode),
    verifier!("io.jwt.verify_rs256", Algorithm::Rsa(Hash::Sha256)),
    verifier!("io.jwt.verify_rs384", Algorithm::Rsa(Hash::Sha384)),
    verifier!("io.jwt.verify_rs512", Algorithm::Rsa(Hash::Sha512)),
    verifier!("io.jwt.verify_ps256", Algorithm::RsaPss(Hash::Sha256)),
    verifier!("io.jwt.verify_ps384", Algorithm::RsaPss(Hash::Sha384)),
    verifier!("io.jwt.verify_ps512", Algorithm::RsaPss(Hash::Sha512)),
    verifier!("io.jwt.verify_es256", Algorithm::Ecdsa(Hash::Sha256)),
    verifier!("io.jwt.verify_es384", Algorithm::Ecdsa(Hash::Sha384)),
    verifier!("io.jwt.verify_es512", Algorithm::Ecdsa(Hash::Sha512)),
    verifier!("io.jwt.verify_eddsa", Algorithm::EdDsa),
    verifier!("io.jwt.verify_hs256", Algorithm::Hmac(Hash::Sha256)),
    verifier!("io.jwt.verify_hs384", Algorithm::Hmac(Hash::Sha384)),
    verifier!("io.jwt.verify_hs512", Algorithm::Hmac(Hash::Sha512)),
    nondeterministic("io.jwt.decode_verify", &[Type::String, Type::RECORD], VERIFIED, decode_verify),
    nondeterministic(
        "io.jwt.encode_sign",
        &[Type::RECORD, Type::RECORD, Type::RECORD],
        Type::String,
        encode_sign,
    ),
    nondeterministic(
        "io.jwt.encode_sign_raw",
        &[Type::String, Type::String, Type::String],
        Type::String,
        encode_sign_raw,
    ),
];

const fn nondeterministic(
    name: &'static str,
    arguments: &'static [Type],
    result: Type,
    run: super::Function,
) -> Builtin {
    Builtin { nondeterministic: true, ..function(name, arguments, result, run) }
}

/// What verifying costs beside the reading, in steps: some 50 µs.
const VERIFY_STEPS: usize = 2_500;

/// A token's three parts, still encoded.
struct Token<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Token<'a> {
    fn read(value: Value<'a>) -> Result<Self, BuiltinError> {
        let Value::String(text) = value else { return Err(BuiltinError::expected(1, &["string"], value)) };
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            [_] => Err(BuiltinError::failed("encoded JWT had no period separators")),
            [header, payload, signature] => Ok(Self { header, payload, signature }),
            _ => {
                Err(BuiltinError::failed(format!("encoded JWT must have 3 sections, found {}", parts.len())))
            }
        }
    }

    fn header<'b>(&self, call: &Call<'b, '_>) -> Result<Object<'b>, BuiltinError> {
        let header = part("header", self.header)?;
        let header =
            object(call, &header).map_err(|why| BuiltinError::failed(format!("bad JWT header: {why}")))?;
        if header.get("enc").is_some() {
            return Err(BuiltinError::failed("JWT is a JWE object, which is not supported"));
        }
        Ok(header)
    }

    fn signature(&self) -> Result<Vec<u8>, BuiltinError> {
        from_base64url(self.signature).map_err(BuiltinError::failed)
    }

    /// What is signed.
    fn message(&self) -> String {
        format!("{}.{}", self.header, self.payload)
    }
}

fn part(name: &str, encoded: &str) -> Result<Vec<u8>, BuiltinError> {
    from_base64url(encoded)
        .map_err(|why| BuiltinError::failed(format!("JWT {name} had invalid encoding: {why}")))
}

/// A JSON object.
fn object<'b>(call: &Call<'b, '_>, bytes: &[u8]) -> Result<Object<'b>, String> {
    let text = call.arena.text(&text_from(bytes));
    match parse_json(&call.arena, text.as_bytes()) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("decoded JSON type was not an Object".to_owned()),
        Err(error) => Err(format!("invalid JSON: {error}")),
    }
}

fn decode<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let mut token_text = operand::at(arguments, 1);
    loop {
        call.spend(1 + token_text.as_str().map_or(0, str::len) / 8)?;
        let token = Token::read(token_text)?;
        let header = token.header(call)?;
        let payload = part("payload", token.payload)?;
        if header.get("cty").and_then(Value::as_str) == Some("JWT") {
            // A token in a token, sometimes in quotes.
            let inner = text_from(&payload);
            token_text = call.text(inner.trim_matches(['"', '\'']));
            continue;
        }
        let payload = object(call, &payload).map_err(BuiltinError::failed)?;
        let signature = part("signature", token.signature)?;
        let signature = call.text(&hex(&signature));
        return Ok(Some(call.array(&[Value::Object(header), Value::Object(payload), signature])));
    }
}

/// The header fields that matter.
#[derive(Default)]
struct Header<'a> {
    algorithm: &'a str,
    key_id: &'a str,
    content_type: &'a str,
    /// Whether something unknown must be understood.
    critical_unknown: bool,
}

impl<'a> Header<'a> {
    fn read(header: Object<'a>) -> Result<Self, BuiltinError> {
        let string = |name: &str| match header.get(name) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(BuiltinError::failed(format!("{name}: must be a string"))),
        };
        let mut critical = Vec::new();
        let algorithm = string("alg")?;
        match header.get("crit") {
            None => {}
            Some(Value::Array(items)) => {
                critical.extend(items.iter().map_while(|item| item.as_str()));
                if critical.is_empty() {
                    return Err(BuiltinError::failed("crit: must be a nonempty list"));
                }
            }
            Some(_) => return Err(BuiltinError::failed("crit: must be a list")),
        }
        let content_type = string("cty")?;
        let key_id = string("kid")?;
        string("typ")?;
        let known = ["alg", "kid", "typ", "cty", "crit"];
        let critical_unknown =
            critical.iter().any(|name| !known.contains(name) && header.get(name).is_some());
        Ok(Self { algorithm, key_id, content_type, critical_unknown })
    }
}

/// The keys to be tried: the one of that name, or all that are for that algorithm.
fn candidates<'k>(keys: &'k [VerificationKey], header: &Header<'_>) -> Vec<&'k PublicKey> {
    if !header.key_id.is_empty()
        && let Some(named) = keys.iter().find(|key| key.id == header.key_id)
    {
        return vec![&named.key];
    }
    let fits = |key: &&VerificationKey| key.algorithm.is_empty() || key.algorithm == header.algorithm;
    keys.iter().filter(fits).map(|key| &key.key).collect()
}

fn verify<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>], algorithm: Algorithm) -> Outcome<'a> {
    let text = operand::at(arguments, 1);
    let secret =
        matches!(algorithm, Algorithm::Hmac(_)).then(|| operand::string(arguments, 2)).transpose()?;
    let token = Token::read(text)?;
    let message = token.message();
    call.spend(VERIFY_STEPS + message.len() / 8)?;
    if let Some(secret) = secret {
        let key = PublicKey::Secret(bytes_of(secret).into_owned());
        let valid = algorithm.verify(&key, message.as_bytes(), &token.signature()?);
        return Ok(Some(Value::Bool(valid)));
    }
    let keys = from_certificate_or_jwk(operand::string(arguments, 2)?).map_err(BuiltinError::failed)?;
    let signature = token.signature()?;
    let header = Header::read(token.header(call)?)?;
    for key in candidates(&keys, &header) {
        call.spend(VERIFY_STEPS)?;
        if algorithm.verify(key, message.as_bytes(), &signature) {
            return Ok(Some(Value::Bool(true)));
        }
    }
    Ok(Some(Value::Bool(false)))
}

/// What a token is held against.
#[derive(Default)]
struct Constraints<'a> {
    keys: Option<Vec<VerificationKey>>,
    secret: &'a str,
    algorithm: &'a str,
    issuer: &'a str,
    audience: &'a str,
    /// Nanoseconds since 1970.
    time: f64,
}

impl<'a> Constraints<'a> {
    fn read(call: &Call<'a, '_>, arguments: &[Value<'a>]) -> Result<Self, BuiltinError> {
        let mut read = Self::default();
        let mut time = Value::int(call.now_ns);
        for (name, value) in operand::object(arguments, 2)? {
            let name = name.as_str().unwrap_or_default();
            let string = || {
                value
                    .as_str()
                    .ok_or_else(|| BuiltinError::failed(format!("{name} constraint: must be a string")))
            };
            match name {
                "cert" => read.keys = Some(from_certificate_or_jwk(string()?).map_err(BuiltinError::failed)?),
                "secret" => read.secret = string()?,
                "alg" => read.algorithm = string()?,
                "iss" => read.issuer = string()?,
                "aud" => read.audience = string()?,
                "time" => time = value,
                _ => {
                    return Err(BuiltinError::failed(format!("unknown token validation constraint: {name}")));
                }
            }
        }
        let Value::Number(number) = time else {
            return Err(BuiltinError::failed("token time constraint: must be a number"));
        };
        read.time = number.as_f64();
        if read.time < 0.0 {
            return Err(BuiltinError::failed("token time constraint: must not be negative"));
        }
        match (&read.keys, read.secret.is_empty()) {
            (Some(_), false) => Err(BuiltinError::failed("duplicate key constraints")),
            (None, true) => Err(BuiltinError::failed("no key constraint")),
            _ => Ok(read),
        }
    }

    fn signed(
        &self,
        call: &mut Call<'_, '_>,
        header: &Header<'_>,
        token: &Token<'_>,
    ) -> Result<bool, BuiltinError> {
        let signature = token.signature()?;
        let Some(algorithm) = Algorithm::named(header.algorithm) else { return Ok(false) };
        let message = token.message();
        let secret = PublicKey::Secret(bytes_of(self.secret).into_owned());
        let keys = match &self.keys {
            Some(keys) => candidates(keys, header),
            None => vec![&secret],
        };
        for key in keys {
            call.spend(VERIFY_STEPS)?;
            // Here an algorithm stands for its own curve only.
            let curve_fits = match key {
                PublicKey::Ec { curve, .. } => algorithm.curve() == Some(*curve),
                _ => true,
            };
            if curve_fits && algorithm.verify(key, message.as_bytes(), &signature) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn claims_hold(&self, payload: Object<'_>) -> Result<bool, BuiltinError> {
        if !self.issuer.is_empty() && payload.get("iss").and_then(Value::as_str) != Some(self.issuer) {
            return Ok(false);
        }
        let addressed = match payload.get("aud") {
            None => self.audience.is_empty(),
            Some(Value::String(audience)) => audience == self.audience,
            Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(self.audience)),
            Some(_) => false,
        };
        if !addressed {
            return Ok(false);
        }
        let now = format!("{}", self.time / 1e9);
        let compare = |name: &str| match payload.get(name) {
            None => Ok(None),
            Some(Value::Number(bound)) => Ok(Some(Number::Text(&now).compare(bound))),
            Some(_) => Err(BuiltinError::failed(format!("{name} value must be a number"))),
        };
        if compare("exp")?.is_some_and(std::cmp::Ordering::is_ge) {
            return Ok(false);
        }
        Ok(!compare("nbf")?.is_some_and(std::cmp::Ordering::is_lt))
    }
}

fn decode_verify<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let constraints = Constraints::read(call, arguments)?;
    let unverified = call.array(&[Value::Bool(false), Value::EMPTY, Value::EMPTY]);
    let mut text = operand::at(arguments, 1);
    loop {
        call.spend(1 + text.as_str().map_or(0, str::len) / 8)?;
        let token = Token::read(text)?;
        let decoded = token.header(call)?;
        let header = Header::read(decoded)?;
        let other_algorithm = !constraints.algorithm.is_empty() && constraints.algorithm != header.algorithm;
        if header.algorithm.is_empty() || header.critical_unknown || other_algorithm {
            return Ok(Some(unverified));
        }
        if !constraints.signed(call, &header, &token)? {
            return Ok(Some(unverified));
        }
        let payload = part("payload", token.payload)?;
        if header.content_type.eq_ignore_ascii_case("JWT") {
            text = call.text(&text_from(&payload));
            continue;
        }
        let payload = object(call, &payload).map_err(BuiltinError::failed)?;
        if !constraints.claims_hold(payload)? {
            return Ok(Some(unverified));
        }
        return Ok(Some(call.array(&[Value::Bool(true), Value::Object(decoded), Value::Object(payload)])));
    }
}

fn encode_sign<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let headers = json::text(call, operand::at(arguments, 1))?;
    let payload = json::text(call, operand::at(arguments, 2))?;
    let key = json::text(call, operand::at(arguments, 3))?;
    signed(call, &headers, &payload, &key)
}

fn encode_sign_raw<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let key = operand::string(arguments, 3)?;
    let (headers, payload) = (operand::string(arguments, 1)?, operand::string(arguments, 2)?);
    signed(call, headers, payload, key)
}

fn signed<'a>(call: &mut Call<'a, '_>, headers: &str, payload: &str, key: &str) -> Outcome<'a> {
    call.spend(4 * VERIFY_STEPS + (headers.len() + payload.len()) / 8)?;
    let key = signing_key(key).map_err(BuiltinError::failed)?;
    let scratch = bumpalo::Bump::new();
    let is_json = |text: &str| parse_json(&&scratch, scratch.alloc_str(text).as_bytes());
    let header = is_json(headers).unwrap_or(Value::Null);
    let Some(name) = header.get("alg").and_then(Value::as_str) else {
        return Err(BuiltinError::failed("missing or invalid 'alg' header"));
    };
    let Some(algorithm) = Algorithm::named(name) else {
        return Err(BuiltinError::failed(format!("unknown JWS algorithm: {name}")));
    };
    let kind = header.get("typ").and_then(Value::as_str);
    if kind.is_none_or(|kind| kind == "JWT") && is_json(payload).is_err() {
        return Err(BuiltinError::failed("type is JWT but payload is not JSON"));
    }
    let message = format!("{}.{}", base64url(&bytes_of(headers)), base64url(&bytes_of(payload)));
    let signature = key.sign(algorithm, message.as_bytes()).map_err(BuiltinError::failed)?;
    Ok(Some(call.text(&format!("{message}.{}", base64url(&signature)))))
}
