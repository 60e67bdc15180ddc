//! What is known beside the objects under review: Namespaces and inventory from files and, with `--cluster`, from a
//! cluster. What is in neither is out of reach, which is not the same as absent.

use crate::images::ImageDesk;
use crate::input::Answers;
use crate::live::Live;
use std::collections::BTreeMap;
use std::sync::Arc;
use wayguard_engine::facts::{AccessQuestion, Fact, FactKey, Facts};
use wayguard_engine::value::{Document, Object, Value};

/// Objects by kind, namespace and name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Knowledge {
    /// (group, kind) → namespace (empty: cluster-scoped) → name → object
    objects: BTreeMap<(String, String), BTreeMap<String, BTreeMap<String, Document>>>,
    /// Facts by their declared name, for any namespace.
    facts: BTreeMap<String, Document>,
    /// What providers would say.
    answers: Answers,
    /// Whether `objects` stands for a whole cluster: then a kind without objects is empty, not out of reach.
    complete: bool,
    /// Asked for what is not among `objects`.
    live: Option<Arc<Live>>,
    /// Asked for images.
    images: Option<Arc<ImageDesk>>,
    /// What is said of objects that are not known: how to make them known.
    advice: Option<&'static str>,
}

/// What `check` and its like say.
const NAME_A_FOLDER: &str = "name a folder that has them with `--context`";

impl Knowledge {
    /// Nothing is known.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Says that everything that a policy may look up has been given.
    pub(crate) fn complete(mut self) -> Self {
        self.complete = true;
        self
    }

    /// Adds a cluster to ask. Objects from files stand above those of the cluster: they are about to be applied.
    pub(crate) fn asking(mut self, live: Option<Arc<Live>>) -> Self {
        self.live = live;
        self
    }

    /// Has other words for how to make objects known than that `--context` names a folder.
    pub(crate) fn advising(mut self, advice: &'static str) -> Self {
        self.advice = Some(advice);
        self
    }

    /// Adds what answers for images.
    pub(crate) fn asking_images(mut self, images: Option<Arc<ImageDesk>>) -> Self {
        self.images = images;
        self
    }

    /// Adds an object, or puts it in the place of the one of that name.
    pub(crate) fn insert(&mut self, object: Value<'_>, default_namespace: &str) {
        let (key, namespace, name) = Self::place(object, default_namespace);
        let names = self.objects.entry(key).or_default().entry(namespace).or_default();
        names.insert(name, Document::from_value(object));
    }

    /// Adds an object where its own metadata say it is: without a namespace, it lives in none.
    pub(crate) fn insert_as_it_is(&mut self, object: Value<'_>) {
        self.insert(object, "");
    }

    /// (group, kind), namespace and name.
    fn place(object: Value<'_>, default_namespace: &str) -> ((String, String), String, String) {
        let api_version = object.str_or_empty("apiVersion");
        let (group, _) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = object.str_or_empty("kind");
        let metadata = object.get("metadata").unwrap_or_default();
        let namespace = match metadata.str_or_empty("namespace") {
            _ if wayguard_engine::expansion::is_cluster_scoped(group, kind) => "",
            "" => default_namespace,
            named => named,
        };
        let name = metadata.str_or_empty("name");
        ((group.to_owned(), kind.to_owned()), namespace.to_owned(), name.to_owned())
    }

    /// Says what the fact of that name is, in every namespace.
    pub(crate) fn insert_fact(&mut self, name: &str, value: Document) {
        self.facts.insert(name.to_owned(), value);
    }

    /// Says what providers would say; this stands above what was said before.
    pub(crate) fn insert_answers(&mut self, answers: Answers) {
        self.answers.add(answers);
    }

    /// The object of the same kind, namespace and name, if it is known.
    pub(crate) fn find(&self, like: Value<'_>, default_namespace: &str) -> Option<&Document> {
        let (key, namespace, name) = Self::place(like, default_namespace);
        self.objects.get(&key)?.get(&namespace)?.get(&name)
    }

    /// As [`Self::find`], and in the cluster if there is one.
    pub(crate) fn find_anywhere(&self, like: Value<'_>, default_namespace: &str) -> Option<Document> {
        if let Some(known) = self.find(like, default_namespace) {
            return Some(known.clone());
        }
        let live = self.live.as_ref()?;
        let ((group, kind), namespace, name) = Self::place(like, default_namespace);
        let api_version = like.str_or_empty("apiVersion");
        let version = api_version.rsplit('/').next().unwrap_or(api_version).to_owned();
        match live.ask(FactKey::Inventory { group, version, kind, namespace }) {
            Fact::Known(objects) => objects.value().get(&name).map(Document::from_value),
            _ => None,
        }
    }

    /// Whether there is a cluster to ask.
    pub(crate) fn has_cluster(&self) -> bool {
        self.live.is_some()
    }

    /// The Namespace of that name, if it is known.
    pub(crate) fn namespace(&self, name: &str) -> Option<&Document> {
        self.of_kind("", "Namespace")?.get("")?.get(name)
    }

    /// The names of all objects of a kind in one namespace, as a list.
    fn names(&self, group: &str, kind: &str, namespace: &str) -> Document {
        let objects = self.of_kind(group, kind).and_then(|all| all.get(namespace));
        let names =
            objects.into_iter().flat_map(BTreeMap::keys).map(|name| serde_json::Value::from(name.as_str()));
        Document::from_serde(&names.collect())
    }

    fn of_kind(&self, group: &str, kind: &str) -> Option<&BTreeMap<String, BTreeMap<String, Document>>> {
        self.objects.get(&(group.to_owned(), kind.to_owned()))
    }

    /// Answers all questions of the engine.
    pub(crate) fn answer(&self, keys: Vec<FactKey>, facts: &mut Facts) {
        for key in keys {
            let fact = match (self.fact(&key), &self.live) {
                // The providers of a cluster are for the cluster's own server to ask.
                (Fact::OutOfReach(_), Some(live)) if !matches!(key, FactKey::External { .. }) => {
                    self.above(&key, live.ask(key.clone()))
                }
                (fact, _) => fact,
            };
            facts.insert(key, fact);
        }
    }

    /// The cluster's inventory with the objects of the files in their places.
    fn above(&self, key: &FactKey, fact: Fact) -> Fact {
        let (FactKey::Inventory { group, kind, namespace, .. }, Fact::Known(found)) = (key, &fact) else {
            return fact;
        };
        let Some(own) = self.of_kind(group, kind) else { return fact };
        let by_namespace = namespace.is_empty() && !own.keys().all(String::is_empty);
        let mut merged = found.value().to_serde();
        for (space, objects) in own.iter().filter(|(space, _)| by_namespace || *space == namespace) {
            let place = if by_namespace {
                merged.as_object_mut().map(|all| all.entry(space).or_insert_with(|| serde_json::json!({})))
            } else {
                Some(&mut merged)
            };
            let Some(place) = place.and_then(serde_json::Value::as_object_mut) else { continue };
            place.extend(objects.iter().map(|(name, object)| (name.clone(), object.value().to_serde())));
        }
        known(Document::from_serde(&merged))
    }

    fn fact(&self, key: &FactKey) -> Fact {
        match key {
            FactKey::Namespace(name) => match self.namespace(name) {
                Some(namespace) => known(namespace.clone()),
                None => Fact::OutOfReach(match self.advice {
                    Some(advice) => format!("namespace `{name}` is not known here; {advice}"),
                    None => format!(
                        "namespace `{name}` is not known here; check its manifest too, or name a folder that has it with `--context`"
                    ),
                }),
            },
            FactKey::Inventory { group, kind, namespace, .. } => match self.of_kind(group, kind) {
                Some(objects) if self.complete => known(inventory(objects, namespace)),
                None if self.complete => known(Document::from_value(Value::EMPTY)),
                _ => Fact::OutOfReach(format!(
                    "the {kind} objects of the cluster are not known here; {}",
                    self.advice.unwrap_or(NAME_A_FOLDER)
                )),
            },
            FactKey::Owner { api_version, kind, namespace, name, uid } => {
                let (group, _) = api_version.split_once('/').unwrap_or(("", api_version));
                let owner = self.of_kind(group, kind).and_then(|all| all.get(namespace)?.get(name));
                let same =
                    |owner: &&Document| owner.value().at(&["metadata", "uid"]) == Some(Value::String(uid));
                match owner.filter(same) {
                    Some(owner) => known(owner.clone()),
                    None => Fact::OutOfReach(format!("the owner {kind} `{name}` is not known here")),
                }
            }
            FactKey::Image { reference, .. } => match self.facts.get("images").map(Document::value) {
                Some(images) => {
                    images.get(reference).map_or(Fact::Absent, |image| known(Document::from_value(image)))
                }
                None if self.images.is_some() => {
                    self.images.as_ref().map_or(Fact::Absent, |images| images.ask(reference))
                }
                None => Fact::OutOfReach(format!(
                    "what is known of the image `{reference}` needs a registry; name the facts of `images`"
                )),
            },
            FactKey::Named { name, namespace } => match self.facts.get(name) {
                Some(fact) => known(fact.clone()),
                None if self.complete && name == "secretNames" => known(self.names("", "Secret", namespace)),
                None => Fact::OutOfReach(format!("the fact `{name}` needs a cluster")),
            },
            FactKey::External { provider, keys } => self.answers.of(provider, keys),
            FactKey::Access(question) => match self.facts.get("access") {
                Some(granted) => known(access(granted.value(), question)),
                None => Fact::OutOfReach(format!(
                    "whether {} may {} {} is for the cluster's RBAC to say",
                    question.user, question.verb, question.resource
                )),
            },
        }
    }
}

fn known(document: Document) -> Fact {
    Fact::Known(Arc::new(document))
}

/// Whether a list of what is granted has the question: `[{verb: use, group: wayguard.io, resource: environments, name: production}]`.
fn access(granted: Value<'_>, question: &AccessQuestion) -> Document {
    let same = |grant: &&Value<'_>| {
        let text = |name: &str| grant.str_or_empty(name);
        text("verb") == question.verb
            && text("group") == question.group
            && text("resource") == question.resource
            && text("name") == question.name
            && text("namespace") == question.namespace
    };
    let allowed = granted.as_array().unwrap_or_default().iter().any(|grant| same(&grant));
    Document::from_serde(&serde_json::json!({"allowed": allowed}))
}

/// Names to objects for one namespace or a cluster-scoped kind, else namespaces to names to objects.
fn inventory(objects: &BTreeMap<String, BTreeMap<String, Document>>, namespace: &str) -> Document {
    fn by_name<'a>(arena: &'a bumpalo::Bump, names: &'a BTreeMap<String, Document>) -> Value<'a> {
        let members = names.iter().map(|(name, object)| (name.as_str(), object.value())).collect();
        Value::Object(Object::new(&arena, members))
    }
    let bump = bumpalo::Bump::new();
    let arena = &bump;
    let cluster_scoped = objects.keys().all(String::is_empty);
    let value = if cluster_scoped || !namespace.is_empty() {
        objects.get(namespace).map_or(Value::EMPTY, |names| by_name(arena, names))
    } else {
        let spaces = objects.iter().map(|(space, names)| (space.as_str(), by_name(arena, names))).collect();
        Value::Object(Object::new(&arena, spaces))
    };
    Document::from_value(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(json: &str) -> Document {
        Document::from_json(json.as_bytes()).unwrap()
    }

    fn knowledge() -> Knowledge {
        let mut knowledge = Knowledge::new();
        for json in [
            r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"team-a"}}"#,
            r#"{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"deny","namespace":"team-a"}}"#,
            r#"{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"deny"}}"#,
        ] {
            knowledge.insert(object(json).value(), "default");
        }
        knowledge
    }

    fn shown(fact: Fact) -> String {
        match fact {
            Fact::Known(document) => document.value().to_string(),
            Fact::OutOfReach(reason) => format!("out of reach: {reason}"),
            other => format!("{other:?}"),
        }
    }

    fn policies(namespace: &str) -> FactKey {
        FactKey::Inventory {
            group: "networking.k8s.io".into(),
            version: "v1".into(),
            kind: "NetworkPolicy".into(),
            namespace: namespace.into(),
        }
    }

    #[test]
    fn what_is_not_among_the_files_is_out_of_reach_not_absent() {
        let knowledge = knowledge();
        assert!(shown(knowledge.fact(&FactKey::Namespace("team-a".into()))).contains(r#""name":"team-a""#));
        assert!(
            shown(knowledge.fact(&FactKey::Namespace("b".into()))).starts_with("out of reach: namespace `b`")
        );
        assert!(
            shown(knowledge.fact(&policies("team-a"))).starts_with("out of reach: the NetworkPolicy objects")
        );
    }

    #[test]
    fn a_complete_inventory_is_known_even_where_it_is_empty() {
        let knowledge = knowledge().complete();
        assert!(shown(knowledge.fact(&policies("team-a"))).starts_with(r#"{"deny":{"#));
        assert_eq!(shown(knowledge.fact(&policies("team-b"))), "{}");
        assert!(shown(knowledge.fact(&policies(""))).starts_with(r#"{"default":{"deny":{"#));
    }
}
