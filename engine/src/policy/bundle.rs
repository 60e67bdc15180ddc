//! Bundles: which policies work together and what each of them does. A bundle inherits others; what it says of a policy
//! itself goes before what it inherits, field by field.
//!
//! ```yaml
//! apiVersion: wayguard.io/v1alpha1
//! kind: Bundle
//! metadata: {name: shop}
//! spec:
//!   description: What the shop's clusters hold to.
//!   inherits: [production]
//!   policies:
//!     - {policy: network/service-types, parameters: {namespaces: [edge]}}
//!   remove: [service-ports]
//! ```

use super::spec::{Action, ActionOverride, Existing, Mutate, OnError, PolicySpec, Source, TemplatePath};
use crate::matching::spec::Match;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A `Bundle`, as it is written in a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BundleSpec {
    /// What it is for, in a sentence or two.
    #[serde(default)]
    pub description: String,
    /// Bundles whose policies it has as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherits: Vec<String>,
    /// Its own policies, and what is different about inherited ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<BundleEntry>,
    /// Inherited policies that it does not have, by the names of their Policy objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// One policy of a bundle. Fields that are absent are inherited; what is inherited nowhere is as in a Policy, but that
/// `onError` is Allow for what does not deny.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BundleEntry {
    /// `category/policy`.
    pub policy: String,
    /// The name of the Policy object; absent: that of the inherited one, else the policy's own without its category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Parameters; each replaces the inherited one of its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Map<String, Value>>,
    /// What a `deny` finding does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Other actions for some namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_overrides: Option<Vec<ActionOverride>>,
    /// What happens when the policy cannot be evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_error: Option<OnError>,
    /// What an UPDATE does about findings that the old object already had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub existing: Option<Existing>,
    /// Where defaults for Pods are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutate: Option<Mutate>,
    /// Which requests it judges, where that is not what METADATA says.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub matches: Option<Match>,
    /// Whether workloads are judged by their pod template, where that is not what METADATA says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expand: Option<bool>,
    /// Further kinds that hold a pod template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub templates: Option<Vec<TemplatePath>>,
}

/// A policy of a bundle with all that it inherits.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The name of the Policy object.
    pub name: String,
    /// `category/policy`.
    pub policy: String,
    /// Ready for a set; its source names the policy of the library.
    pub spec: PolicySpec,
    /// The bundles that say something of it, from the one that has it to the one that was asked for.
    pub from: Vec<String>,
}

/// Where bundles and policies are looked up.
pub trait Shelf {
    /// A bundle by name; `None`: there is none.
    fn bundle(&self, name: &str) -> Option<Result<BundleSpec, String>>;
    /// The names of all bundles.
    fn bundles(&self) -> Vec<String>;
    /// The ids of all policies.
    fn policies(&self) -> Vec<String>;
}

/// The policies of a bundle, by name.
///
/// # Errors
/// A bundle or policy that does not exist, bundles that inherit one another in a circle, entries that contradict each
/// other: which bundle, which entry, and what would do.
pub fn expand(shelf: &dyn Shelf, name: &str) -> Result<Vec<Member>, String> {
    let known = shelf.policies();
    let mut members = Expansion { shelf, known }.bundle(name, &[])?;
    members.sort_by(|left, right| left.name.cmp(&right.name));
    members.into_iter().map(Draft::finish).collect()
}

/// A policy while its bundle is put together: the fields that were given.
#[derive(Clone, Debug)]
struct Draft {
    name: String,
    policy: String,
    fields: Map<String, Value>,
    from: Vec<String>,
    /// What two inherited bundles say differently: field, and who says what.
    disagreements: Vec<(String, String)>,
}

struct Expansion<'s> {
    shelf: &'s dyn Shelf,
    known: Vec<String>,
}

impl Expansion<'_> {
    /// `above`: the bundles that are being put together, outermost first.
    fn bundle(&self, name: &str, above: &[&str]) -> Result<Vec<Draft>, String> {
        let path = [above, &[name]].concat();
        if above.contains(&name) {
            return Err(format!("bundle `{name}` inherits itself: {}", path.join(" ← ")));
        }
        let spec = self.shelf.bundle(name).ok_or_else(|| {
            let heir = above.last().map(|heir| format!("bundle `{heir}` inherits ")).unwrap_or_default();
            format!("{heir}`{name}`, which is no bundle; the bundles are {}", listed(&self.shelf.bundles()))
        })??;
        let mut drafts: Vec<Draft> = Vec::new();
        for parent in &spec.inherits {
            for draft in self.bundle(parent, &path)? {
                join(&mut drafts, draft).map_err(|problem| format!("bundle `{name}`: {problem}"))?;
            }
        }
        let wrong = |problem: String| format!("bundle `{name}`: {problem}");
        for removed in &spec.remove {
            let at = drafts.iter().position(|draft| draft.name == *removed).ok_or_else(|| {
                let inherited: Vec<String> = drafts.iter().map(|draft| draft.name.clone()).collect();
                wrong(format!(
                    "`remove` has `{removed}`, which it does not inherit; it inherits {}",
                    listed(&inherited)
                ))
            })?;
            drafts.remove(at);
        }
        let inherited = drafts.len();
        for entry in spec.policies {
            self.entry(name, &mut drafts, inherited, entry).map_err(wrong)?;
        }
        let open = drafts.iter().find_map(|draft| Some((draft, draft.disagreements.first()?)));
        if let Some((draft, (field, who))) = open {
            let policy = &draft.policy;
            return Err(wrong(format!(
                "what it inherits disagrees on `{field}` of `{}`: {who}; give `{policy}` an entry of its own that says `{field}`",
                draft.name
            )));
        }
        Ok(drafts)
    }

    /// Adds an entry, or changes what is inherited (the first `inherited` drafts).
    fn entry(
        &self,
        bundle: &str,
        drafts: &mut Vec<Draft>,
        inherited: usize,
        entry: BundleEntry,
    ) -> Result<(), String> {
        let BundleEntry { policy, name, .. } = entry.clone();
        if !self.known.contains(&policy) {
            return Err(unknown_policy(&policy, &self.known));
        }
        let same: Vec<&Draft> =
            drafts.iter().take(inherited).filter(|draft| draft.policy == policy).collect();
        let name = match (name, same.as_slice()) {
            (Some(name), _) => name,
            (None, [only]) => only.name.clone(),
            (None, []) => own_name(&policy),
            (None, several) => {
                let names: Vec<String> = several.iter().map(|draft| draft.name.clone()).collect();
                return Err(format!("`{policy}` is inherited as {}; say which by `name`", listed(&names)));
            }
        };
        let fields = fields_of(&entry);
        match drafts.iter_mut().enumerate().find(|(_, draft)| draft.name == name) {
            None => drafts.push(Draft {
                name,
                policy,
                fields,
                from: vec![bundle.to_owned()],
                disagreements: Vec::new(),
            }),
            Some((_, draft)) if draft.policy != policy => {
                return Err(format!(
                    "`{name}` is `{}` already, so `{policy}` needs another `name`",
                    draft.policy
                ));
            }
            Some((at, _)) if at >= inherited => {
                return Err(format!("two entries are named `{name}`; give one of them another `name`"));
            }
            Some((_, draft)) => draft.change(bundle, fields),
        }
        Ok(())
    }
}

impl Draft {
    /// What an heir says goes first.
    fn change(&mut self, heir: &str, fields: Map<String, Value>) {
        self.disagreements.retain(|(field, _)| !says(&fields, field));
        self.from.push(heir.to_owned());
        for (field, value) in fields {
            match (self.fields.get_mut(&field), value) {
                (Some(Value::Object(inherited)), Value::Object(own)) if field == "parameters" => {
                    inherited.extend(own);
                }
                (_, value) => {
                    self.fields.insert(field, value);
                }
            }
        }
    }

    fn finish(self) -> Result<Member, String> {
        let Self { name, policy, mut fields, from, .. } = self;
        if fields.get("action").is_some_and(|action| action != "Deny") && !fields.contains_key("onError") {
            fields.insert("onError".to_owned(), json!("Allow"));
        }
        let source = Source { library: Some(policy.clone()), ..Source::default() };
        fields.insert("source".to_owned(), json!(source));
        let spec = serde_json::from_value(Value::Object(fields))
            .map_err(|error| format!("policy `{name}`: {error}"))?;
        Ok(Member { name, policy, spec, from })
    }
}

/// Adds what one parent has to what the others had.
fn join(drafts: &mut Vec<Draft>, draft: Draft) -> Result<(), String> {
    let Some(other) = drafts.iter_mut().find(|other| other.name == draft.name) else {
        drafts.push(draft);
        return Ok(());
    };
    if other.policy != draft.policy {
        return Err(format!(
            "it inherits two policies named `{}`: `{}` and `{}`; give one another `name` where it comes from, or remove it there",
            draft.name, other.policy, draft.policy
        ));
    }
    let mut differing = differences(other, &draft);
    other.disagreements.append(&mut differing);
    for bundle in draft.from {
        if !other.from.contains(&bundle) {
            other.from.push(bundle);
        }
    }
    Ok(())
}

/// The fields on which two bundles disagree, and who says what.
fn differences(left: &Draft, right: &Draft) -> Vec<(String, String)> {
    let usual = |field: &str| match field {
        "action" => json!("Deny"),
        "existing" => json!("Warn"),
        "mutate" => json!("Pod"),
        "parameters" => json!({}),
        "actionOverrides" | "templates" => json!([]),
        _ => Value::Null,
    };
    let given = |draft: &Draft, field: &str| draft.fields.get(field).cloned().unwrap_or_else(|| usual(field));
    let who = |draft: &Draft, value: &Value| {
        let value = if value.is_null() { "nothing".to_owned() } else { format!("`{}`", plain(value)) };
        format!("{value} in {}", draft.from.last().map_or("", String::as_str))
    };
    let mut found = Vec::new();
    for field in
        ["action", "actionOverrides", "existing", "expand", "match", "mutate", "onError", "templates"]
    {
        let (ours, theirs) = (given(left, field), given(right, field));
        if ours != theirs {
            found.push((field.to_owned(), format!("{}, {}", who(left, &ours), who(right, &theirs))));
        }
    }
    let (ours, theirs) = (given(left, "parameters"), given(right, "parameters"));
    let names = [&ours, &theirs].into_iter().filter_map(Value::as_object).flat_map(Map::keys);
    let names: std::collections::BTreeSet<&String> = names.collect();
    for name in names {
        let value = |all: &Value| all.get(name).cloned().unwrap_or_default();
        let (ours, theirs) = (value(&ours), value(&theirs));
        if ours != theirs {
            found.push((
                format!("parameters.{name}"),
                format!("{}, {}", who(left, &ours), who(right, &theirs)),
            ));
        }
    }
    found
}

/// Whether fields of an entry say something of a field, which may be a parameter.
fn says(fields: &Map<String, Value>, field: &str) -> bool {
    match field.strip_prefix("parameters.") {
        Some(name) => fields.get("parameters").and_then(|all| all.get(name)).is_some(),
        None => fields.contains_key(field),
    }
}

/// What is given of an entry besides policy and name.
fn fields_of(entry: &BundleEntry) -> Map<String, Value> {
    // These are our own types with string keys: serialisation cannot fail.
    let mut fields = match serde_json::to_value(entry) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    fields.remove("policy");
    fields.remove("name");
    fields
}

/// The name of the object for a policy that is given none.
fn own_name(policy: &str) -> String {
    policy.rsplit('/').next().unwrap_or(policy).to_owned()
}

fn unknown_policy(policy: &str, known: &[String]) -> String {
    let (category, name) = policy.split_once('/').unwrap_or(("", policy));
    let near = |id: &&String| {
        let (its_category, its_name) = id.split_once('/').unwrap_or(("", id));
        its_category == category || its_name == name
    };
    let near: Vec<String> = known.iter().filter(near).cloned().collect();
    let hint = if near.is_empty() {
        "policies are named `category/policy`, such as `images/latest-tag`".to_owned()
    } else {
        format!("there are {}", listed(&near))
    };
    format!("the library has no policy `{policy}`; {hint}")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    struct Bundles(BTreeMap<String, Value>);

    impl Shelf for Bundles {
        fn bundle(&self, name: &str) -> Option<Result<BundleSpec, String>> {
            let spec = self.0.get(name)?.clone();
            Some(serde_json::from_value(spec).map_err(|error| error.to_string()))
        }

        fn bundles(&self) -> Vec<String> {
            self.0.keys().cloned().collect()
        }

        fn policies(&self) -> Vec<String> {
            ["images/latest-tag", "images/digest", "ingress/classes", "storage/classes"]
                .map(Into::into)
                .into()
        }
    }

    fn of(bundles: Value) -> Bundles {
        let Value::Object(bundles) = bundles else { panic!("bundles by name") };
        Bundles(bundles.into_iter().collect())
    }

    fn problem(bundles: Value, name: &str) -> String {
        expand(&of(bundles), name).unwrap_err()
    }

    #[test]
    fn an_entry_replaces_the_inherited_fields_that_it_names() {
        let bundles = of(json!({
            "base": {"policies": [
                {"policy": "images/latest-tag", "action": "Warn", "parameters": {"tags": ["latest"], "more": 1}},
                {"policy": "images/digest", "name": "by-digest"},
            ]},
            "strict": {"inherits": ["base"], "policies": [
                {"policy": "images/latest-tag", "action": "Deny", "parameters": {"tags": ["latest", "main"]}},
                {"policy": "images/digest", "existing": "Deny"},
            ]},
            "less": {"inherits": ["strict"], "remove": ["by-digest"]},
        }));
        let base = expand(&bundles, "base").unwrap();
        assert_eq!(base[1].spec.on_error, OnError::Allow, "what warns never refuses by failing");
        let strict = expand(&bundles, "strict").unwrap();
        let names: Vec<&str> = strict.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["by-digest", "latest-tag"]);
        assert_eq!(strict[0].spec.existing, Existing::Deny);
        let tag = &strict[1];
        assert_eq!((tag.spec.action, tag.spec.on_error), (Action::Deny, OnError::Deny));
        let parameters = serde_json::to_value(&tag.spec.parameters).unwrap();
        assert_eq!(parameters, json!({"tags": ["latest", "main"], "more": 1}));
        assert_eq!(tag.from, ["base", "strict"]);
        assert_eq!(expand(&bundles, "less").unwrap().len(), 1);
    }

    #[test]
    fn parents_that_disagree_need_an_entry() {
        let two = |own: Value| {
            json!({
                "a": {"policies": [{"policy": "images/latest-tag", "parameters": {"tags": ["x"]}}]},
                "b": {"policies": [{"policy": "images/latest-tag", "action": "Warn"}]},
                "both": {"inherits": ["a", "b"], "policies": own},
            })
        };
        assert_eq!(
            problem(two(json!([])), "both"),
            "bundle `both`: what it inherits disagrees on `action` of `latest-tag`: `Deny` in a, `Warn` in b; give `images/latest-tag` an entry of its own that says `action`"
        );
        let half = problem(two(json!([{"policy": "images/latest-tag", "action": "Deny"}])), "both");
        assert!(
            half.contains("on `parameters.tags` of `latest-tag`: `[\"x\"]` in a, nothing in b"),
            "{half}"
        );
        let own = json!([{"policy": "images/latest-tag", "action": "Audit", "parameters": {"tags": ["y"]}}]);
        assert_eq!(expand(&of(two(own)), "both").unwrap()[0].from, ["a", "b", "both"]);
    }

    #[test]
    fn what_leads_nowhere_is_named_with_what_would_do() {
        let shown = |bundle: Value| problem(json!({"a": {}, "x": bundle}), "x");
        assert_eq!(
            shown(json!({"inherits": ["b"]})),
            "bundle `x` inherits `b`, which is no bundle; the bundles are `a`, `x`"
        );
        assert_eq!(shown(json!({"inherits": ["x"]})), "bundle `x` inherits itself: x ← x");
        assert_eq!(
            shown(json!({"policies": [{"policy": "images/latest"}]})),
            "bundle `x`: the library has no policy `images/latest`; there are `images/latest-tag`, `images/digest`"
        );
        assert_eq!(
            shown(json!({"remove": ["latest-tag"]})),
            "bundle `x`: `remove` has `latest-tag`, which it does not inherit; it inherits none"
        );
        assert_eq!(
            shown(json!({"policies": [{"policy": "ingress/classes"}, {"policy": "storage/classes"}]})),
            "bundle `x`: `classes` is `ingress/classes` already, so `storage/classes` needs another `name`"
        );
        assert_eq!(
            shown(json!({"policies": [{"policy": "ingress/classes"}, {"policy": "ingress/classes"}]})),
            "bundle `x`: two entries are named `classes`; give one of them another `name`"
        );
        assert!(shown(json!({"policys": []})).contains("unknown field `policys`"));
    }

    #[test]
    fn a_policy_that_is_inherited_twice_is_named() {
        let bundles = json!({
            "base": {"policies": [
                {"policy": "images/digest", "name": "one"},
                {"policy": "images/digest", "name": "two"},
            ]},
            "heir": {"inherits": ["base"], "policies": [{"policy": "images/digest", "action": "Warn"}]},
        });
        assert_eq!(
            problem(bundles, "heir"),
            "bundle `heir`: `images/digest` is inherited as `one`, `two`; say which by `name`"
        );
    }
}
