//! Manifests of a folder, as if they ran.

use super::coverage::Coverage;
use super::gathering::{Audit, GatherArgs, Known, Witness, tell_failures};
use crate::exit::Failure;
use crate::images::ImageDesk;
use crate::input::{Answers, FoundObject, collect, objects};
use crate::knowledge::Knowledge;
use crate::output::Output;
use crate::policies::{Sources, gather};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use wayguard_audit::{Auditor, Edition, Host, KindName};
use wayguard_engine::expansion::is_cluster_scoped;
use wayguard_engine::value::{Document, Value};

/// Audits what the files hold.
///
/// # Errors
/// If they or the policies cannot be read at all.
pub(super) fn audit(
    args: &GatherArgs,
    now: Timestamp,
    witness: Option<Arc<dyn Witness>>,
    sources: &Sources,
    out: &mut Output,
) -> Result<Audit, Failure> {
    let set = Arc::new(gather(sources)?.compile());
    let mut invalid = tell_failures(&set, out);
    let files = collect(&args.paths)?;
    if files.is_empty() {
        out.note("there are no manifests (*.yaml, *.yml, *.json) below what was named");
    }
    let (mut found, problems) = objects(&files);
    for problem in &problems {
        if problem.fatal {
            invalid = true;
            out.error(&problem.error);
        } else {
            out.note(format_args!(
                "passed over {}",
                problem.error.to_string().lines().next().unwrap_or_default()
            ));
        }
    }
    let images = ImageDesk::open(&args.images, None)?;
    let advice = "add manifests to the files, or say that they are all there is (`--complete`)";
    let mut knowledge = Knowledge::new().asking_images(images).advising(advice);
    knowledge.insert_answers(Answers::read(&files).map_err(|error| Failure::Invalid(error.to_string()))?);
    if args.complete {
        knowledge = knowledge.complete();
    }
    let mut places = BTreeMap::new();
    let mut kinds: BTreeMap<KindName, Vec<usize>> = BTreeMap::new();
    for (at, object) in found.iter_mut().enumerate() {
        placed(object, &args.namespace);
        knowledge.insert(object.value(), &args.namespace);
        let value = object.value();
        kinds.entry(kind_of(value)).or_default().push(at);
        let metadata = value.get("metadata").unwrap_or_default();
        let key = (
            value.str_or_empty("kind").to_owned(),
            metadata.str_or_empty("namespace").to_owned(),
            metadata.str_or_empty("name").to_owned(),
        );
        places.insert(key, (object.file.to_string(), at));
    }
    let auditor = Arc::new(Auditor::new(Edition::of(&set, now), &args.owner_label));
    let host: Arc<dyn Host> = Arc::new(Known { knowledge, witness });
    for (kind, own) in kinds {
        let values: Vec<Value<'_>> =
            own.iter().filter_map(|at| found.get(*at)).map(FoundObject::value).collect();
        auditor.judge(&kind, "", &values, &*host, auditor.begin(), false);
    }
    let coverage = Coverage::of(&set, now);
    Ok(Audit {
        auditor,
        coverage,
        places,
        found,
        invalid,
        incomplete: false,
        host,
        cluster_uid: String::new(),
    })
}

fn kind_of(object: Value<'_>) -> KindName {
    let api_version = object.str_or_empty("apiVersion");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    KindName {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: object.str_or_empty("kind").to_owned(),
    }
}

/// Names the namespace where the file leaves it to whoever applies it.
fn placed(object: &mut FoundObject, default: &str) {
    let value = object.value();
    let metadata = value.get("metadata").and_then(Value::as_object).unwrap_or_default();
    let kind = kind_of(value);
    let named = metadata.get("namespace").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    if named || is_cluster_scoped(&kind.group, &kind.kind) {
        return;
    }
    let bump = bumpalo::Bump::new();
    let arena = &&bump;
    let metadata = metadata.with(arena, "namespace", Value::String(default));
    let whole = value.as_object().unwrap_or_default().with(arena, "metadata", Value::Object(metadata));
    let document = Document::from_value(Value::Object(whole));
    object.object = document;
}
