//! SARIF 2.1.0 (OASIS), as code-scanning services take it.

use serde_json::{Value, json};

/// A document of one run of this tool.
pub(crate) fn document(rules: &[Value], results: &[Value]) -> Value {
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "wayguard",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "results": results,
        }],
    })
}

/// A place: `region` holds `startLine` and what else is known.
pub(crate) fn location(file: &str, region: &Value) -> Value {
    json!({"physicalLocation": {"artifactLocation": {"uri": file.replace('\\', "/")}, "region": region}})
}
