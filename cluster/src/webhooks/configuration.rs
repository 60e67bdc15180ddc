//! The two objects, as `admissionregistration.k8s.io/v1` has them.
//!
//! Every field is written, defaults included, so that what the API server returns equals what was sent and any
//! difference is somebody else's doing.

use super::atoms::Rules;
use super::{Groups, TIMEOUT_SECONDS};
use crate::kinds::{GROUP, VERSION};
use k8s_openapi::ByteString;
use serde_json::{Value, json};

/// One webhook of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// Defaults and overrides; what it misses, validation denies.
    Mutate,
    /// Who asked for a claim or agreed to one is written down; what it misses, validation denies.
    OwnStamps,
    /// `PlatformClaim`s and `ClaimApproval`s: who asks may, and nobody agrees to what they asked for themselves.
    OwnClaims,
    /// `PolicyException`s: a forged one would be a hole, so nobody makes one while we are away.
    OwnExceptions,
    /// `Policy`s, `ImageAuthority`s and `TrustRoot`s: what is wrong is refused at apply; while we are away, what gets in
    /// lets nothing in when it is loaded.
    OwnPolicies,
    /// Policies that deny, come what may.
    ValidateFail,
    /// The same policies, for resources that keep a cluster alive: denied by us, but not for want of us.
    ValidateFailOpen,
    /// All other policies.
    ValidateIgnore,
}

impl Entry {
    /// All entries.
    pub const ALL: [Self; 8] = [
        Self::Mutate,
        Self::OwnStamps,
        Self::OwnClaims,
        Self::OwnExceptions,
        Self::OwnPolicies,
        Self::ValidateFail,
        Self::ValidateFailOpen,
        Self::ValidateIgnore,
    ];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mutate => "mutate.wayguard.io",
            Self::OwnStamps => "stamps.wayguard.io",
            Self::OwnClaims => "claims.wayguard.io",
            Self::OwnExceptions => "exceptions.wayguard.io",
            Self::OwnPolicies => "policies.wayguard.io",
            Self::ValidateFail => "validate-fail.wayguard.io",
            Self::ValidateFailOpen => "validate-fail-open.wayguard.io",
            Self::ValidateIgnore => "validate-ignore.wayguard.io",
        }
    }

    /// The entry of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|entry| entry.name() == name)
    }

    /// Where the server answers for it.
    pub fn path(self) -> &'static str {
        match self {
            Self::Mutate => "/mutate",
            Self::OwnStamps => "/mutate/own",
            Self::OwnClaims | Self::OwnExceptions | Self::OwnPolicies => "/validate/own",
            Self::ValidateFail | Self::ValidateFailOpen => "/validate/fail",
            Self::ValidateIgnore => "/validate/ignore",
        }
    }

    /// Whether the API server refuses requests that we do not answer, unless the suite is paused.
    pub fn fails_closed(self) -> bool {
        matches!(self, Self::OwnClaims | Self::OwnExceptions | Self::ValidateFail)
    }

    /// Whether it stands in the mutating configuration.
    pub fn mutating(self) -> bool {
        matches!(self, Self::Mutate | Self::OwnStamps)
    }

    /// Whether it is for our own kinds, and so does not come from policies.
    pub fn own(self) -> bool {
        matches!(self, Self::OwnStamps | Self::OwnClaims | Self::OwnExceptions | Self::OwnPolicies)
    }
}

/// How the API server reaches the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// By a Service.
    Service {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its port.
        port: u16,
    },
    /// By an address, such as `https://127.0.0.1:8443`: for a server outside of the cluster.
    Url(String),
}

/// What the configurations say beyond their rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The name of both objects.
    pub name: String,
    /// Where the server is.
    pub endpoint: Endpoint,
    /// The CAs that the server's certificate leads to, PEM.
    pub ca_bundle: Vec<u8>,
    /// Namespaces that no policy judges, by name.
    pub exempt_namespaces: Vec<String>,
    /// The object whose deletion removes ours, as an ownerReference.
    pub owner: Option<Value>,
    /// Nothing fails closed.
    pub paused: bool,
}

/// The mutating and the validating configuration, ready to apply.
pub fn configurations(groups: &Groups, settings: &Settings) -> [Value; 2] {
    let mut exempt: Vec<&str> = settings.exempt_namespaces.iter().map(String::as_str).collect();
    exempt.sort_unstable();
    exempt.dedup();
    let webhooks = |mutating: bool| -> Vec<Value> {
        let of_policies = groups.iter().filter(|(entry, rules)| !entry.own() && !rules.is_empty());
        let all = Entry::ALL.into_iter().filter(|entry| entry.mutating() == mutating);
        all.filter_map(|entry| {
            let rules = if entry.own() {
                Some(own_rules(entry))
            } else {
                of_policies.clone().find(|(other, _)| **other == entry).map(|(_, rules)| rules.to_json())
            };
            rules.map(|rules| webhook(entry, &rules, &exempt, settings))
        })
        .collect()
    };
    [
        object("MutatingWebhookConfiguration", &webhooks(true), settings),
        object("ValidatingWebhookConfiguration", &webhooks(false), settings),
    ]
}

fn object(kind: &str, webhooks: &[Value], settings: &Settings) -> Value {
    let mut metadata = json!({
        "name": settings.name,
        "labels": {"app.kubernetes.io/name": "wayguard", "app.kubernetes.io/managed-by": "wayguard-control"},
    });
    if let (Some(owner), Value::Object(metadata)) = (&settings.owner, &mut metadata) {
        metadata.insert("ownerReferences".into(), json!([owner]));
    }
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": metadata,
        "webhooks": webhooks,
    })
}

fn webhook(entry: Entry, rules: &Value, exempt: &[&str], settings: &Settings) -> Value {
    let ca_bundle = serde_json::to_value(ByteString(settings.ca_bundle.clone())).unwrap_or_default();
    let client = match &settings.endpoint {
        Endpoint::Service { namespace, name, port } => json!({
            "caBundle": ca_bundle,
            "service": {"namespace": namespace, "name": name, "port": port, "path": entry.path()},
        }),
        Endpoint::Url(url) => {
            json!({"caBundle": ca_bundle, "url": format!("{}{}", url.trim_end_matches('/'), entry.path())})
        }
    };
    let fails = entry.fails_closed() && !settings.paused;
    let mut webhook = json!({
        "name": entry.name(),
        "admissionReviewVersions": ["v1"],
        "clientConfig": client,
        "failurePolicy": if fails { "Fail" } else { "Ignore" },
        "matchPolicy": "Equivalent",
        // Our own kinds are judged wherever they are: exceptions live in an exempt namespace.
        "namespaceSelector": if entry.own() { json!({}) } else { exemption(exempt) },
        // Never a selector here: the labels are the requester's own.
        "objectSelector": {},
        "rules": rules,
        "sideEffects": "None",
        "timeoutSeconds": TIMEOUT_SECONDS,
    });
    if let (true, Value::Object(webhook)) = (entry.mutating(), &mut webhook) {
        webhook.insert("reinvocationPolicy".into(), "IfNeeded".into());
    }
    webhook
}

/// By name: every Namespace has this label, and the API server does not let it be changed (KEP-2161).
fn exemption(names: &[&str]) -> Value {
    if names.is_empty() {
        return json!({});
    }
    json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": names}]})
}

fn own_rules(entry: Entry) -> Value {
    let (resources, scope) = match entry {
        Entry::OwnPolicies => {
            (json!(["imageauthorities", "policies", "policybundles", "trustroots"]), "Cluster")
        }
        Entry::OwnClaims | Entry::OwnStamps => (json!(["claimapprovals", "platformclaims"]), "Namespaced"),
        _ => (json!(["policyexceptions"]), "Namespaced"),
    };
    json!([{
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "operations": ["CREATE", "UPDATE"],
        "resources": resources,
        "scope": scope,
    }])
}

/// The rules of a live webhook.
pub(super) fn rules_of(webhook: &Value) -> Rules {
    webhook.get("rules").map(Rules::from_json).unwrap_or_default()
}

#[cfg(test)]
#[path = "configuration_tests.rs"]
mod tests;
