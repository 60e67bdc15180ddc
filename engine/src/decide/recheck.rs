//! A namespace's labels change, and with them what its Pods must be like: which of those that run there would be refused
//! now. Nobody is stopped by it; the person who changes the labels is warned, as by Pod Security Admission
//! (KEP-2579, "Namespace policy update warnings").
//!
//! A policy on Namespaces says so by its rule `recheck_pods`: a text that names what is new, such as
//! `restricted:latest`. The Pods are judged by the policies of its category that have its parameters.

use super::judge::{Answer, Bench, RawFinding, matches};
use super::surroundings::Surrounding;
use super::view::View;
use super::{Case, Missing};
use crate::decision::{Effect, Finding};
use crate::facts::{Fact, FactKey};
use crate::matching::Matched;
use crate::policy::compiled::{CompiledPolicy, RECHECK_RULE as RULE};
use crate::request::{ObjectRequest, Operation, Request};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The rule that findings about single Pods name: they stand behind the summary.
const POD: &str = "recheck_pods.pod";
/// The fact that holds a namespace's Pods by name.
const PODS: &str = "pods";
/// More are not looked at; upstream's number.
const MOST_PODS: usize = 3000;
/// Longer is not looked, nor longer than half of what the request has; upstream's time.
const MOST_TIME: Duration = Duration::from_secs(1);

/// The warnings that `policy` gives about the Pods of the namespace under review; none if it asks for no look.
pub(super) fn recheck<'a>(
    case: &Case<'a, '_>,
    policy: &CompiledPolicy,
    bench: &Bench<'a, '_>,
    missing: &mut Missing,
) -> Result<Vec<Finding>, String> {
    let request = case.request;
    if !request.is_namespace() || request.operation != Operation::Update || !policy.has(RULE) {
        return Ok(Vec::new());
    }
    let standard = match bench.text(policy, RULE, missing) {
        Answer::Given(texts) => texts.into_iter().next(),
        Answer::Failed(reason) => return Err(reason),
        Answer::Skipped(_) | Answer::Waiting => None,
    };
    let Some(standard) = standard else { return Ok(Vec::new()) };
    let key = FactKey::Named { name: PODS.to_owned(), namespace: request.name.to_owned() };
    let pods = match case.facts.get(&key) {
        None => {
            missing.insert(key);
            return Ok(Vec::new());
        }
        Some(Fact::Known(pods)) => pods.value(),
        Some(Fact::Absent | Fact::OutOfReach(_)) => return Ok(Vec::new()),
        Some(Fact::Unavailable(reason)) => {
            let text = format!("the Pods in the namespace were not checked against `{standard}`: {reason}");
            return Ok(vec![warning(policy, RULE, text)]);
        }
    };
    let judges: Vec<&CompiledPolicy> = case
        .set
        .policies()
        .filter(|other| {
            other.metadata.custom.category == policy.metadata.custom.category
                && other.spec.parameters == policy.spec.parameters
        })
        .collect();
    let looked = look(case, &judges, bench.surrounding, &one_of_each_owner_first(pods), missing);
    let summary = summary(request.name, &standard, &looked).into_iter().map(|text| (RULE, text));
    let pods = names(&looked).into_iter().map(|text| (POD, text));
    Ok(summary.chain(pods).map(|(rule, text)| warning(policy, rule, text)).collect())
}

fn warning(policy: &CompiledPolicy, rule: &str, message: String) -> Finding {
    let custom = &policy.metadata.custom;
    Finding {
        policy: policy.id.clone(),
        policy_object: policy.name.clone(),
        rule: rule.to_owned(),
        effect: Effect::Warn,
        severity: custom.severity,
        category: custom.category.clone(),
        controls: custom.controls.clone(),
        path: String::new(),
        field: String::new(),
        found: None,
        expected: String::new(),
        message,
        remedy: String::new(),
        docs: String::new(),
        exception: None,
        constraint: None,
        existing: false,
    }
}

/// Replicas are alike: the first of each controller says most in the time that there is.
fn one_of_each_owner_first(pods: Value<'_>) -> Vec<(&str, Value<'_>)> {
    let mut seen = BTreeSet::new();
    let (mut first, mut others) = (Vec::new(), Vec::new());
    for (name, pod) in pods.as_object().unwrap_or_default().iter() {
        match controller(pod) {
            Some(uid) if !seen.insert(uid) => others.push((name, pod)),
            _ => first.push((name, pod)),
        }
    }
    first.append(&mut others);
    first
}

fn controller(pod: Value<'_>) -> Option<&str> {
    let owners = pod.at(&["metadata", "ownerReferences"])?.as_array()?;
    owners
        .iter()
        .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))?
        .get("uid")?
        .as_str()
}

struct Looked<'a> {
    there: usize,
    checked: usize,
    /// What is wrong, in words → the Pods that it is wrong with.
    wrong: BTreeMap<String, Vec<&'a str>>,
}

fn look<'a>(
    case: &Case<'a, '_>,
    judges: &[&CompiledPolicy],
    surrounding: &Surrounding<'a>,
    pods: &[(&'a str, Value<'a>)],
    missing: &mut Missing,
) -> Looked<'a> {
    let deadline = Instant::now() + MOST_TIME.min(case.context.time_limit / 2);
    let mut looked = Looked { there: pods.len(), checked: 0, wrong: BTreeMap::new() };
    for (name, pod) in pods.iter().take(MOST_PODS) {
        if Instant::now() >= deadline {
            break;
        }
        looked.checked += 1;
        let object = ObjectRequest {
            origin: case.request.origin,
            object: *pod,
            old_object: None,
            operation: Operation::Create,
            resource: "",
            sub_resource: "",
            default_namespace: case.request.name,
            // Whoever changes the labels does not make the Pods.
            user_info: None,
        };
        let Ok(request) = Request::for_object(&case.arena, object) else { continue };
        let case = Case {
            request: &request,
            before: case.before,
            arena: case.arena,
            set: case.set,
            facts: case.facts,
            context: case.context,
            started: case.started,
            witness: None,
            only: None,
        };
        let view = View::direct(&request);
        let bench = Bench::new(&case, &view, surrounding);
        let mut reasons: Vec<(String, String)> = Vec::new();
        for judge in judges {
            if matches(&judge.spec, &case, &view, surrounding.view()) != Matched::Yes {
                continue;
            }
            let Answer::Given(raws) = bench.findings(judge, missing) else { continue };
            let refusals = raws.into_iter().filter(|raw| raw.from == "deny");
            reasons.extend(refusals.map(|raw| reason(judge, &raw)));
        }
        if !reasons.is_empty() {
            reasons.sort();
            reasons.dedup();
            let words: Vec<String> = reasons.into_iter().map(|(_, words)| words).collect();
            looked.wrong.entry(words.join(", ")).or_default().push(name);
        }
    }
    looked
}

/// Where a finding stands among others, and what it is called in a few words: its message without the standard
/// before and the details in parentheses behind, else its rule.
fn reason(judge: &CompiledPolicy, raw: &RawFinding) -> (String, String) {
    let level = judge.metadata.custom.controls.first().cloned().unwrap_or_default();
    let after = raw.msg.split_once("\": ").map_or(raw.msg.as_str(), |(_, after)| after);
    let short = after.split_once(" (").map_or(after, |(short, _)| short);
    let words = if short.is_empty() { raw.rule.clone() } else { short.to_owned() };
    (format!("{level} {}", raw.rule), words)
}

/// Upstream's words about all Pods together.
fn summary(namespace: &str, standard: &str, looked: &Looked<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if looked.checked < looked.there {
        lines.push(format!(
            "new PodSecurity enforce level only checked against the first {} of {} existing pods",
            looked.checked, looked.there
        ));
    }
    if !looked.wrong.is_empty() {
        lines.push(format!(
            "existing pods in namespace \"{namespace}\" violate the new PodSecurity enforce level \"{standard}\""
        ));
    }
    lines
}

/// Upstream's words, one line for each kind of trouble.
fn names(looked: &Looked<'_>) -> Vec<String> {
    let line = |(reasons, names): (&String, &Vec<&str>)| {
        let name = names.iter().min().copied().unwrap_or_default();
        match names.len() {
            1 => format!("{name}: {reasons}"),
            2 => format!("{name} (and 1 other pod): {reasons}"),
            more => format!("{name} (and {} other pods): {reasons}", more - 1),
        }
    };
    looked.wrong.iter().map(line).collect()
}
