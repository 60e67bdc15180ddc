//! `providers.aws.sign_req`: requests signed as AWS asks for it (Signature Version 4,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>). Nothing is sent.

use super::encoding::hex;
use super::hashes::{sha256, sha256_hmac};
use super::uris::Reference;
use super::{Builtin, BuiltinError, Call, Outcome, Type, function, json, operand};
use crate::rego::number::int64;
use crate::rego::text::write_term;
use crate::rego::time::{Civil, format};
use crate::value::bytes::bytes_of;
use crate::value::{Entries, Object, Value};
use std::collections::BTreeMap;

pub(super) const TABLE: &[Builtin] = &[function(
    "providers.aws.sign_req",
    &[Type::RECORD, Type::RECORD, Type::Number],
    Type::OBJECT,
    sign_request,
)];

/// What a request may have: what `http.send` takes.
const PARAMETERS: [&str; 28] = [
    "body",
    "cache",
    "cache_ignored_headers",
    "caching_mode",
    "enable_redirect",
    "force_cache",
    "force_cache_duration_seconds",
    "force_json_decode",
    "force_yaml_decode",
    "headers",
    "max_retry_attempts",
    "method",
    "raise_error",
    "raw_body",
    "timeout",
    "tls_ca_cert",
    "tls_ca_cert_env_variable",
    "tls_ca_cert_file",
    "tls_client_cert",
    "tls_client_cert_env_variable",
    "tls_client_cert_file",
    "tls_client_key",
    "tls_client_key_env_variable",
    "tls_client_key_file",
    "tls_insecure_skip_verify",
    "tls_server_name",
    "tls_use_system_certs",
    "url",
];

const CREDENTIALS: [&str; 4] = ["aws_access_key", "aws_region", "aws_secret_access_key", "aws_service"];

/// Headers that are not signed, because they may change on the way.
const UNSIGNED: [&str; 3] = ["authorization", "user-agent", "x-amzn-trace-id"];

/// A problem of several names: the names as a set.
fn wrong<'n>(position: usize, what: &str, names: impl Iterator<Item = &'n str>) -> Result<(), BuiltinError> {
    let bump = bumpalo::Bump::new();
    let names: Vec<_> = names.map(Value::String).collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut shown = String::new();
    write_term(&mut shown, Value::set(&&bump, names));
    Err(BuiltinError::operand(position, format!("{what} parameters(s): {shown}")))
}

/// The member of an object, whatever else its keys are.
fn member<'a>(object: Value<'a>, name: &str) -> Option<Value<'a>> {
    object.get_key(Value::String(name))
}

fn check_credentials(config: Value<'_>) -> Result<(), BuiltinError> {
    let missing = CREDENTIALS.into_iter().filter(|name| member(config, name).is_none());
    wrong(2, "missing required AWS config", missing)?;
    let invalid = CREDENTIALS
        .into_iter()
        .filter(|name| member(config, name).is_some_and(|value| value.as_str().is_none()));
    wrong(2, "invalid values for required AWS config", invalid)
}

fn check_request(request: Value<'_>, members: Entries<'_>) -> Result<(), BuiltinError> {
    let unknown: Vec<_> = members
        .map(|(key, _)| key)
        .filter(|key| key.as_str().is_none_or(|name| !PARAMETERS.contains(&name)))
        .collect();
    if !unknown.is_empty() {
        let bump = bumpalo::Bump::new();
        let mut shown = String::new();
        write_term(&mut shown, Value::set(&&bump, unknown));
        return Err(BuiltinError::operand(1, format!("invalid request parameters(s): {shown}")));
    }
    let missing = ["method", "url"].into_iter().filter(|name| member(request, name).is_none());
    wrong(1, "missing required request", missing)
}

fn sign_request<'a>(call: &mut Call<'a, '_>, arguments: &[Value<'a>]) -> Outcome<'a> {
    let (request, config) = (operand::at(arguments, 1), operand::at(arguments, 2));
    let object = |value: Value<'a>| {
        // OPA counts all these operands as the first.
        value.entries().ok_or_else(|| BuiltinError::expected(1, &["object"], value))
    };
    let members = object(request)?;
    object(config)?;
    check_credentials(config)?;
    let Value::Number(instant) = operand::at(arguments, 3) else {
        return Err(BuiltinError::expected(1, &["number"], operand::at(arguments, 3)));
    };
    let instant = int64(instant)
        .ok_or_else(|| BuiltinError::operand(3, "could not convert time_ns value into a unix timestamp"))?;
    check_request(request, members)?;
    let headers = match member(request, "headers") {
        None => Value::EMPTY,
        Some(headers @ (Value::Object(_) | Value::Map(_))) => headers,
        Some(other) => return Err(BuiltinError::expected(0, &["object"], other)),
    };
    let invalid = ["method", "url"]
        .into_iter()
        .filter(|name| member(request, name).is_some_and(|value| value.as_str().is_none()));
    wrong(1, "invalid values for required request", invalid)?;
    let text = |from: Value<'a>, name: &str| member(from, name).and_then(Value::as_str).unwrap_or_default();
    let url = Reference::parse(text(request, "url")).map_err(BuiltinError::failed)?;
    let body = match (member(request, "raw_body"), member(request, "body")) {
        (Some(raw), _) => raw.as_str().unwrap_or_default().to_owned(),
        (None, Some(body)) => json::text(call, body)?,
        (None, None) => String::new(),
    };
    let unsigned_body = match member(config, "disable_payload_signing") {
        None => false,
        Some(Value::Bool(disabled)) => disabled,
        Some(_) => {
            let problem = "invalid value for 'disable_payload_signing' in AWS config";
            return Err(BuiltinError::operand(2, problem));
        }
    };
    call.spend(500 + body.len() / 16)?;
    // A name or a value that is no string is the empty one.
    let mut given: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, value) in headers.entries().into_iter().flatten() {
        call.spend(1)?;
        given.insert(key.as_str().unwrap_or_default(), value.as_str().unwrap_or_default());
    }
    let signature = Signer {
        method: text(request, "method"),
        url: &url,
        headers: &given,
        body_hash: if unsigned_body { "UNSIGNED-PAYLOAD".to_owned() } else { hex(&sha256(&bytes_of(&body))) },
        service: text(config, "aws_service"),
        region: text(config, "aws_region"),
        access_key: text(config, "aws_access_key"),
        secret_key: text(config, "aws_secret_access_key"),
        session_token: text(config, "aws_session_token"),
        now: Civil::from_seconds(instant.div_euclid(1_000_000_000), 0),
    }
    .sign();
    let mut signed: BTreeMap<&str, Value<'a>> =
        given.iter().map(|(key, value)| (*key, call.text(value))).collect();
    signed.insert("Authorization", call.text(&signature.authorization));
    for (key, value) in &signature.headers {
        signed.insert(key, call.text(value));
    }
    let headers = signed.into_iter().map(|(key, value)| (&*call.arena.alloc_str(key), value)).collect();
    let headers = Value::Object(Object::new(&call.arena, headers));
    let others = request.entries().into_iter().flatten().filter(|(key, _)| key.as_str() != Some("headers"));
    let members = others.chain([(Value::String("headers"), headers)]).collect();
    Ok(Some(Value::object(&call.arena, members)))
}

/// What is signed, and with what.
struct Signer<'s> {
    method: &'s str,
    url: &'s Reference,
    headers: &'s BTreeMap<&'s str, &'s str>,
    body_hash: String,
    service: &'s str,
    region: &'s str,
    access_key: &'s str,
    secret_key: &'s str,
    session_token: &'s str,
    now: Civil,
}

/// The headers that a signature adds.
struct Signature {
    authorization: String,
    headers: BTreeMap<&'static str, String>,
}

impl Signer<'_> {
    fn time(&self, layout: &str) -> String {
        String::from_utf8_lossy(&format(&self.now, 0, "UTC", layout)).into_owned()
    }

    fn sign(&self) -> Signature {
        let (day, instant) = (self.time("20060102"), self.time("20060102T150405Z"));
        let mut headers = BTreeMap::from([("host", self.url.host.clone()), ("x-amz-date", instant.clone())]);
        if ["s3", "glacier"].contains(&self.service) {
            headers.insert("x-amz-content-sha256", self.body_hash.clone());
        }
        if !self.session_token.is_empty() {
            headers.insert("x-amz-security-token", self.session_token.to_owned());
        }
        let mut to_sign: BTreeMap<String, &str> =
            headers.iter().map(|(key, value)| ((*key).to_owned(), value.as_str())).collect();
        for (key, value) in self.headers {
            let key = crate::rego::text::case::lower(key);
            if !UNSIGNED.contains(&key.as_str()) {
                to_sign.insert(key, value);
            }
        }
        let lines: String = to_sign.iter().map(|(key, value)| format!("{key}:{value}\n")).collect();
        let names = to_sign.keys().map(String::as_str).collect::<Vec<_>>().join(";");
        let canonical = format!(
            "{}\n{}\n{}\n{lines}\n{names}\n{}",
            self.method,
            self.url.escaped_path(),
            self.url.query,
            self.body_hash
        );
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let digest = hex(&sha256(&bytes_of(&canonical)));
        let text = format!("AWS4-HMAC-SHA256\n{instant}\n{scope}\n{digest}");
        let mut key = [b"AWS4", &*bytes_of(self.secret_key)].concat();
        for part in [day.as_str(), self.region, self.service, "aws4_request"] {
            key = sha256_hmac(&bytes_of(part), &key);
        }
        let signature = hex(&sha256_hmac(&bytes_of(&text), &key));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={signature}",
            self.access_key
        );
        Signature { authorization, headers }
    }
}

#[cfg(test)]
mod tests {
    use crate::rego::builtins::probe::answer;

    const CONFIG: &str =
        r#"{"aws_access_key": "A", "aws_secret_access_key": "hush", "aws_service": "s3", "aws_region": "r"}"#;

    fn sign(request: &str, config: &str) -> String {
        answer("providers.aws.sign_req", &format!("[{request}, {config}, 1440938160000000000]"))
    }

    #[test]
    fn requests_are_signed() {
        let signed =
            sign(r#"{"method": "get", "url": "https://a.b/c%20d?x=y", "headers": {"X": "1"}}"#, CONFIG);
        assert!(signed.contains("Credential=A/20150830/r/s3/aws4_request,SignedHeaders=host;x;x-amz-content-sha256;x-amz-date,Signature="), "{signed}");
        assert!(signed.contains(r#""x-amz-date": "20150830T123600Z""#), "{signed}");
    }

    #[test]
    fn secrets_are_in_no_error() {
        for (request, config) in [
            (r#"{"method": "get"}"#, CONFIG),
            (r#"{"method": "get", "url": 1}"#, CONFIG),
            (r#"{"method": "get", "url": "https://a b"}"#, CONFIG),
            (r#"{"method": "get", "url": ""}"#, r#"{"aws_secret_access_key": "hush"}"#),
        ] {
            let error = sign(request, config);
            assert!(error.starts_with("ERR ") && !error.contains("hush"), "{error}");
        }
    }
}
