//! `--orphans`: what was made for claims and Namespaces that are gone. Data that was retained belongs to nobody, and costs money.

use super::{Args, Format};
use crate::command::audit::counted;
use crate::exit::{ExitStatus, Failure};
use crate::output::{Output, PLACE, QUIET, styled};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use wayguard_cluster::objects::{self, Target};
use wayguard_cluster::{ApiError, Client, Resources};
use wayguard_provisioning::{CLAIM_LABEL, TRIGGER_LABEL};

/// Something that nobody owns.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
struct Orphan {
    namespace: String,
    api_version: String,
    kind: String,
    name: String,
    /// The claim that it was made for; a claim of that name takes it up again. Empty: it was made for the Namespace.
    claim: String,
    /// When it was made.
    created: String,
}

/// Lists what nobody owns.
///
/// # Errors
/// If the cluster does not answer.
pub(super) fn run(args: &Args, out: &mut Output) -> Result<ExitStatus, Failure> {
    let (orphans, unseen) = crate::cluster::block_on(async {
        let client = args.connection.connect_like_kubectl().await?;
        let found = find(&client).await;
        found.map_err(|problem| Failure::Ours(format!("the cluster cannot be asked: {problem}")))
    })?;
    for kind in unseen {
        out.note(format!("{kind} could not be listed; what there is of them is not told"));
    }
    if matches!(args.format, Format::Json) {
        out.data(format_args!("{}", serde_json::json!({"orphans": orphans})));
        return Ok(ExitStatus::Fine);
    }
    for orphan in &orphans {
        let made = match orphan.claim.as_str() {
            "" => "made for the Namespace".to_owned(),
            claim => format!("made for the claim `{claim}`; a claim of that name takes it up again"),
        };
        out.data(format_args!(
            "{} {}/{} since {}",
            styled(PLACE, &orphan.kind),
            orphan.namespace,
            orphan.name,
            orphan.created
        ));
        out.data(format_args!("  {}", styled(QUIET, &made)));
    }
    out.data(format_args!("{} without an owner", counted(orphans.len() as u64, "object")));
    Ok(ExitStatus::Fine)
}

async fn find(client: &Client) -> Result<(Vec<Orphan>, Vec<String>), ApiError> {
    let ours = "wayguard.io/v1alpha1";
    let mut living = BTreeSet::new();
    for (version, kind) in [(ours, "PlatformClaim"), ("v1", "Namespace")] {
        let objects = objects::list(client, version, kind, None, None).await?;
        living.extend(objects.iter().map(|object| text(object, "/metadata/uid")));
    }
    let classes = objects::list(client, ours, "ClaimClass", None, None).await?;
    let allowed = classes.iter().filter_map(|class| class.pointer("/spec/allowedKinds")?.as_array());
    let kinds: BTreeSet<&str> = allowed.flatten().filter_map(Value::as_str).collect();
    let resources = Resources::discover(client).await?;
    let (mut orphans, mut unseen) = (Vec::new(), Vec::new());
    for name in kinds {
        let (group, kind) = name.split_once('/').unwrap_or(("", name));
        let served = resources.kinds.iter().find(|it| it.group == group && it.kind == kind);
        let Some(version) = served.and_then(|it| it.versions.first()) else { continue };
        let version = if group.is_empty() { version.clone() } else { format!("{group}/{version}") };
        match objects::list(client, &version, kind, None, Some(TRIGGER_LABEL)).await {
            Ok(objects) => orphans.extend(objects.iter().filter_map(|object| orphan(object, &living))),
            Err(ApiError::Forbidden(_)) => unseen.push(name.to_owned()),
            Err(problem) => return Err(problem),
        }
    }
    orphans.sort();
    Ok((orphans, unseen))
}

/// The object, if what it was made for is gone.
fn orphan(object: &Value, living: &BTreeSet<String>) -> Option<Orphan> {
    let label = |name: &str| object.get("metadata")?.get("labels")?.get(name)?.as_str();
    let trigger = label(TRIGGER_LABEL)?;
    if living.contains(trigger) {
        return None;
    }
    let target = Target::of(object);
    Some(Orphan {
        namespace: target.namespace,
        api_version: target.api_version,
        kind: target.kind,
        name: target.name,
        claim: label(CLAIM_LABEL).unwrap_or_default().to_owned(),
        created: text(object, "/metadata/creationTimestamp"),
    })
}

fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_made_for_somebody_who_is_gone_belongs_to_nobody() {
        let object = |labels: Value| {
            json!({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "metadata": {"name": "files", "namespace": "shop", "labels": labels, "creationTimestamp": "2026-01-01T00:00:00Z"},
            })
        };
        let living: BTreeSet<String> = ["u1".to_owned()].into();
        let found = |labels: Value| orphan(&object(labels), &living).map(|it| (it.name, it.claim));
        assert_eq!(found(json!({TRIGGER_LABEL: "u1", CLAIM_LABEL: "files"})), None);
        assert_eq!(
            found(json!({TRIGGER_LABEL: "u2", CLAIM_LABEL: "files"})),
            Some(("files".to_owned(), "files".to_owned()))
        );
        assert_eq!(found(json!({TRIGGER_LABEL: "u2"})), Some(("files".to_owned(), String::new())));
        assert_eq!(found(json!({})), None);
    }
}
