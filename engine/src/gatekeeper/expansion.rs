//! `ExpansionTemplate`: the objects that a controller will make of one, judged in its place.

use super::constraint::action;
use super::matching::{Candidate, Kinds, Source};
use super::mutation::{ApplyTo, Mutators, Outside, resolve};
use super::object::{Given, Problem};
use crate::policy::spec::Action;
use crate::request::GroupVersionKind;
use crate::value::{Object, Value};
use bumpalo::Bump;
use serde::Deserialize;

/// Objects that make objects that make objects: deeper is a circle.
const MAX_DEPTH: usize = 30;

/// An expansion, checked.
#[derive(Clone, Debug)]
pub struct Expansion {
    /// Its name, which messages about what it generates begin with.
    pub name: String,
    /// What is expanded.
    pub apply_to: Vec<ApplyTo>,
    /// Members that lead to the template of what is generated.
    pub(crate) source: Vec<String>,
    /// What is generated.
    pub(crate) generated: Generated,
    /// The action that findings get, in place of the constraint's own.
    pub(crate) action: Option<Action>,
}

/// A kind in full.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Generated {
    #[serde(default)]
    pub(crate) group: String,
    #[serde(default)]
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) kind: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    #[serde(default)]
    apply_to: Vec<ApplyTo>,
    #[serde(default)]
    template_source: String,
    #[serde(default, rename = "generatedGVK")]
    generated: Generated,
    #[serde(default)]
    enforcement_action: String,
}

/// Reads an expansion.
///
/// # Errors
/// What Gatekeeper refuses.
pub(crate) fn read(given: &Given) -> Result<Expansion, Problem> {
    let spec: Spec = given.spec()?;
    let problem = |field: &str, message: &str| Err(Problem::new(&format!("/spec/{field}"), message));
    if spec.template_source.is_empty() {
        return problem("templateSource", "`templateSource` is missing");
    }
    if spec.generated == Generated::default() {
        return problem("generatedGVK", "`generatedGVK` is missing");
    }
    if spec.apply_to.is_empty() {
        return problem("applyTo", "`applyTo` is missing");
    }
    if spec.apply_to.iter().any(|rule| rule.names(spec.generated.kind())) {
        return problem("generatedGVK", "it expands what it generates");
    }
    let action = match spec.enforcement_action.as_str() {
        "" => None,
        text => Some(action(text, "/spec/enforcementAction")?),
    };
    Ok(Expansion {
        name: given.name().to_owned(),
        apply_to: spec.apply_to,
        source: spec.template_source.split('.').map(ToOwned::to_owned).collect(),
        generated: spec.generated,
        action,
    })
}

impl Generated {
    pub(crate) fn kind(&self) -> GroupVersionKind<'_> {
        GroupVersionKind { group: &self.group, version: &self.version, kind: &self.kind }
    }
}

impl Expansion {
    fn names(&self, kind: GroupVersionKind<'_>) -> bool {
        self.apply_to.iter().any(|rule| rule.names(kind))
    }

    /// Groups and kinds that it expands, for matching by kind.
    pub(crate) fn bases(&self) -> impl Iterator<Item = (&str, &str)> {
        self.apply_to.iter().flat_map(|rule| {
            rule.groups
                .iter()
                .flat_map(|group| rule.kinds.iter().map(move |kind| (group.as_str(), kind.as_str())))
        })
    }
}

/// Whether constraints or mutators on these kinds are about what the expansion leads to, directly or through others.
pub(crate) fn leads_to(
    expansions: &[Expansion],
    from: &Expansion,
    fits: &dyn Fn(GroupVersionKind<'_>) -> bool,
) -> bool {
    let mut reached = vec![from];
    let mut at = 0;
    while let Some(expansion) = reached.get(at).copied() {
        at += 1;
        if fits(expansion.generated.kind()) {
            return true;
        }
        for next in expansions.iter().filter(|next| next.names(expansion.generated.kind())) {
            if !reached.iter().any(|known| known.name == next.name) {
                reached.push(next);
            }
        }
    }
    false
}

/// An object that an expansion generated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resultant<'a, 's> {
    pub(crate) object: Value<'a>,
    pub(crate) expansion: &'s Expansion,
}

/// Everything that an object expands to, after the mutators, and what could not be expanded.
pub(crate) fn expand<'a, 's>(
    arena: &'a Bump,
    expansions: &'s [Expansion],
    mutators: &Mutators,
    base: Candidate<'a>,
    outside: &Outside<'a>,
) -> (Vec<Resultant<'a, 's>>, Vec<(&'s Expansion, String)>) {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    let mut open = vec![(base.object, base.kind, 0)];
    while let Some((object, kind, depth)) = open.pop() {
        for expansion in expansions.iter().filter(|expansion| expansion.names(kind)) {
            if depth >= MAX_DEPTH {
                problems.push((expansion, format!("objects are expanded more than {MAX_DEPTH} deep")));
                continue;
            }
            match generate(arena, expansion, object, base.namespace) {
                Err(problem) => problems.push((expansion, problem)),
                Ok(made) => {
                    let kind = kind_in(arena, expansion.generated.kind());
                    let candidate = Candidate { object: made, kind, source: Source::Generated, ..base };
                    match mutated(arena, mutators, candidate, outside) {
                        Err((id, problem)) => problems.push((expansion, format!("{id}: {problem}"))),
                        Ok(object) => {
                            open.push((object, kind, depth + 1));
                            found.push(Resultant { object, expansion });
                        }
                    }
                }
            }
        }
    }
    (found, problems)
}

/// The object after the mutators and the answers of the providers that they ask.
fn mutated<'a>(
    arena: &'a Bump,
    mutators: &Mutators,
    candidate: Candidate<'a>,
    outside: &Outside<'a>,
) -> Result<Value<'a>, (String, String)> {
    let object = mutators.apply(arena, candidate, None, outside.user, |_| true)?;
    if !mutators.ask() {
        return Ok(object);
    }
    let resolved = resolve(arena, object, outside);
    match resolved.refusals.into_iter().chain(resolved.skipped).next() {
        None => Ok(resolved.object),
        Some(problem) => Err(problem),
    }
}

/// The kind with texts that live as long as the arena.
pub(crate) fn kind_in<'a>(arena: &'a Bump, kind: GroupVersionKind<'_>) -> GroupVersionKind<'a> {
    GroupVersionKind {
        group: arena.alloc_str(kind.group),
        version: arena.alloc_str(kind.version),
        kind: arena.alloc_str(kind.kind),
    }
}

/// One object: the template with kind, namespace, a name after its maker's and a reference to it.
fn generate<'a>(
    arena: &'a Bump,
    expansion: &Expansion,
    base: Value<'a>,
    namespace: &'a str,
) -> Result<Value<'a>, String> {
    let maker = base.get("metadata").unwrap_or_default().str_or_empty("name");
    let source = expansion.source.iter().try_fold(base, |value, key| value.get(key));
    let source = source
        .and_then(Value::as_object)
        .ok_or_else(|| format!("there is no object at `{}` of `{maker}`", expansion.source.join(".")))?;
    let mut metadata = source.get("metadata").and_then(Value::as_object).unwrap_or_default();
    if !namespace.is_empty() {
        metadata = metadata.with(&arena, "namespace", Value::String(namespace));
    }
    let kind = expansion.generated.kind();
    let name = format!("{maker}-{}", kind.kind).to_lowercase();
    metadata = metadata.with(&arena, "name", Value::String(arena.alloc_str(&name)));
    metadata = with_owner(arena, metadata, base, maker);
    let api_version = arena.alloc_str(&kind.api_version());
    Ok(Value::Object(
        source
            .with(&arena, "apiVersion", Value::String(api_version))
            .with(&arena, "kind", Value::String(arena.alloc_str(kind.kind)))
            .with(&arena, "metadata", Value::Object(metadata)),
    ))
}

fn with_owner<'a>(arena: &'a Bump, metadata: Object<'a>, base: Value<'a>, maker: &'a str) -> Object<'a> {
    let reference = [
        ("apiVersion", base.str_or_empty("apiVersion")),
        ("kind", base.str_or_empty("kind")),
        ("name", maker),
    ];
    let known = metadata.get("ownerReferences").and_then(Value::as_array).unwrap_or_default();
    let same = |other: &Value<'_>| reference.iter().all(|(key, text)| other.str_or_empty(key) == *text);
    if reference.iter().any(|(_, text)| text.is_empty()) || known.iter().any(same) {
        return metadata;
    }
    // Go writes the uid even where there is none.
    let members = reference.into_iter().chain([("uid", "")]);
    let members = members.map(|(key, text)| (key, Value::String(text))).collect();
    let mut all = known.to_vec();
    all.push(Value::Object(Object::new(&arena, members)));
    metadata.with(&arena, "ownerReferences", Value::Array(arena.alloc_slice_copy(&all)))
}

impl Kinds {
    /// Whether it names a kind that is not one of a list of all.
    pub(crate) fn is_open(&self) -> bool {
        let open = |list: &[String]| list.is_empty() || list.iter().any(|item| item == "*");
        open(&self.kinds) || open(&self.api_groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{parse_json, parse_yaml};

    fn expansion(spec: &str) -> Result<Expansion, Problem> {
        let bump = Bump::new();
        let yaml = format!(
            "apiVersion: expansion.gatekeeper.sh/v1\nkind: ExpansionTemplate\nmetadata: {{name: expand}}\nspec: {spec}\n"
        );
        let documents = parse_yaml(&&bump, &yaml).unwrap();
        read(&Given { object: documents[0].value.to_serde(), from: String::new(), place: None })
    }

    const DEPLOYMENTS: &str = "{applyTo: [{groups: [apps], versions: [v1], kinds: [Deployment]}], templateSource: spec.template, generatedGVK: {group: '', version: v1, kind: Pod}}";

    fn expanded(object: &'static str) -> (Vec<String>, Vec<String>) {
        let bump = Bump::new();
        let object = parse_json(&&bump, object.as_bytes()).unwrap();
        let list = [expansion(DEPLOYMENTS).unwrap()];
        let base = Candidate {
            object,
            kind: GroupVersionKind { group: "apps", version: "v1", kind: "Deployment" },
            namespace: "team-a",
            namespace_object: None,
            source: Source::Original,
        };
        let facts = crate::Facts::new();
        let outside = Outside { facts: &facts, user: "", missing: std::cell::RefCell::default() };
        let (found, problems) = expand(&bump, &list, &Mutators::default(), base, &outside);
        (
            found.iter().map(|resultant| resultant.object.to_string()).collect(),
            problems.into_iter().map(|(_, problem)| problem).collect(),
        )
    }

    #[test]
    fn a_deployment_makes_a_pod_that_names_its_maker() {
        let (found, problems) = expanded(
            r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"Web"},"spec":{"template":{"metadata":{"labels":{"a":"b"}},"spec":{"x":1}}}}"#,
        );
        assert!(problems.is_empty());
        assert_eq!(
            found,
            [
                r#"{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"a":"b"},"name":"web-pod","namespace":"team-a","ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"Web","uid":""}]},"spec":{"x":1}}"#
            ]
        );
    }

    #[test]
    fn what_has_no_template_is_said() {
        let (found, problems) = expanded(r#"{"metadata":{"name":"web"},"spec":{}}"#);
        assert!(found.is_empty());
        assert_eq!(problems, ["there is no object at `spec.template` of `web`"]);
    }

    #[test]
    fn circles_and_gaps_are_refused() {
        let own = DEPLOYMENTS.replace("kind: Pod", "kind: Deployment").replace("group: ''", "group: apps");
        assert_eq!(expansion(&own).unwrap_err().message, "it expands what it generates");
        assert_eq!(expansion("{}").unwrap_err().message, "`templateSource` is missing");
    }
}
