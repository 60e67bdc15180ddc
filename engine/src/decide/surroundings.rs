//! What a policy sees besides the object: namespace, parameters, declared facts, declared inventory.

use super::access::ACCESS;
use super::{Case, Missing};
use crate::facts::{Fact, FactKey};
use crate::images::images_of;
use crate::matching::NamespaceView;
use crate::policy::compiled::CompiledPolicy;
use crate::policy::metadata::{InventoryKind, InventoryScope, Need};
use crate::request::{Operation, Origin};
use crate::value::{Object, Value};
use bumpalo::Bump;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of the request's namespace.
#[derive(Clone, Debug)]
pub(crate) enum Surrounding<'a> {
    /// A cluster-scoped object.
    NoNamespace,
    /// The Namespace object.
    Namespace(Value<'a>),
    /// This origin does not have it; why.
    OutOfReach(&'a str),
    /// It should be known but is not; why.
    Unavailable(String),
}

impl<'a> Surrounding<'a> {
    /// Looks the namespace up; `None`: the host must be asked first.
    pub(crate) fn of(case: &Case<'a, '_>, missing: &mut Missing) -> Option<Self> {
        let request = case.request;
        if request.is_namespace() {
            return Some(Self::Namespace(request.object.or(request.old_object).unwrap_or_default()));
        }
        if request.namespace.is_empty() {
            return Some(Self::NoNamespace);
        }
        let key = FactKey::Namespace(request.namespace.to_owned());
        let Some(fact) = case.facts.get(&key) else {
            missing.insert(key);
            return None;
        };
        Some(match fact {
            Fact::Known(document) => Self::Namespace(document.value()),
            Fact::OutOfReach(reason) => Self::OutOfReach(reason),
            Fact::Unavailable(reason) => Self::Unavailable(format!(
                "namespace `{}` could not be looked up: {reason}",
                request.namespace
            )),
            Fact::Absent => Self::Unavailable(format!("namespace `{}` does not exist", request.namespace)),
        })
    }

    /// For selectors.
    pub(crate) fn view(&self) -> NamespaceView<'a> {
        match self {
            Self::NoNamespace => NamespaceView::ClusterScoped,
            Self::Namespace(namespace) => NamespaceView::Known(*namespace),
            Self::OutOfReach(_) | Self::Unavailable(_) => NamespaceView::Unknown,
        }
    }

    /// `input.namespace`.
    pub(crate) fn object(&self) -> Option<Value<'a>> {
        match self {
            Self::Namespace(namespace) => Some(*namespace),
            _ => None,
        }
    }
}

/// Whether a policy can be judged with what there is.
pub(crate) enum Equipped<'a> {
    /// With these.
    Yes {
        /// `input.facts`.
        facts: Option<Value<'a>>,
        /// `data.inventory`.
        inventory: Option<Value<'a>>,
    },
    /// This origin has not what the policy needs; why.
    Skip(String),
    /// Something that should be known is not; why.
    Fail(String),
    /// The host must be asked first.
    Wait,
}

/// The fact that is gathered for each image of the object under review.
const IMAGES: &str = "images";

/// The keys of all that a policy declares, facts first; `review` is what it judges.
pub(crate) fn declared<'p, 'a: 'p>(
    case: &Case<'a, '_>,
    policy: &'p CompiledPolicy,
    review: Value<'a>,
) -> impl Iterator<Item = FactKey> + use<'p, 'a> {
    // Most policies declare nothing, and this is asked of each of them.
    let namespace = case.request.namespace;
    let custom = &policy.metadata.custom;
    let facts = custom.facts.iter().flat_map(move |name| fact_keys(name, namespace, review));
    facts.chain(custom.inventory.iter().map(move |kind| inventory_key(kind, namespace)))
}

fn fact_keys(name: &str, namespace: &str, review: Value<'_>) -> Vec<FactKey> {
    if name == IMAGES {
        return reviewed_images(review).into_iter().map(|image| image_key(image, namespace)).collect();
    }
    // Its questions are the policy's own.
    if name == ACCESS {
        return Vec::new();
    }
    vec![FactKey::Named { name: name.to_owned(), namespace: namespace.to_owned() }]
}

fn reviewed_images(review: Value<'_>) -> BTreeSet<&str> {
    review.get("object").map(images_of).unwrap_or_default()
}

fn image_key(reference: &str, namespace: &str) -> FactKey {
    FactKey::Image { reference: reference.to_owned(), namespace: namespace.to_owned() }
}

fn inventory_key(kind: &InventoryKind, namespace: &str) -> FactKey {
    let own = kind.scope == InventoryScope::Namespace
        && !crate::expansion::is_cluster_scoped(&kind.group, &kind.kind);
    FactKey::Inventory {
        group: kind.group.clone(),
        version: kind.version.clone(),
        kind: kind.kind.clone(),
        namespace: if own { namespace.to_owned() } else { String::new() },
    }
}

/// Gathers what a policy declares.
pub(crate) fn equip<'a>(
    case: &Case<'a, '_>,
    policy: &CompiledPolicy,
    surrounding: &Surrounding<'a>,
    review: Value<'a>,
    missing: &mut Missing,
) -> Equipped<'a> {
    if let Some(reason) = lacking(case, policy, surrounding) {
        return Equipped::Skip(reason);
    }
    if let Surrounding::Unavailable(reason) = surrounding {
        return Equipped::Fail(reason.clone());
    }
    let custom = &policy.metadata.custom;
    let mut gathered = Gathered { waiting: false, skip: None, fail: None };
    let namespace = case.request.namespace;
    let facts: Vec<_> = custom
        .facts
        .iter()
        .filter(|name| *name != ACCESS)
        .filter_map(|name| {
            let value = if name == IMAGES {
                gathered.images(case, review, missing)
            } else {
                let key = FactKey::Named { name: name.clone(), namespace: namespace.to_owned() };
                gathered.look_up(case, key, missing)?
            };
            Some((&*case.arena.alloc_str(name), value))
        })
        .collect();
    let inventory: Vec<_> = custom
        .inventory
        .iter()
        .filter_map(|kind| {
            let key = inventory_key(kind, namespace);
            Some((kind, gathered.look_up(case, key, missing)?))
        })
        .collect();
    match gathered {
        Gathered { waiting: true, .. } => Equipped::Wait,
        Gathered { fail: Some(reason), .. } => Equipped::Fail(reason),
        Gathered { skip: Some(reason), .. } => Equipped::Skip(reason),
        _ => Equipped::Yes {
            facts: (!custom.facts.is_empty()).then(|| Value::Object(Object::new(&case.arena, facts))),
            inventory: (!custom.inventory.is_empty()).then(|| gatekeeper_shape(case, &inventory)),
        },
    }
}

/// What `custom.needs` names and this origin does not have.
fn lacking(case: &Case<'_, '_>, policy: &CompiledPolicy, surrounding: &Surrounding<'_>) -> Option<String> {
    let request = case.request;
    policy.needs().find_map(|need| {
        let reason = match need {
            Need::User => request.user.is_empty() && request.origin != Origin::Admission,
            Need::Operation => request.origin == Origin::Audit,
            Need::OldObject => {
                request.old_object.is_none()
                    && (request.origin == Origin::Audit
                        || (request.origin == Origin::Check && request.operation == Operation::Update))
            }
            Need::Namespace => matches!(surrounding, Surrounding::OutOfReach(_)),
        };
        let what = match need {
            Need::User => "who asks",
            Need::Operation => "the operation",
            Need::OldObject => "the object before the change",
            Need::Namespace => "the namespace's labels",
        };
        reason.then(|| match surrounding {
            Surrounding::OutOfReach(why) if need == Need::Namespace => format!("needs {what}: {why}"),
            _ => format!("needs {what}, which is not known here"),
        })
    })
}

struct Gathered {
    waiting: bool,
    skip: Option<String>,
    fail: Option<String>,
}

impl Gathered {
    /// What is known of each image, by its name. An image that the old object has too is not what this request
    /// brings: that it cannot be asked for is said in its place, and is no reason to fail.
    fn images<'a>(&mut self, case: &Case<'a, '_>, review: Value<'a>, missing: &mut Missing) -> Value<'a> {
        let arena = case.arena;
        let known_before = case.before.map(images_of).unwrap_or_default();
        let said = |key: &'static str, value: Value<'a>, image: &'a str| {
            Value::Object(Object::new(&arena, vec![("ref", Value::String(image)), (key, value)]))
        };
        let mut found = Vec::new();
        for image in reviewed_images(review) {
            let key = image_key(image, case.request.namespace);
            let fact = match case.facts.get(&key) {
                Some(Fact::Absent) => Some(said("absent", Value::Bool(true), image)),
                Some(Fact::Unavailable(reason)) if known_before.contains(image) => {
                    Some(said("unavailable", Value::String(arena.alloc_str(reason)), image))
                }
                _ => self.look_up(case, key, missing),
            };
            found.extend(fact.map(|fact| (image, fact)));
        }
        Value::Object(Object::new(&arena, found))
    }

    fn look_up<'a>(&mut self, case: &Case<'a, '_>, key: FactKey, missing: &mut Missing) -> Option<Value<'a>> {
        match case.facts.get(&key) {
            Some(Fact::Known(document)) => return Some(document.value()),
            Some(Fact::Absent) => return Some(Value::EMPTY),
            Some(Fact::Unavailable(reason)) => self.fail = Some(reason.clone()),
            Some(Fact::OutOfReach(reason)) => self.skip = Some(reason.clone()),
            None => {
                missing.insert(key);
                self.waiting = true;
            }
        }
        None
    }
}

/// `data.inventory` as Gatekeeper has it: `namespace[ns][groupVersion][kind][name]` and
/// `cluster[groupVersion][kind][name]`.
pub(crate) fn gatekeeper_shape<'a>(case: &Case<'a, '_>, kinds: &[(&InventoryKind, Value<'a>)]) -> Value<'a> {
    let mut cluster = Shelf::default();
    let mut spaces: BTreeMap<&str, Shelf<'a>> = BTreeMap::new();
    for (kind, objects) in kinds {
        let group_version = if kind.group.is_empty() {
            kind.version.clone()
        } else {
            format!("{}/{}", kind.group, kind.version)
        };
        let members = objects.as_object().unwrap_or_default();
        // A kind that is not built in is known by what the host gives: objects, or namespaces of objects.
        let mut named = members.iter().map(|(_, value)| value.get("apiVersion").and_then(Value::as_str));
        let flat = !members.is_empty() && named.all(|version| version.is_some());
        if crate::expansion::is_cluster_scoped(&kind.group, &kind.kind)
            || (flat && kind.scope == InventoryScope::Cluster)
        {
            cluster.put(&group_version, &kind.kind, *objects);
        } else if kind.scope == InventoryScope::Namespace {
            spaces.entry(case.request.namespace).or_default().put(&group_version, &kind.kind, *objects);
        } else {
            for (namespace, objects) in members.iter() {
                spaces.entry(namespace).or_default().put(&group_version, &kind.kind, objects);
            }
        }
    }
    let arena = case.arena;
    let mut root = Vec::with_capacity(2);
    if !cluster.0.is_empty() {
        root.push(("cluster", cluster.document(arena)));
    }
    if !spaces.is_empty() {
        let spaces = spaces.into_iter().map(|(name, shelf)| (name, shelf.document(arena))).collect();
        root.push(("namespace", Value::Object(Object::new(&arena, spaces))));
    }
    Value::Object(Object::new(&arena, root))
}

/// What a namespace holds, or the cluster: group and version, then kind.
#[derive(Default)]
struct Shelf<'a>(BTreeMap<String, BTreeMap<String, Value<'a>>>);

impl<'a> Shelf<'a> {
    fn put(&mut self, group_version: &str, kind: &str, objects: Value<'a>) {
        self.0.entry(group_version.to_owned()).or_default().insert(kind.to_owned(), objects);
    }

    fn document(self, arena: &'a Bump) -> Value<'a> {
        let text = |text: &str| -> &'a str { arena.alloc_str(text) };
        let versions = self.0.into_iter().map(|(group_version, kinds)| {
            let kinds = kinds.into_iter().map(|(kind, objects)| (text(&kind), objects)).collect();
            (text(&group_version), Value::Object(Object::new(&arena, kinds)))
        });
        Value::Object(Object::new(&arena, versions.collect()))
    }
}

/// `input` for one policy on one view; all but the parameters is shared between policies.
#[derive(Clone, Copy)]
pub(crate) struct Desk<'a> {
    pub(crate) review: Value<'a>,
    pub(crate) namespace: Option<Value<'a>>,
    pub(crate) owner: Option<Value<'a>>,
}

impl<'a> Desk<'a> {
    pub(crate) fn input(
        &self,
        arena: &'a Bump,
        parameters: Value<'a>,
        facts: Option<Value<'a>>,
    ) -> Value<'a> {
        let members = [
            ("facts", facts),
            ("namespace", self.namespace),
            ("owner", self.owner),
            ("parameters", Some(parameters)),
            ("review", Some(self.review)),
        ];
        let present = members.into_iter().filter_map(|(key, value)| Some((key, value?)));
        Value::Object(Object::new(&arena, present.collect()))
    }
}

/// The `data` document of a policy that has an inventory.
pub(crate) fn data<'a>(arena: &'a Bump, inventory: Value<'a>) -> Value<'a> {
    Value::Object(Object::new(&arena, vec![("inventory", inventory)]))
}
