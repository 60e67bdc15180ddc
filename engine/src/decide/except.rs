//! Exceptions applied to findings, the owner rule included.
//!
//! A Pod made by a controller inherits its owner's exception only if the requester is that kind's own
//! controller account and the live owner, by uid, is excepted: an ownerReference is text that a tenant can
//! write, an account of kube-system and a uid are not.

use super::surroundings::Surrounding;
use super::{Case, Missing};
use crate::decision::{Effect, Finding};
use crate::facts::{Fact, FactKey};
use crate::policy::compiled::CompiledPolicy;
use crate::policy::exception::{Exception, Subject};
use crate::request::Origin;
use crate::value::Value;

/// Which account of the controller manager creates the dependents of a kind.
const CONTROLLERS: [(&str, &str); 7] = [
    ("Deployment", "deployment-controller"),
    ("ReplicaSet", "replicaset-controller"),
    ("StatefulSet", "statefulset-controller"),
    ("DaemonSet", "daemon-set-controller"),
    ("Job", "job-controller"),
    ("CronJob", "cronjob-controller"),
    ("ReplicationController", "replication-controller"),
];

/// Owners of owners are followed this far: CronJob → Job → Pod is the longest chain of built-in kinds.
const MAX_OWNERS: usize = 3;

/// Marks the findings that an exception covers: recorded, no longer warned about or refused.
pub(crate) fn apply<'a>(
    case: &Case<'a, '_>,
    policy: &CompiledPolicy,
    surrounding: &Surrounding<'a>,
    findings: &mut [Finding],
    missing: &mut Missing,
) {
    mark(case, policy, surrounding, findings, missing);
    if let Some(witness) = case.witness {
        let excepted = |finding: &&Finding| {
            finding.exception.is_some() || matches!(finding.effect, Effect::Deny | Effect::Warn)
        };
        for finding in findings.iter().filter(excepted) {
            for exception in case.set.exceptions().iter().filter(|it| it.names(policy)) {
                let fate = fate(case, surrounding, exception, finding);
                witness.exception(policy, &exception.name, finding, fate);
            }
        }
    }
}

/// Why an exception does not cover a finding.
fn fate<'a>(
    case: &Case<'a, '_>,
    surrounding: &Surrounding<'a>,
    exception: &Exception,
    finding: &Finding,
) -> Result<(), String> {
    if let Some(name) = &finding.exception {
        let is_it = *name == exception.name;
        return if is_it { Ok(()) } else { Err(format!("`{name}` covers it already")) };
    }
    if !exception.in_force(case.context.now) {
        return Err(format!("it ended at {}", exception.expires()));
    }
    if !exception.names_rule(&finding.rule) {
        return Err("it is about other rules of the policy".to_owned());
    }
    let unmet = exception.unmet(finding, &own(case, surrounding));
    Err(unmet.unwrap_or("the object that it covers is not known here").to_owned())
}

/// The request's own object.
fn own<'r, 'a: 'r>(case: &Case<'a, 'r>, surrounding: &Surrounding<'a>) -> Subject<'r> {
    let request = case.request;
    let labels =
        surrounding.object().map(|namespace| namespace.at(&["metadata", "labels"]).unwrap_or_default());
    Subject {
        kind: request.kind.kind,
        namespace: request.namespace,
        name: request.name,
        object: request.object.or(request.old_object).unwrap_or_default(),
        namespace_labels: labels,
        request: Some(request),
    }
}

fn mark<'a>(
    case: &Case<'a, '_>,
    policy: &CompiledPolicy,
    surrounding: &Surrounding<'a>,
    findings: &mut [Finding],
    missing: &mut Missing,
) {
    if findings.is_empty() {
        return;
    }
    let in_force: Vec<&Exception> =
        case.set.exceptions().iter().filter(|exception| exception.in_force(case.context.now)).collect();
    if in_force.is_empty() {
        return;
    }
    for finding in findings.iter_mut().filter(|finding| matches!(finding.effect, Effect::Deny | Effect::Warn))
    {
        let concerned: Vec<&Exception> =
            in_force.iter().copied().filter(|exception| exception.concerns(policy, &finding.rule)).collect();
        if concerned.is_empty() {
            continue;
        }
        if let Some(name) = covering(case, surrounding, &concerned, finding, missing) {
            finding.exception = Some(name);
            finding.effect = Effect::Audit;
        }
    }
}

fn covering<'a>(
    case: &Case<'a, '_>,
    surrounding: &Surrounding<'a>,
    exceptions: &[&Exception],
    finding: &Finding,
    missing: &mut Missing,
) -> Option<String> {
    let request = case.request;
    let own = own(case, surrounding);
    let covered = |subject: &Subject<'_>| {
        exceptions
            .iter()
            .find(|exception| exception.covers(finding, subject))
            .map(|exception| exception.name.clone())
    };
    if let Some(name) = covered(&own) {
        return Some(name);
    }
    // INVARIANT: each step up is taken only if the lower object was made by the upper kind's controller.
    let mut dependent = request.object.or(request.old_object).unwrap_or_default();
    for depth in 0..MAX_OWNERS {
        let (reference, key) = controller_of(dependent, request.namespace)?;
        // Who made what runs is not known any more. The exception is told with the finding, so that a reference that
        // somebody wrote hides nothing.
        let made_by_controller = request.origin == Origin::Audit
            || is_controller_account(reference.str_or_empty("kind"), request.user);
        if depth == 0 && !made_by_controller {
            return None;
        }
        let owner = match case.facts.get(&key) {
            Some(Fact::Known(document)) => document.value(),
            Some(_) => return None,
            None => {
                missing.insert(key);
                return None;
            }
        };
        if owner.at(&["metadata", "uid"]).and_then(Value::as_str) != Some(reference.str_or_empty("uid")) {
            return None;
        }
        // The finding's container is looked for in the Pod itself: the owner's template has the same images.
        let subject = Subject {
            kind: owner.str_or_empty("kind"),
            name: owner.get("metadata").unwrap_or_default().str_or_empty("name"),
            request: None,
            ..own
        };
        if let Some(name) = covered(&subject) {
            return Some(name);
        }
        dependent = owner;
    }
    None
}

/// The ownerReference with `controller: true`, and the key of the live object that it names.
fn controller_of<'a>(object: Value<'a>, namespace: &str) -> Option<(Value<'a>, FactKey)> {
    let references = object.at(&["metadata", "ownerReferences"])?.as_array()?;
    let reference =
        references.iter().copied().find(|it| it.get("controller").and_then(Value::as_bool) == Some(true))?;
    let key = FactKey::Owner {
        api_version: reference.str_or_empty("apiVersion").to_owned(),
        kind: reference.str_or_empty("kind").to_owned(),
        namespace: namespace.to_owned(),
        name: reference.str_or_empty("name").to_owned(),
        uid: reference.str_or_empty("uid").to_owned(),
    };
    Some((reference, key))
}

fn is_controller_account(kind: &str, user: &str) -> bool {
    CONTROLLERS.iter().any(|(known, account)| {
        // Without --use-service-account-credentials all controllers act as the controller manager itself.
        *known == kind
            && (user == format!("system:serviceaccount:kube-system:{account}")
                || user == "system:kube-controller-manager")
    })
}
