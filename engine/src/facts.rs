//! What the host knows beyond the request: namespaces, inventory, and facts that policies declare.
//!
//! The engine asks for what it needs by [`FactKey`]; the host fetches within its deadline and answers each key
//! with a [`Fact`]. "Absent" (it does not exist) and "unavailable" (it could not be asked) are different
//! answers: the first is a fact, the second makes policies that need it answer by their `onError`.

use crate::value::Document;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Something outside the request that a decision depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactKey {
    /// The Namespace object of that name.
    Namespace(String),
    /// All objects of a kind: one namespace's, or (`namespace` empty) the whole cluster's. The document maps
    /// object names to objects, or for a cluster-wide request of a namespaced kind namespace → name → object.
    Inventory {
        /// API group, empty for core.
        group: String,
        /// API version.
        version: String,
        /// Kind.
        kind: String,
        /// Namespace, or empty.
        namespace: String,
    },
    /// The live object that an ownerReference names: for the owner rule of exceptions.
    Owner {
        /// `apiVersion` of the reference.
        api_version: String,
        /// Kind of the reference.
        kind: String,
        /// Namespace of the dependent.
        namespace: String,
        /// Name of the reference.
        name: String,
        /// uid of the reference; an object of another uid is another object.
        uid: String,
    },
    /// What is known of one image that the object names: policies declare `images`, and read each below its name in
    /// `input.facts.images`. Absent: the registry has no such image.
    Image {
        /// As the object has it.
        reference: String,
        /// The request's namespace, whose pull secrets may be used where it lets us.
        namespace: String,
    },
    /// A fact by its declared name (`secretNames` …) for one namespace.
    Named {
        /// The name that `custom.facts` declares.
        name: String,
        /// The request's namespace.
        namespace: String,
    },
    /// What a `Provider` of Gatekeeper's says of some keys, as
    /// [`Answer::document`](crate::gatekeeper::external::Answer::document) words it.
    External {
        /// The provider's name.
        provider: String,
        /// The keys, in the order in which the answer is to have them.
        keys: Vec<String>,
    },
    /// Whether somebody may do something: an object with `allowed`, and `reason` where there is one.
    Access(Box<AccessQuestion>),
}

/// A question to whoever says who may do what, such as RBAC (`SubjectAccessReview`, authorization.k8s.io/v1).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccessQuestion {
    /// Who, as the API server names it.
    pub user: String,
    /// Its uid; may be empty.
    pub uid: String,
    /// Its groups.
    pub groups: Vec<String>,
    /// What else the authenticator said.
    pub extra: BTreeMap<String, Vec<String>>,
    /// What is to be done.
    pub verb: String,
    /// API group, empty for core.
    pub group: String,
    /// Plural.
    pub resource: String,
    /// One object, or empty for all.
    pub name: String,
    /// One namespace, or empty for all, and for what is in none.
    pub namespace: String,
}

/// The host's answer to one key.
#[derive(Clone, Debug)]
pub enum Fact {
    /// Here it is.
    Known(Arc<Document>),
    /// It does not exist.
    Absent,
    /// It could not be asked in time; why.
    Unavailable(String),
    /// This origin never has it (CI has no cluster): policies that need it are skipped, with this reason.
    OutOfReach(String),
}

/// All answers that the host has given for one request.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    answers: BTreeMap<FactKey, Fact>,
}

impl Facts {
    /// No answers yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records the host's answer.
    pub fn insert(&mut self, key: FactKey, fact: Fact) {
        self.answers.insert(key, fact);
    }

    /// The answer to `key`, if the host has given one.
    pub fn get(&self, key: &FactKey) -> Option<&Fact> {
        self.answers.get(key)
    }
}
