//! `Assign`, `AssignMetadata`, `ModifySet`, `AssignImage`: read, checked, and applied to one object.

use super::apply::{Condition, Route, Setter};
use super::external::{DataSource, ExternalData};
use super::image::ImageParts;
use super::location::{self, Location, Step};
use crate::gatekeeper::matching::{Candidate, Match};
use crate::gatekeeper::object::{Given, Problem};
use crate::request::{GroupVersionKind, Operation};
use crate::value::{Value, from_serde};
use bumpalo::Bump;
use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// A mutator, checked.
#[derive(Clone, Debug)]
pub struct Mutator {
    /// `assign/name`, as failures call it.
    pub id: String,
    /// What it may be applied to; `None`: any kind (`AssignMetadata`).
    pub apply_to: Option<Vec<ApplyTo>>,
    /// Which objects it is applied to.
    pub matches: Match,
    pub(crate) route: Route,
    pub(crate) deed: Deed,
}

/// Kinds by all three names, and verbs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyTo {
    /// API groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// API versions.
    #[serde(default)]
    pub versions: Vec<String>,
    /// Kinds.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// `CREATE`, `UPDATE` or `*`; empty: both.
    #[serde(default)]
    pub operations: Vec<String>,
}

/// What a mutator does at its location.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Deed {
    Assign { value: Assigned, when: When },
    Merge(Vec<Json>),
    Prune(Vec<Json>),
    Image(ImageParts),
}

/// The value that is assigned.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Assigned {
    Value(Json),
    /// `name` or `namespace` of the object.
    Metadata(MetadataField),
    /// What a provider says.
    External(ExternalData),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum MetadataField {
    Name,
    Namespace,
}

/// `assignIf` of Gatekeeper's first versions: what stands there must be, or not be, one of these.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct When {
    #[serde(default, rename = "in")]
    among: Vec<Json>,
    #[serde(default)]
    not_in: Vec<Json>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    #[serde(default)]
    apply_to: Vec<ApplyTo>,
    #[serde(default, rename = "match")]
    matches: Match,
    #[serde(default)]
    location: String,
    #[serde(default)]
    parameters: Parameters,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Parameters {
    #[serde(default)]
    path_tests: Vec<PathTest>,
    #[serde(default)]
    assign: Option<Assign>,
    #[serde(default)]
    assign_if: When,
    #[serde(default)]
    operation: Option<String>,
    #[serde(default)]
    values: Values,
    #[serde(default)]
    assign_domain: String,
    #[serde(default)]
    assign_path: String,
    #[serde(default)]
    assign_tag: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PathTest {
    sub_path: String,
    condition: Condition,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Assign {
    #[serde(default, deserialize_with = "present")]
    value: Option<Json>,
    #[serde(default)]
    from_metadata: Option<FromMetadata>,
    #[serde(default)]
    external_data: Option<ExternalData>,
}

/// `value: null` is a value.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    serde::Deserialize::deserialize(deserializer).map(Some)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FromMetadata {
    field: MetadataField,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Values {
    #[serde(default)]
    from_list: Vec<Json>,
}

/// Reads a mutator.
///
/// # Errors
/// What Gatekeeper's webhook would refuse.
pub(crate) fn read(given: &Given) -> Result<Mutator, Problem> {
    let spec: Spec = given.spec()?;
    let kind = given.kind();
    let at = |pointer: &'static str| move |message: String| Problem::new(pointer, message);
    let location = location::parse(&spec.location).map_err(at("/spec/location"))?;
    let metadata_only = kind == "AssignMetadata";
    check_location(kind, &location).map_err(at("/spec/location"))?;
    let deed = deed(kind, &location, &spec.parameters).map_err(at("/spec/parameters"))?;
    let tests = if metadata_only {
        // Labels and annotations that are there are never changed.
        BTreeMap::from([(location.steps.len() - 1, Condition::MustNotExist)])
    } else {
        tests(&location, &spec.parameters.path_tests).map_err(at("/spec/parameters/pathTests"))?
    };
    if !metadata_only {
        check_kinds(&spec.apply_to).map_err(at("/spec/applyTo"))?;
    }
    Ok(Mutator {
        id: given.id(),
        apply_to: (!metadata_only).then_some(spec.apply_to),
        matches: spec.matches,
        route: Route { location, tests },
        deed,
    })
}

fn check_location(kind: &str, location: &Location) -> Result<(), String> {
    let steps = location.steps.as_slice();
    if kind == "AssignMetadata" {
        let fits = matches!(steps, [Step::Member(_), Step::Member(part), Step::Member(_)]
            if location.is_metadata() && matches!(part.as_str(), "labels" | "annotations"));
        return if fits {
            Ok(())
        } else {
            Err("AssignMetadata writes `metadata.labels.…` and `metadata.annotations.…` only".into())
        };
    }
    if location.is_metadata() {
        return Err(format!("{kind} cannot write into `metadata`"));
    }
    if kind != "Assign" && location.ends_in_list() {
        return Err(format!("the location of {kind} cannot end at an element of a list"));
    }
    match steps {
        [.., Step::Element { .. }, Step::Element { .. }] => {
            Err("an element of a list cannot be a list".into())
        }
        [.., Step::Element { key, .. }, Step::Member(name)] if key == name => {
            Err(format!("the key `{key}` of a list's elements cannot be changed"))
        }
        _ => Ok(()),
    }
}

fn check_kinds(apply_to: &[ApplyTo]) -> Result<(), String> {
    if apply_to.is_empty() {
        return Err("`applyTo` is missing".into());
    }
    for (index, rule) in apply_to.iter().enumerate() {
        if rule.groups.is_empty() || rule.versions.is_empty() || rule.kinds.is_empty() {
            return Err(format!("`applyTo[{index}]` needs `groups`, `versions` and `kinds`"));
        }
        if let Some(other) =
            rule.operations.iter().find(|it| !matches!(it.as_str(), "CREATE" | "UPDATE" | "*"))
        {
            return Err(format!("`applyTo[{index}].operations` has `{other}`; must be CREATE, UPDATE or *"));
        }
    }
    Ok(())
}

fn deed(kind: &str, location: &Location, parameters: &Parameters) -> Result<Deed, String> {
    match kind {
        "Assign" | "AssignMetadata" => {
            let value = assigned(kind, location, parameters.assign.as_ref())?;
            Ok(Deed::Assign { value, when: parameters.assign_if.clone() })
        }
        "ModifySet" => {
            let values = parameters.values.from_list.clone();
            match parameters.operation.as_deref().unwrap_or("merge") {
                "merge" => Ok(Deed::Merge(values)),
                "prune" => Ok(Deed::Prune(values)),
                other => Err(format!("`operation` is `{other}`; must be merge or prune")),
            }
        }
        "AssignImage" => {
            let parts = ImageParts {
                domain: parameters.assign_domain.clone(),
                path: parameters.assign_path.clone(),
                tag: parameters.assign_tag.clone(),
            };
            match parts.problem() {
                Some(problem) => Err(problem),
                None => Ok(Deed::Image(parts)),
            }
        }
        other => Err(format!("kind `{other}` is not known")),
    }
}

fn assigned(kind: &str, location: &Location, assign: Option<&Assign>) -> Result<Assigned, String> {
    let one = "`assign` needs one of `value`, `fromMetadata` and `externalData`";
    let Some(assign) = assign else { return Err(one.into()) };
    let value = match (&assign.value, &assign.from_metadata, &assign.external_data) {
        (Some(value), None, None) => Assigned::Value(value.clone()),
        (None, Some(from), None) => Assigned::Metadata(from.field),
        (None, None, Some(external)) => match external.problem() {
            Some(problem) => return Err(problem.into()),
            None => Assigned::External(external.clone()),
        },
        _ => return Err(one.into()),
    };
    if kind == "AssignMetadata" && matches!(&value, Assigned::Value(value) if !value.is_string()) {
        return Err("`assign.value` of a label or annotation must be a string".into());
    }
    if let Assigned::External(external) = &value
        && kind == "AssignMetadata"
        && external.data_source != DataSource::Username
    {
        return Err("`externalData` of AssignMetadata needs `dataSource: Username`".into());
    }
    if let Some(Step::Element { key, value: wanted }) = location.steps.last() {
        let Some(wanted) = wanted else { return Err("the last step of the location cannot be `*`".into()) };
        let Assigned::Value(Json::Object(members)) = &value else {
            return Err("only an object can be an element of a list with keys".into());
        };
        if members.get(key) != Some(wanted) {
            return Err(format!("`assign.value` must have `{key}: {wanted}` like the location"));
        }
    }
    Ok(value)
}

/// The tests by the step they are about; each path must be a beginning of the location.
fn tests(location: &Location, given: &[PathTest]) -> Result<BTreeMap<usize, Condition>, String> {
    let mut tests = BTreeMap::new();
    for test in given {
        let path = location::parse(&test.sub_path)?;
        if !location.steps.starts_with(&path.steps) {
            return Err(format!("`{}` is no beginning of the location", test.sub_path));
        }
        let step = path.steps.len() - 1;
        if tests.insert(step, test.condition).is_some_and(|other| other != test.condition) {
            return Err(format!("`{}` is said to exist and not to exist", test.sub_path));
        }
    }
    let first_absent = tests.iter().find(|(_, it)| **it == Condition::MustNotExist).map(|(step, _)| *step);
    let last_present = tests.iter().rfind(|(_, it)| **it == Condition::MustExist).map(|(step, _)| *step);
    match (first_absent, last_present) {
        (Some(absent), Some(present)) if present > absent => {
            Err("something is said to exist below what must not exist".into())
        }
        _ => Ok(tests),
    }
}

impl ApplyTo {
    /// Whether it is about that kind.
    pub fn names(&self, kind: GroupVersionKind<'_>) -> bool {
        let any = |list: &[String], own: &str| list.iter().any(|item| item == own);
        any(&self.groups, kind.group) && any(&self.versions, kind.version) && any(&self.kinds, kind.kind)
    }

    /// Without a verb (an object that was generated) both must be meant.
    fn allows(&self, operation: Option<Operation>) -> bool {
        let named = |verb: &str| self.operations.iter().any(|item| item == verb);
        self.operations.is_empty()
            || named("*")
            || match operation {
                Some(operation) => named(operation.as_str()),
                None => named("CREATE") && named("UPDATE"),
            }
    }
}

impl Mutator {
    /// Whether it can be about that kind at all.
    pub(crate) fn concerns(&self, kind: GroupVersionKind<'_>) -> bool {
        self.apply_to.as_ref().is_none_or(|rules| rules.iter().any(|rule| rule.names(kind)))
            && self.matches.kind_fits(kind)
    }

    /// Whether it is applied to the object.
    pub(crate) fn fits(&self, candidate: &Candidate<'_>, operation: Option<Operation>) -> bool {
        let named = |rule: &ApplyTo| rule.names(candidate.kind) && rule.allows(operation);
        self.apply_to.as_ref().is_none_or(|rules| rules.iter().any(named)) && self.matches.fits(candidate)
    }

    /// Whether it asks a provider.
    pub(crate) fn asks(&self) -> bool {
        matches!(&self.deed, Deed::Assign { value: Assigned::External(_), .. })
    }

    /// The object after it; `None`: it does nothing here. What a provider is to say has a placeholder.
    pub(crate) fn apply<'a>(
        &self,
        arena: &'a Bump,
        object: Value<'a>,
        user: &'a str,
    ) -> Result<Option<Value<'a>>, String> {
        self.route.apply(arena, object, &Doing { id: &self.id, deed: &self.deed, object, user })
    }
}

/// A deed on one object.
struct Doing<'d, 'a> {
    id: &'d str,
    user: &'a str,
    deed: &'d Deed,
    object: Value<'a>,
}

impl<'a> Setter<'a> for Doing<'_, 'a> {
    fn member(&self, arena: &'a Bump, old: Option<Value<'a>>) -> Result<Option<Value<'a>>, String> {
        let list = |old: Value<'a>| {
            old.as_array()
                .ok_or_else(|| format!("a {} stands where a list of values was expected", old.type_name()))
        };
        let same = |old: Value<'a>, json: &Json| from_serde(&arena, json) == old;
        match self.deed {
            Deed::Assign { value, when } => {
                let among =
                    |values: &[Json]| old.is_some_and(|old| values.iter().any(|json| same(old, json)));
                if (!when.among.is_empty() && !among(&when.among)) || among(&when.not_in) {
                    return Ok(None);
                }
                self.value(arena, value, old).map(Some)
            }
            Deed::Merge(values) => {
                let mut items = old.map(list).transpose()?.unwrap_or_default().to_vec();
                for value in values {
                    if !items.iter().any(|item| same(*item, value)) {
                        items.push(from_serde(&arena, value));
                    }
                }
                Ok(Some(Value::Array(arena.alloc_slice_copy(&items))))
            }
            Deed::Prune(values) => {
                let Some(old) = old else { return Ok(None) };
                let mut items = list(old)?.to_vec();
                items.retain(|item| !values.iter().any(|value| same(*item, value)));
                Ok(Some(Value::Array(arena.alloc_slice_copy(&items))))
            }
            Deed::Image(parts) => {
                let reference = match old {
                    None => "",
                    Some(Value::String(reference)) => reference,
                    Some(other) => {
                        return Err(format!("a {} stands where an image was expected", other.type_name()));
                    }
                };
                Ok(Some(Value::String(arena.alloc_str(&parts.applied_to(reference)))))
            }
        }
    }

    fn element(&self, arena: &'a Bump) -> Result<Value<'a>, String> {
        match self.deed {
            Deed::Assign { value, .. } => self.value(arena, value, None),
            _ => Err("the location cannot end at an element of a list".into()),
        }
    }
}

impl<'a> Doing<'_, 'a> {
    fn value(&self, arena: &'a Bump, value: &Assigned, old: Option<Value<'a>>) -> Result<Value<'a>, String> {
        let metadata = self.object.get("metadata").unwrap_or_default();
        Ok(match value {
            Assigned::External(external) => return external.placeholder(arena, self.id, old, self.user),
            Assigned::Value(json) => from_serde(&arena, json),
            Assigned::Metadata(MetadataField::Name) => Value::String(metadata.str_or_empty("name")),
            Assigned::Metadata(MetadataField::Namespace) => Value::String(metadata.str_or_empty("namespace")),
        })
    }
}
