//! The CRDs of real operators, out of their Go modules.

use serde_json::Value;
use std::process::Command;

/// CloudNativePG: module, version, folder of its CRDs.
pub const CLOUD_NATIVE_PG: (&str, &str, &str) =
    ("github.com/cloudnative-pg/cloudnative-pg", "v1.27.0", "config/crd/bases");

/// Where a module's CRDs are, out of Go's cache or from its proxy.
///
/// # Errors
/// If there is no Go, or the module cannot be had.
pub fn definitions(module: &str, version: &str, path: &str) -> Result<String, String> {
    let run = Command::new("go")
        .args(["mod", "download", "-json", &format!("{module}@{version}")])
        .current_dir("/")
        .output();
    let run = run.map_err(|error| format!("cannot run go: {error}"))?;
    let told: Value = serde_json::from_slice(&run.stdout).map_err(|error| error.to_string())?;
    let folder = told["Dir"].as_str().ok_or_else(|| told["Error"].to_string())?;
    Ok(format!("{folder}/{path}"))
}
