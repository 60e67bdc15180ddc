//! Lists of what is in an image: CycloneDX and SPDX, in a few words; the list itself is in `attestations`.

use crate::scan::field::{items, text, time};
use crate::verify::{Attestation, Verified};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

const CYCLONEDX: &str = "https://cyclonedx.org/bom";
const SPDX: &str = "https://spdx.dev/Document";

/// A list of what is in an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sbom {
    /// `cyclonedx` or `spdx`.
    pub format: &'static str,
    /// Of the format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// With what.
    pub tools: Vec<String>,
    /// How many packages it lists; absent where it has no list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<usize>,
    /// The authority that signed it.
    pub authority: String,
}

/// All lists beside an image.
pub fn all(verified: &Verified) -> Vec<Sbom> {
    let one = |attestation: &Attestation| {
        read(&attestation.predicate_type, &attestation.predicate, &attestation.signer.authority)
    };
    verified.attestations.iter().filter_map(one).collect()
}

/// Reads a predicate; none where it is of neither format.
pub fn read(predicate_type: &str, predicate: &Value, authority: &str) -> Option<Sbom> {
    // SPDX's text layout arrives as one text, of which only the kind can be told.
    let count = |name: &str| predicate.get(name).and_then(Value::as_array).map(Vec::len);
    let is = |known: &str| {
        let rest = predicate_type.strip_prefix(known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let authority = authority.to_owned();
    if is(CYCLONEDX) {
        let name = |tool: &Value| tool.as_str().map(str::to_owned).or_else(|| text(tool, "/name"));
        let listed =
            items(predicate, "/metadata/tools").chain(items(predicate, "/metadata/tools/components"));
        Some(Sbom {
            format: "cyclonedx",
            version: text(predicate, "/specVersion"),
            created: time(predicate, "/metadata/timestamp"),
            tools: listed.filter_map(name).collect(),
            components: count("components"),
            authority,
        })
    } else if is(SPDX) {
        let tool = |creator: &Value| Some(creator.as_str()?.strip_prefix("Tool: ")?.to_owned());
        Some(Sbom {
            format: "spdx",
            version: text(predicate, "/spdxVersion").map(|version| version.replace("SPDX-", "")),
            created: time(predicate, "/creationInfo/created"),
            tools: items(predicate, "/creationInfo/creators").filter_map(tool).collect(),
            components: count("packages"),
            authority,
        })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_formats_are_told() {
        let one = read(
            "https://cyclonedx.org/bom/v1.6",
            &json!({
                "specVersion": "1.6", "components": [{}, {}],
                "metadata": {"timestamp": "2026-11-22T12:00:00Z", "tools": {"components": [{"name": "syft"}]}},
            }),
            "ci",
        )
        .unwrap();
        assert_eq!((one.format, one.components, one.tools), ("cyclonedx", Some(2), vec!["syft".to_owned()]));
        let other = read(
            SPDX,
            &json!({
                "spdxVersion": "SPDX-2.3", "packages": [{}],
                "creationInfo": {"created": "2026-11-22T12:00:00Z", "creators": ["Tool: syft-1.0", "Person: x"]},
            }),
            "ci",
        )
        .unwrap();
        assert_eq!((other.version.as_deref(), other.components), (Some("2.3"), Some(1)));
        assert_eq!(other.tools, ["syft-1.0"]);
        assert_eq!(read(SPDX, &json!("SPDXVersion: SPDX-2.3"), "ci").unwrap().components, None);
        assert_eq!(read("https://cyclonedx.org/bombast", &json!({}), "ci"), None);
    }
}
