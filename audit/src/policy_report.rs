//! Reports in the form that other tools read (`openreports.io/v1alpha1`, `wgpolicyk8s.io/v1alpha2`): one for each
//! namespace and policy that has findings there, at most 1,000 results each, with names and contents that are the same
//! for the same results.

use crate::auditor::Auditor;
use crate::edition::Edition;
use crate::note::Outcome;
use crate::store::Found;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use wayguard_cluster::reports::{CONTENT, Flavour, MANAGED_BY};
use wayguard_engine::decision::Effect;

/// Results in one report.
pub const MOST_RESULTS: usize = 1000;
/// As reports name who made them.
const SOURCE: &str = "wayguard";

/// A report, ready to be written.
#[derive(Clone, Debug)]
pub struct Report {
    /// Namespace, empty for the cluster's.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// A hash of what it says.
    pub content: String,
    /// The object.
    pub object: Value,
}

/// What a namespace's reports about one policy will be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The policy's id.
    pub policy: String,
    /// Its findings in the namespace.
    pub results: usize,
    /// Objects that it judged.
    judged: u64,
    /// Objects with findings.
    failing: u64,
}

impl Outline {
    /// How many reports it takes.
    pub fn shards(&self) -> usize {
        self.results.div_ceil(MOST_RESULTS)
    }
}

/// The policies that found something in a namespace (empty: among the objects of none).
pub fn outlines(auditor: &Auditor, namespace: &str) -> Vec<Outline> {
    let edition = auditor.edition();
    let store = auditor.store();
    let mut policies: BTreeMap<String, Outline> = BTreeMap::new();
    let mut with = |id: &str, change: &dyn Fn(&mut Outline)| {
        if let Some(outline) = policies.get_mut(id) {
            change(outline);
        } else {
            let mut outline = Outline { policy: id.to_owned(), ..Outline::default() };
            change(&mut outline);
            policies.insert(id.to_owned(), outline);
        }
    };
    for object in store.objects(Some(namespace)) {
        object.judged().iter().for_each(|id| with(id, &|outline| outline.judged += 1));
        let mut seen: Vec<&str> = Vec::new();
        for found in object.found(&edition.stamps) {
            let id = &*found.note.rule.policy;
            let is_first = !seen.contains(&id);
            seen.push(id);
            with(id, &|outline| {
                outline.results += 1;
                outline.failing += u64::from(is_first);
            });
        }
    }
    policies.into_values().filter(|outline| outline.results > 0).collect()
}

/// One of the reports that an outline takes.
pub fn report(
    auditor: &Auditor,
    flavour: Flavour,
    namespace: &str,
    outline: &Outline,
    shard: usize,
) -> Report {
    let edition = auditor.edition();
    let results: Vec<Value> = {
        let store = auditor.store();
        let found = store.objects(Some(namespace)).flat_map(|object| object.found(&edition.stamps));
        let own = found.filter(|found| *found.note.rule.policy == *outline.policy);
        own.skip(shard * MOST_RESULTS).take(MOST_RESULTS).map(|found| result(&edition, found)).collect()
    };
    let id = outline.policy.as_str();
    let mut summary = summary(&results);
    // Objects without findings are counted once.
    let passed = if shard == 0 { outline.judged.saturating_sub(outline.failing) } else { 0 };
    summary.insert("pass".to_owned(), passed.into());
    let mut object = Map::new();
    if flavour == Flavour::OpenReports {
        object.insert("source".to_owned(), SOURCE.into());
    }
    if !namespace.is_empty() {
        let scope = json!({"apiVersion": "v1", "kind": "Namespace", "name": namespace});
        object.insert("scope".to_owned(), scope);
    }
    object.insert("summary".to_owned(), summary.into());
    object.insert("results".to_owned(), results.into());
    let content = blake3::hash(Value::Object(object.clone()).to_string().as_bytes());
    let content: String = content.to_hex().chars().take(16).collect();
    let name = name(id, shard);
    let mut metadata = json!({
        "name": name,
        "labels": {MANAGED_BY.0: MANAGED_BY.1, "app.kubernetes.io/component": "audit"},
        "annotations": {CONTENT: content, "wayguard.io/policy": id},
    });
    if let (false, Some(members)) = (namespace.is_empty(), metadata.as_object_mut()) {
        members.insert("namespace".to_owned(), namespace.into());
    }
    object.insert("apiVersion".to_owned(), flavour.api_version().into());
    object.insert("kind".to_owned(), flavour.kind(!namespace.is_empty()).into());
    object.insert("metadata".to_owned(), metadata);
    Report { namespace: namespace.to_owned(), name, content, object: Value::Object(object) }
}

/// The same for the same policy: its id as a name, with a hash where ids would meet in one name.
fn name(id: &str, at: usize) -> String {
    let plain: String = id
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '-' })
        .collect();
    let plain: String = plain.trim_matches('-').chars().take(180).collect();
    let is_plain = id.chars().filter(|char| *char == '/').count() < 2
        && id.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || "-/".contains(char))
        && id.len() <= 180;
    let told_apart = if is_plain {
        String::new()
    } else {
        let hash = blake3::hash(id.as_bytes()).to_hex();
        format!("-{}", hash.chars().take(8).collect::<String>())
    };
    let shard = if at == 0 { String::new() } else { format!("-{}", at + 1) };
    format!("wayguard-{plain}{told_apart}{shard}")
}

fn summary(results: &[Value]) -> Map<String, Value> {
    let mut counts: BTreeMap<&str, u64> =
        ["pass", "fail", "warn", "error", "skip"].map(|outcome| (outcome, 0)).into();
    for result in results {
        let outcome = result.get("result").and_then(Value::as_str).unwrap_or_default();
        if let Some(count) = counts.get_mut(outcome) {
            *count += 1;
        }
    }
    counts.into_iter().map(|(outcome, count)| (outcome.to_owned(), count.into())).collect()
}

fn result(edition: &Edition, found: Found<'_>) -> Value {
    let (note, subject) = (found.note, found.subject);
    let rule = &note.rule;
    let outcome = note.outcome();
    let mut message = note.message(subject.name);
    let mut properties = Map::new();
    let mut tell = |key: &str, text: &str| {
        if !text.is_empty() {
            properties.insert(key.to_owned(), text.into());
        }
    };
    tell("field", &note.field);
    tell("remedy", &rule.remedy);
    tell("docs", &rule.docs);
    tell("controls", &rule.controls.join(","));
    tell("owner", subject.owner);
    tell("policyObject", &rule.policy_object);
    let action = match note.effect {
        Effect::Audit => "audit",
        Effect::Warn => "warn",
        Effect::Deny => "deny",
        Effect::Error => "error",
    };
    tell("action", action);
    if let Some(name) = &note.exception {
        tell("exception", name);
        if let Some(exception) = edition.set.exceptions().iter().find(|it| *it.name == **name) {
            let spec = &exception.spec;
            tell("exceptionReason", &spec.reason);
            tell("exceptionOwner", &spec.owner);
            tell("exceptionExpiresAt", &spec.expires_at);
            let more = format!("; excepted until {} by {}: {}", spec.expires_at, spec.owner, spec.reason);
            message.push_str(&more);
        }
    }
    let mut resource = Map::new();
    let fields = [
        ("apiVersion", subject.kind.api_version()),
        ("kind", subject.kind.kind.clone()),
        ("namespace", subject.namespace.to_owned()),
        ("name", subject.name.to_owned()),
        ("uid", subject.uid.to_owned()),
    ];
    for (key, text) in fields.into_iter().filter(|(_, text)| !text.is_empty()) {
        resource.insert(key.to_owned(), text.into());
    }
    let mut result = json!({
        "source": SOURCE,
        "policy": rule.policy,
        "rule": rule.rule,
        "result": outcome.as_str(),
        "severity": rule.severity.as_str(),
        "scored": outcome != Outcome::Warn,
        "message": message,
        "resources": [resource],
        "properties": properties,
    });
    if let (false, Some(members)) = (rule.category.is_empty(), result.as_object_mut()) {
        members.insert("category".to_owned(), (*rule.category).into());
    }
    result
}
