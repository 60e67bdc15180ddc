//! OpenVEX: which vulnerabilities do not matter in this image, by whom that is said. Believed only where the
//! authority says `vex: true`.

use crate::scan::field::{items, text, time};
use crate::verify::Verified;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

const TYPE: &str = "https://openvex.dev/ns";
const STATUSES: [&str; 4] = ["not_affected", "affected", "fixed", "under_investigation"];

/// What is said of one vulnerability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VexStatement {
    /// Such as `CVE-2026-0001`.
    pub vulnerability: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// `not_affected`, `affected`, `fixed` or `under_investigation`.
    pub status: String,
    /// Of which products, by their identifiers (mostly package URLs), and parts of them.
    pub products: Vec<String>,
    /// Why it does not matter, by OpenVEX's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    /// Or in words of one's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact: Option<String>,
    /// When it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// Who said so.
    pub authority: String,
}

/// All statements of authorities that are believed.
pub fn statements(verified: &Verified) -> Vec<VexStatement> {
    let believed = verified
        .attestations
        .iter()
        .filter(|attestation| attestation.vex && attestation.predicate_type.starts_with(TYPE));
    believed.flat_map(|attestation| read(&attestation.predicate, &attestation.signer.authority)).collect()
}

/// Reads a document; a statement without a vulnerability or with a status of one's own is left out, which leaves the
/// vulnerability standing.
pub fn read(document: &Value, authority: &str) -> Vec<VexStatement> {
    let said = time(document, "/timestamp");
    let statement = |one: &Value| {
        let names = ["/vulnerability/name", "/vulnerability/@id", "/vulnerability"];
        let status = text(one, "/status").filter(|status| STATUSES.contains(&status.as_str()))?;
        Some(VexStatement {
            vulnerability: names.into_iter().find_map(|place| text(one, place))?,
            aliases: items(one, "/vulnerability/aliases")
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            status,
            products: items(one, "/products").flat_map(product).collect(),
            justification: text(one, "/justification"),
            impact: text(one, "/impact_statement"),
            timestamp: time(one, "/last_updated").or_else(|| time(one, "/timestamp")).or(said),
            authority: authority.to_owned(),
        })
    };
    items(document, "/statements").filter_map(statement).collect()
}

fn product(product: &Value) -> Vec<String> {
    let name = |value: &Value| value.as_str().map(str::to_owned).or_else(|| text(value, "/@id"));
    let purl = text(product, "/identifiers/purl");
    let parts = items(product, "/subcomponents").filter_map(name);
    name(product).into_iter().chain(purl).chain(parts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn statements_are_read_in_each_spelling() {
        let found = read(
            &json!({
                "timestamp": "2026-11-01T00:00:00Z",
                "statements": [
                    {"vulnerability": {"name": "CVE-1", "aliases": ["GHSA-1"]}, "status": "not_affected",
                     "justification": "vulnerable_code_not_present",
                     "products": [{"@id": "pkg:oci/app", "subcomponents": [{"@id": "pkg:deb/zlib"}]}]},
                    {"vulnerability": "CVE-2", "status": "fixed", "products": ["pkg:oci/app"],
                     "timestamp": "2026-11-02T00:00:00Z"},
                    {"vulnerability": {"@id": "CVE-3"}, "status": "whatever"},
                    {"status": "fixed"},
                ],
            }),
            "security",
        );
        let names: Vec<_> =
            found.iter().map(|one| (one.vulnerability.as_str(), one.status.as_str())).collect();
        assert_eq!(names, [("CVE-1", "not_affected"), ("CVE-2", "fixed")]);
        assert_eq!(found[0].products, ["pkg:oci/app", "pkg:deb/zlib"]);
        assert_eq!(found[0].timestamp.unwrap().to_string(), "2026-11-01T00:00:00Z");
        assert_eq!(found[1].timestamp.unwrap().to_string(), "2026-11-02T00:00:00Z");
        assert!(read(&json!("x"), "a").is_empty());
    }
}
