//! `Config` and `SyncSet`: what is in `data.inventory`, and which namespaces are left alone by what.

use super::matching::glob_fits;
use super::object::{Given, Problem};
use crate::policy::metadata::{InventoryKind, InventoryScope};
use serde::Deserialize;

/// Something that a namespace can be excluded from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Process {
    #[serde(rename = "*")]
    All,
    #[serde(rename = "audit")]
    Audit,
    #[serde(rename = "webhook")]
    Webhook,
    #[serde(rename = "mutation-webhook")]
    Mutation,
    #[serde(rename = "sync")]
    Sync,
}

/// Namespaces and what leaves them alone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Exclusion {
    #[serde(default)]
    pub(crate) excluded_namespaces: Vec<String>,
    #[serde(default)]
    processes: Vec<Process>,
}

impl Exclusion {
    /// Whether it is about that process.
    pub(crate) fn concerns(&self, process: Process) -> bool {
        self.processes.iter().any(|it| *it == Process::All || *it == process)
    }

    /// Whether the process leaves that namespace alone.
    pub(crate) fn covers(&self, process: Process, namespace: &str) -> bool {
        self.concerns(process) && self.excluded_namespaces.iter().any(|pattern| glob_fits(pattern, namespace))
    }
}

/// A kind to keep in the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncKind {
    #[serde(default)]
    group: String,
    version: String,
    kind: String,
}

impl From<SyncKind> for InventoryKind {
    fn from(kind: SyncKind) -> Self {
        Self { group: kind.group, version: kind.version, kind: kind.kind, scope: InventoryScope::Cluster }
    }
}

#[derive(Debug, Deserialize)]
struct ConfigSpec {
    #[serde(default)]
    sync: Sync,
    #[serde(default, rename = "match")]
    matches: Vec<Exclusion>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sync {
    #[serde(default)]
    sync_only: Vec<SyncKind>,
}

#[derive(Debug, Deserialize)]
struct SyncSetSpec {
    #[serde(default)]
    gvks: Vec<SyncKind>,
}

/// Reads a `Config`: what is synced, what is excluded.
pub(crate) fn config(given: &Given) -> Result<(Vec<SyncKind>, Vec<Exclusion>), Problem> {
    if given.name() != "config" {
        let message = format!("only the Config named `config` counts, not `{}`", given.name());
        return Err(Problem::new("/metadata/name", message));
    }
    let spec: ConfigSpec = given.spec()?;
    Ok((spec.sync.sync_only, spec.matches))
}

/// Reads a `SyncSet`.
pub(crate) fn sync_set(given: &Given) -> Result<Vec<SyncKind>, Problem> {
    given.spec::<SyncSetSpec>().map(|spec| spec.gvks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusions_are_per_process() {
        let rule: Exclusion =
            serde_json::from_str(r#"{"excludedNamespaces":["kube-*"],"processes":["webhook"]}"#).unwrap();
        assert!(rule.covers(Process::Webhook, "kube-system"));
        assert!(!rule.covers(Process::Audit, "kube-system"));
        assert!(!rule.covers(Process::Webhook, "team-a"));
        let all: Exclusion =
            serde_json::from_str(r#"{"excludedNamespaces":["x"],"processes":["*"]}"#).unwrap();
        assert!(all.covers(Process::Mutation, "x"));
        assert!(serde_json::from_str::<Exclusion>(r#"{"processes":["webhok"]}"#).is_err());
    }
}
