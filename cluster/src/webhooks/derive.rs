//! Which rules the policies ask for.
//!
//! What a policy names is registered as it is named. What it means by a wildcard is looked up in discovery and
//! listed one by one, without the resources that keep a cluster alive and without the subresources that are no
//! state of an object: those are judged only if a policy names them.

use super::Groups;
use super::atoms::{Atom, Verb};
use super::by_kind;
use super::configuration::Entry;
use crate::discovery::{ResourceKind, Resources};
use crate::kinds::GROUP;
use wayguard_engine::PolicySet;
use wayguard_engine::expansion::WORKLOADS;
use wayguard_engine::gatekeeper::KindRule;
use wayguard_engine::matching::spec::{Match, ResourceRule, Scope};
use wayguard_engine::policy::compiled::Group;
use wayguard_engine::policy::spec::TemplatePath;

/// What registration needs to know of a policy.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Its object's name.
    pub name: String,
    /// Which requests it judges …
    pub matches: Match,
    /// … or which kinds, if it is Gatekeeper's.
    pub kinds: Vec<KindRule>,
    /// It also judges Pods inside workloads …
    pub expand: bool,
    /// … and inside these kinds.
    pub templates: Vec<TemplatePath>,
    /// It can change objects.
    pub mutates: bool,
    /// It can find something.
    pub validates: bool,
    /// Whether requests wait for its verdict, come what may.
    pub group: Group,
}

impl Registered {
    /// All policies of a set; one that could not be loaded too, because it answers as its `onError` says.
    pub fn of(set: &PolicySet) -> Vec<Self> {
        let broken = set.broken().iter().map(|policy| Self {
            name: policy.name.clone(),
            matches: policy.spec.matches.clone(),
            kinds: Vec::new(),
            expand: policy.spec.expands(),
            templates: policy.spec.templates.clone(),
            mutates: false,
            validates: true,
            group: Group::of(&policy.spec),
        });
        let settings = set.gatekeeper();
        let mutators = settings.mutators().map(|mutator| Self {
            name: mutator.id.clone(),
            matches: Match::default(),
            kinds: mutator.kind_rules(),
            expand: false,
            templates: Vec::new(),
            mutates: true,
            validates: false,
            group: Group::Ignore,
        });
        set.policies()
            .map(|policy| Self {
                name: policy.name.clone(),
                matches: policy.spec.matches.clone(),
                kinds: policy.constraint.as_ref().map(|it| it.kind_rules(settings)).unwrap_or_default(),
                expand: policy.spec.expands(),
                templates: policy.spec.templates.clone(),
                mutates: policy.mutates(),
                validates: policy.validates(),
                group: policy.group(),
            })
            .chain(broken)
            .chain(mutators)
            .collect()
    }

    /// The rules of this policy alone.
    pub fn atoms(&self, resources: &Resources) -> Vec<Atom> {
        let asked = self.matches.resource_rules.iter().flat_map(|rule| {
            let own = rule_atoms(rule, resources);
            let workloads = if self.expand { self.workload_atoms(rule) } else { Vec::new() };
            own.into_iter().chain(workloads)
        });
        let asked = asked.chain(self.kinds.iter().flat_map(|rule| by_kind::atoms(rule, resources)));
        asked.filter(|atom| !excluded(atom, &self.matches.exclude_resource_rules)).collect()
    }

    /// A rule for Pods is one for everything that makes Pods (its template changes by CREATE and UPDATE only).
    fn workload_atoms(&self, rule: &ResourceRule) -> Vec<Atom> {
        let pods = rule.resources.iter().any(|item| matches!(item.as_str(), "pods" | "*" | "*/*"))
            && rule.api_groups.iter().any(|group| group.is_empty() || group == "*")
            && rule.api_versions.iter().any(|version| version == "*" || version == "v1")
            && rule.scope != Some(Scope::Cluster);
        if !pods {
            return Vec::new();
        }
        let built_in = WORKLOADS.iter().map(|workload| (workload.group, workload.resource));
        let declared = self.templates.iter().map(|it| (it.api_group.as_str(), it.resource.as_str()));
        let kinds: Vec<_> = built_in.chain(declared).collect();
        verbs(rule)
            .into_iter()
            .filter(|verb| matches!(verb, Verb::Create | Verb::Update))
            .flat_map(|verb| kinds.iter().map(move |(group, resource)| atom(group, "*", resource, "*", verb)))
            .collect()
    }
}

/// The rules of all entries for the policies; our own kinds' entries are not policies' business.
pub fn groups(policies: &[Registered], resources: &Resources, observe: bool) -> Groups {
    let mut groups = Groups::new();
    for policy in policies {
        for atom in policy.atoms(resources) {
            // While observing nothing is changed either, or what is observed would not be what is there today.
            if policy.mutates && !observe && matches!(atom.verb, Verb::Create | Verb::Update) {
                groups.entry(Entry::Mutate).or_default().add(atom.clone());
            }
            if policy.validates {
                let entry = match policy.group {
                    Group::Ignore => Entry::ValidateIgnore,
                    Group::Fail if never_fail(&atom) => Entry::ValidateFailOpen,
                    Group::Fail => Entry::ValidateFail,
                };
                groups.entry(entry).or_default().add(atom);
            }
        }
    }
    groups
}

/// What keeps nodes, schedulers and controllers going: our outage must never be theirs, whatever a policy says.
fn never_fail(atom: &Atom) -> bool {
    let (resource, sub) = atom.resource.split_once('/').unwrap_or((&atom.resource, ""));
    match (atom.group.as_str(), resource, sub) {
        ("coordination.k8s.io", "leases", _)
        | ("" | "events.k8s.io", "events", _)
        | ("certificates.k8s.io", "certificatesigningrequests", _)
        | ("authentication.k8s.io" | "authorization.k8s.io", _, _)
        | ("", "nodes" | "bindings", _)
        | ("", "pods", "binding")
        | ("", "namespaces", "finalize")
        | ("", "serviceaccounts", "token") => true,
        // A pattern that discovery could not resolve might mean any of them.
        _ => atom.group == "*" || resource == "*",
    }
}

/// Resources that no wildcard means, because the cluster's life hangs on them or no webhook may see them.
pub(super) fn beyond_wildcards(kind: &ResourceKind) -> bool {
    never_fail(&atom(&kind.group, "*", &kind.plural, "*", Verb::Create))
        || matches!(
            kind.group.as_str(),
            "admissionregistration.k8s.io" | "apiregistration.k8s.io" | "metrics.k8s.io"
        )
        || (kind.group.is_empty() && matches!(kind.plural.as_str(), "componentstatuses" | "endpoints"))
        || (kind.group == "discovery.k8s.io" && kind.plural == "endpointslices")
}

/// Subresources that no wildcard means. For Pods those are the ones that Pod Security Admission passes over; one
/// that is not known here is judged, as Pod Security Admission does.
fn sub_beyond_wildcards(sub: &str) -> bool {
    [
        "approval",
        "attach",
        "binding",
        "eviction",
        "exec",
        "finalize",
        "log",
        "portforward",
        "proxy",
        "status",
        "token",
    ]
    .contains(&sub)
}

/// Never judged by policies, however they ask: see the engine's `never` module.
pub(super) fn never_judged(atom: &Atom) -> bool {
    atom.group == GROUP
        || (atom.group == "apiextensions.k8s.io" && atom.resource.starts_with("customresourcedefinitions"))
        || atom.resource.ends_with("/status")
        || atom.resource.ends_with("/eviction")
}

fn rule_atoms(rule: &ResourceRule, resources: &Resources) -> Vec<Atom> {
    let scope = match rule.scope {
        None | Some(Scope::All) => "*",
        Some(Scope::Cluster) => "Cluster",
        Some(Scope::Namespaced) => "Namespaced",
    };
    let mut found = Vec::new();
    for (group, item) in
        rule.api_groups.iter().flat_map(|group| rule.resources.iter().map(move |item| (group, item)))
    {
        let (plural, sub) = item.split_once('/').unwrap_or((item, ""));
        let named = group != "*" && plural != "*" && sub != "*";
        for verb in verbs(rule) {
            let targets: Vec<(String, String)> = if named {
                let fits = connects(plural, sub) == (verb == Verb::Connect);
                fits.then(|| (group.clone(), item.clone())).into_iter().collect()
            } else {
                let fitting = resources.kinds.iter().filter(|kind| {
                    (group == "*" || *group == kind.group) && (plural == "*" || plural == kind.plural)
                });
                let fitting = fitting.filter(|kind| in_scope(kind, rule.scope) && !beyond_wildcards(kind));
                fitting.flat_map(|kind| meant(kind, plural, sub, verb)).collect()
            };
            for (group, resource) in targets {
                found.extend(
                    rule.api_versions.iter().map(|version| atom(&group, version, &resource, scope, verb)),
                );
            }
        }
    }
    found.retain(|atom| !never_judged(atom));
    found
}

/// What a pattern with a wildcard means of one kind.
fn meant(kind: &ResourceKind, plural: &str, sub: &str, verb: Verb) -> Vec<(String, String)> {
    let mut names = Vec::new();
    // `*` is every resource without subresources; `*/*` is both; `pods/*` only subresources.
    if (sub.is_empty() || (sub == "*" && plural == "*")) && served(kind, verb) {
        names.push(kind.plural.clone());
    }
    if sub == "*" && verb != Verb::Connect {
        let subs = kind.subresources.iter().filter(|name| !sub_beyond_wildcards(name));
        names.extend(subs.map(|name| format!("{}/{name}", kind.plural)));
    } else if kind.subresources.contains(sub) && connects(&kind.plural, sub) == (verb == Verb::Connect) {
        names.push(format!("{}/{sub}", kind.plural));
    }
    names.into_iter().map(|name| (kind.group.clone(), name)).collect()
}

fn served(kind: &ResourceKind, verb: Verb) -> bool {
    let any = |verbs: &[&str]| verbs.iter().any(|verb| kind.verbs.contains(*verb));
    match verb {
        Verb::Create => any(&["create"]),
        Verb::Update => any(&["update", "patch"]),
        Verb::Delete => any(&["delete", "deletecollection"]),
        Verb::Connect => false,
    }
}

pub(super) fn in_scope(kind: &ResourceKind, scope: Option<Scope>) -> bool {
    match scope {
        None | Some(Scope::All) => true,
        Some(Scope::Cluster) => !kind.namespaced,
        Some(Scope::Namespaced) => kind.namespaced,
    }
}

/// Subresources that are connections, and nothing else.
fn connects(plural: &str, sub: &str) -> bool {
    match sub {
        "exec" | "attach" | "portforward" => plural == "pods",
        "proxy" => matches!(plural, "pods" | "services" | "nodes"),
        _ => false,
    }
}

/// `*` means all but DELETE, which must be named (as the engine matches).
fn verbs(rule: &ResourceRule) -> Vec<Verb> {
    let asked = |verb: &Verb| {
        rule.operations.iter().any(|item| item == verb.as_str() || (item == "*" && *verb != Verb::Delete))
    };
    Verb::ALL.into_iter().filter(asked).collect()
}

/// Whether an exclusion takes all of an atom; one that takes a part is left to the engine.
fn excluded(atom: &Atom, exclusions: &[ResourceRule]) -> bool {
    let (resource, sub) = atom.resource.split_once('/').unwrap_or((&atom.resource, ""));
    exclusions.iter().any(|rule| {
        rule.resource_names.is_empty()
            && matches!(rule.scope, None | Some(Scope::All))
            && verbs(rule).contains(&atom.verb)
            && rule.api_groups.iter().any(|group| group == "*" || *group == atom.group)
            && rule.api_versions.iter().any(|version| version == "*" || *version == atom.version)
            && rule.resources.iter().any(|item| {
                let (plural, part) = item.split_once('/').unwrap_or((item, ""));
                let sub_fits = part == sub || (part == "*" && (plural == "*" || !sub.is_empty()));
                (plural == "*" || plural == resource) && sub_fits
            })
    })
}

pub(super) fn atom(group: &str, version: &str, resource: &str, scope: &str, verb: Verb) -> Atom {
    Atom {
        group: group.to_owned(),
        version: version.to_owned(),
        resource: resource.to_owned(),
        scope: scope.to_owned(),
        verb,
    }
}

#[cfg(test)]
#[path = "derive_tests.rs"]
mod tests;
