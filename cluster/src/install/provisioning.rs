//! Who may do what for self-service: the controller, which reads and impersonates, and one account for each class, which
//! may make exactly the kinds of that class. None of them may read a Secret.

use super::rights::{READ, binding, named, role, rule};
use super::{InstallOptions, metadata};
use crate::kinds::GROUP;
use crate::objects::plural;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The role of the controller.
pub const PROVISIONING: &str = "provisioning";
/// The Lease of its election.
pub const PROVISIONING_LEASE: &str = "wayguard-control-provisioning";

/// What self-service is installed with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Provisioning {
    /// An account for each class.
    pub accounts: Vec<ClassAccount>,
    /// The `ClaimClass` objects; those that are there already stay as they are.
    pub classes: Vec<Value>,
}

/// The account of a class, and how far it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassAccount {
    /// The `ServiceAccount`, in the suite's own namespace.
    pub name: String,
    /// The kinds that it may make, as `group/Kind`.
    pub kinds: Vec<String>,
    /// The `ClusterRole`s that it may bind in namespaces, if it may make `RoleBinding`s.
    pub roles: Vec<String>,
}

/// The rights of the controller and of the classes' accounts.
pub(super) fn rights(options: &InstallOptions, wanted: &Provisioning) -> Vec<Value> {
    let own = Some(options.namespace.as_str());
    let name = format!("wayguard-{PROVISIONING}");
    let meta = |name: &str, namespace: Option<&str>| metadata(name, namespace, PROVISIONING);
    let account = |name: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": meta(name, own),
            "automountServiceAccountToken": false,
        })
    };
    let bound = |name: &str| {
        binding("ClusterRoleBinding", "ClusterRole", name, &meta(name, None), &options.namespace)
    };
    let names: Vec<&str> = wanted.accounts.iter().map(|account| account.name.as_str()).collect();
    let mut all = vec![
        account(&name),
        role("ClusterRole", &meta(&name, None), &controller(wanted)),
        bound(&name),
        role(
            "Role",
            &meta(&name, own),
            &[
                // Whatever is made, is made in the name of a class's account, and of no other.
                named(&[""], &["serviceaccounts"], &names, &["impersonate"]),
                named(&["coordination.k8s.io"], &["leases"], &[PROVISIONING_LEASE], &["get", "update"]),
                rule(&["coordination.k8s.io"], &["leases"], &["create"]),
            ],
        ),
        binding("RoleBinding", "Role", &name, &meta(&name, own), &options.namespace),
    ];
    all.push(teams(wanted));
    for class in &wanted.accounts {
        all.extend([
            account(&class.name),
            role("ClusterRole", &meta(&class.name, None), &of_class(class)),
            bound(&class.name),
        ]);
    }
    all
}

/// What teams may: those who may `edit` a namespace ask for things in it, of the classes that were installed, and see what
/// became of it. Agreeing to a claim (`claimapprovals`) is for whom the platform names.
fn teams(wanted: &Provisioning) -> Value {
    let name = "wayguard-claims";
    let mut meta = metadata(name, None, PROVISIONING);
    for role in ["admin", "edit"] {
        if let Some(labels) = meta.pointer_mut("/labels").and_then(Value::as_object_mut) {
            labels.insert(format!("rbac.authorization.k8s.io/aggregate-to-{role}"), "true".into());
        }
    }
    let classes: Vec<&str> =
        wanted.classes.iter().filter_map(|class| class.pointer("/metadata/name")?.as_str()).collect();
    let verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];
    let rules = [
        rule(&[GROUP], &["platformclaims"], &verbs),
        rule(&[GROUP], &["claimapprovals"], &READ),
        named(&[GROUP], &["claimclasses"], &classes, &["use"]),
    ];
    role("ClusterRole", &meta, &rules)
}

fn controller(wanted: &Provisioning) -> Vec<Value> {
    let ours = ["claimapprovals", "claimclasses", "platformclaims", "teambudgets"];
    let statuses = ["claimclasses/status", "platformclaims/status", "teambudgets/status"];
    let mut rules = vec![
        rule(&[GROUP], &ours, &READ),
        rule(&[GROUP], &statuses, &["patch"]),
        // `patch`: the mark that a namespace is furnished; the backstop keeps it to that.
        rule(&[""], &["namespaces"], &["get", "list", "patch", "watch"]),
        rule(&["events.k8s.io"], &["events"], &["create"]),
    ];
    let kinds = wanted.accounts.iter().flat_map(|account| &account.kinds);
    rules.extend(by_group(kinds).into_iter().map(|(group, plurals)| {
        rule(&[group], &plurals.iter().map(String::as_str).collect::<Vec<_>>(), &READ)
    }));
    rules
}

fn of_class(class: &ClassAccount) -> Vec<Value> {
    let mut rules: Vec<Value> = by_group(class.kinds.iter())
        .into_iter()
        .map(|(group, plurals)| {
            let plurals: Vec<&str> = plurals.iter().map(String::as_str).collect();
            rule(&[group], &plurals, &["create", "delete", "get", "patch"])
        })
        .collect();
    if !class.roles.is_empty() {
        // RBAC itself refuses all others, whatever the Rego says.
        let roles: Vec<&str> = class.roles.iter().map(String::as_str).collect();
        rules.push(named(&["rbac.authorization.k8s.io"], &["clusterroles"], &roles, &["bind"]));
    }
    rules
}

/// The plurals of kinds, by group.
fn by_group<'k>(kinds: impl Iterator<Item = &'k String>) -> BTreeMap<&'k str, Vec<String>> {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for kind in kinds {
        let (group, kind) = kind.split_once('/').unwrap_or(("", kind));
        groups.entry(group).or_default().push(plural(kind));
    }
    for plurals in groups.values_mut() {
        plurals.sort();
        plurals.dedup();
    }
    groups
}
