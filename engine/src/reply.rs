//! AdmissionReview v1 replies, as bytes, and the little that is read of a body that is not read whole.

use crate::decide::Stage;
use crate::decision::{Decision, Effect};
use serde_json::{Map, Value, json};

/// Warnings beyond this many characters in total are cut by the API server anyway (`warning` headers).
const WARNINGS_TOTAL: usize = 4096;

/// The reply to a decided request. A patch is sent from the mutating path only; the API server refuses one from
/// a validating webhook.
pub fn reply(uid: &str, decision: &Decision, stage: Stage) -> Vec<u8> {
    let mut response = Map::new();
    response.insert("uid".into(), uid.into());
    // A mutating webhook that cannot answer admits unchanged, mostly: the validating one judges the result.
    let allowed = decision.admits(stage);
    response.insert("allowed".into(), allowed.into());
    if !allowed {
        response.insert("status".into(), status(403, "Forbidden", &decision.message));
    }
    if stage == Stage::Mutate && !decision.patch.is_empty() {
        // Our own operations: serialisation cannot fail.
        let patch = serde_json::to_vec(&decision.patch).unwrap_or_default();
        response.insert("patchType".into(), "JSONPatch".into());
        response.insert("patch".into(), base64(&patch).into());
    }
    let mut left = WARNINGS_TOTAL;
    let warnings: Vec<&String> = decision
        .warnings
        .iter()
        .take_while(|warning| {
            let fits = warning.len() <= left;
            left = left.saturating_sub(warning.len());
            fits
        })
        .collect();
    if !warnings.is_empty() && stage != Stage::Mutate {
        response.insert("warnings".into(), json!(warnings));
    }
    response.insert("auditAnnotations".into(), annotations(decision));
    envelope(&response)
}

/// An explicit refusal for a request that was not judged.
pub fn refuse(uid: &str, code: u16, message: &str) -> Vec<u8> {
    let reason = match code {
        413 => "RequestEntityTooLarge",
        429 => "TooManyRequests",
        504 => "Timeout",
        500 => "InternalError",
        _ => "Forbidden",
    };
    let mut response = Map::new();
    response.insert("uid".into(), uid.into());
    response.insert("allowed".into(), false.into());
    response.insert("status".into(), status(code, reason, message));
    envelope(&response)
}

/// An explicit admission of a request that was not judged, said aloud.
pub fn admit_with_warning(uid: &str, warning: &str) -> Vec<u8> {
    let mut response = Map::new();
    response.insert("uid".into(), uid.into());
    response.insert("allowed".into(), true.into());
    response.insert("warnings".into(), json!([warning]));
    envelope(&response)
}

/// A plain admission with a patch (RFC 6902), for what is no policy's decision; an empty patch is left out.
pub fn admit_with_patch(uid: &str, patch: &[Value]) -> Vec<u8> {
    let mut response = Map::new();
    response.insert("uid".into(), uid.into());
    response.insert("allowed".into(), true.into());
    if !patch.is_empty() {
        // Our own operations: serialisation cannot fail.
        let patch = serde_json::to_vec(patch).unwrap_or_default();
        response.insert("patchType".into(), "JSONPatch".into());
        response.insert("patch".into(), base64(&patch).into());
    }
    envelope(&response)
}

fn envelope(response: &Map<String, Value>) -> Vec<u8> {
    let review =
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response});
    serde_json::to_vec(&review).unwrap_or_default()
}

fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({"code": code, "reason": reason, "message": message, "status": "Failure"})
}

/// Ids for the audit log: who decided, and what was only recorded.
fn annotations(decision: &Decision) -> Value {
    let mut annotations = Map::new();
    annotations.insert("decision".into(), decision.id.clone().into());
    annotations.insert("policy-set".into(), decision.set_digest.clone().into());
    let named = |effects: &[Effect]| {
        let of: Vec<String> = decision
            .findings
            .iter()
            .filter(|finding| effects.contains(&finding.effect))
            .map(|finding| format!("{}/{}", finding.policy, finding.rule))
            .collect();
        of
    };
    for (key, effects) in [
        ("denied-by", &[Effect::Deny, Effect::Error][..]),
        ("warned-by", &[Effect::Warn]),
        ("audited-by", &[Effect::Audit]),
    ] {
        let mut names = named(effects);
        names.dedup();
        if !names.is_empty() {
            annotations.insert(key.into(), names.join(",").into());
        }
    }
    let excepted: Vec<&str> =
        decision.findings.iter().filter_map(|finding| finding.exception.as_deref()).collect();
    if !excepted.is_empty() {
        annotations.insert("exceptions".into(), excepted.join(",").into());
    }
    if !decision.assumed.is_empty() {
        annotations.insert("assumed".into(), decision.assumed.join("; ").into());
    }
    let audits = decision.findings.iter().filter(|finding| finding.effect == Effect::Audit);
    let audits: Vec<String> =
        audits.map(|finding| format!("{}: {}", finding.policy, finding.message)).collect();
    if !audits.is_empty() {
        annotations.insert(
            "audit-violations".into(),
            audits.join("; ").chars().take(2000).collect::<String>().into(),
        );
    }
    Value::Object(annotations)
}

/// Standard base64 (RFC 4648 §4), for the patch.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| (group << 8) | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let index = usize::try_from((group >> (18 - 6 * position)) & 63).unwrap_or_default();
            let letter = ALPHABET.get(index).copied().map_or('=', char::from);
            text.push(if position <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

/// What can be known of a request whose body is not read whole: the API server writes uid and kind before the
/// object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The uid to answer to.
    pub uid: String,
    /// The kind under review; empty if it lies beyond the prefix.
    pub kind: String,
}

/// Reads uid and kind from the first bytes of an AdmissionReview body. `None` if there is no uid in them.
pub fn envelope_head(prefix: &[u8]) -> Option<Head> {
    // Only what stands before the object: a tenant's object must not be able to name another uid.
    let text = String::from_utf8_lossy(prefix);
    let text = text.split("\"object\":").next().unwrap_or_default();
    let after = |from: &str, key: &str| {
        let rest = from.split_once(&format!("\"{key}\":"))?.1.trim_start().strip_prefix('"')?;
        let value = rest.split('"').next()?;
        (value.len() <= 128 && !value.contains('\\')).then(|| value.to_owned())
    };
    let request = text.split_once("\"request\":")?.1;
    Some(Head {
        uid: after(request, "uid").filter(|uid| !uid.is_empty())?,
        kind: after(request, "kind").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_rfc_4648() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn the_head_of_a_body_names_the_request() {
        let body = br#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1","kind":{"group":"","version":"v1","kind":"Pod"},"object":{"uid":"forged""#;
        assert_eq!(envelope_head(body).unwrap().uid, "u-1");
        assert_eq!(envelope_head(br#"{"request":{"object":{"uid":"forged"}}"#), None);
        assert_eq!(envelope_head(b"\xff\xfe"), None);
    }

    #[test]
    fn refusals_are_well_formed() {
        let review: Value = serde_json::from_slice(&refuse("u", 429, "busy")).unwrap();
        assert_eq!(review["response"]["uid"], "u");
        assert_eq!(review["response"]["allowed"], false);
        assert_eq!(review["response"]["status"]["reason"], "TooManyRequests");
    }
}
