//! Before enforcing: which objects that run today would be refused if they were applied again.

use crate::command::check::rule_id;
use crate::exit::Failure;
use crate::judging::TIME_LIMIT;
use crate::output::{BAD, GOOD, Output, QUIET, STRONG, styled};
use crate::policies::{Sources, gather};
use bumpalo::Bump;
use std::time::{Duration, Instant};
use wayguard_cluster::facts::Gvk;
use wayguard_cluster::listing::Concerns;
use wayguard_cluster::{Client, ClusterFacts, ResourceKind, Resources};
use wayguard_engine::decision::Effect;
use wayguard_engine::facts::{Fact, Facts};
use wayguard_engine::request::{ObjectRequest, Operation, Origin};
use wayguard_engine::value::Value;
use wayguard_engine::{Context, Decision, Outcome, PolicySet, Request, Stage, decide};

/// For listing one kind of a large cluster.
const LIST_LIMIT: Duration = Duration::from_mins(1);
/// The engine asks at most this often.
const MAX_ROUNDS: usize = 5;

/// Judges what runs and shows what would be denied.
///
/// # Errors
/// If the policies cannot be read, or the API server does not say which kinds it has.
pub(super) async fn show(client: &Client, sources: &Sources, out: &mut Output) -> Result<(), Failure> {
    let set = gather(sources)?.compile();
    let resources = Resources::discover(client).await.map_err(|error| Failure::Ours(error.to_string()))?;
    let concerns = Concerns::of(&set, &resources);
    let kinds: Vec<(&ResourceKind, Gvk)> = concerns
        .kinds
        .iter()
        .filter_map(|(kind, _)| Some((kind, Gvk::new(&kind.group, kind.versions.first()?, &kind.kind))))
        .collect();
    let watched: Vec<Gvk> = kinds.iter().map(|(_, gvk)| gvk.clone()).collect();
    let survey = Survey { facts: ClusterFacts::start(client, &watched), set };
    let (mut judged, mut denied) = (0_usize, 0_usize);
    for (kind, gvk) in kinds {
        match survey.facts.inventory(&gvk, "", Instant::now() + LIST_LIMIT).await {
            Fact::Known(objects) => {
                for object in each(objects.value(), kind.namespaced).into_iter().filter(|it| !is_owned(*it)) {
                    judged += 1;
                    let decision = survey.judge(object, kind).await;
                    denied += usize::from(tell(object, &decision, out));
                }
            }
            Fact::Absent => {}
            Fact::Unavailable(reason) | Fact::OutOfReach(reason) => {
                out.note(format_args!("{} were not looked at: {reason}", kind.plural));
            }
        }
    }
    let verdict = match denied {
        0 => styled(GOOD, "none would be denied"),
        _ => styled(BAD, format_args!("{denied} would be denied if they were applied again")),
    };
    out.talk(format_args!("{judged} objects run today; {verdict}"));
    Ok(())
}

/// Whether an object would be denied; if so, it is shown.
fn tell(object: Value<'_>, decision: &Result<Decision, String>, out: &mut Output) -> bool {
    let metadata = object.get("metadata").unwrap_or_default();
    let place = match metadata.str_or_empty("namespace") {
        "" => metadata.str_or_empty("name").to_owned(),
        namespace => format!("{namespace}/{}", metadata.str_or_empty("name")),
    };
    let name = styled(STRONG, format_args!("{} {place}", object.str_or_empty("kind")));
    match decision {
        Ok(decision) if decision.verdict.admits() => false,
        Ok(decision) => {
            out.data(format_args!("{name}: {}", styled(BAD, "would be denied")));
            for finding in decision.findings.iter().filter(|finding| finding.effect >= Effect::Deny) {
                out.data(format_args!("  {}: {}", rule_id(finding), finding.message));
            }
            true
        }
        Err(problem) => {
            out.data(format_args!(
                "{name}: {}",
                styled(QUIET, format_args!("could not be judged: {problem}"))
            ));
            false
        }
    }
}

struct Survey {
    facts: ClusterFacts,
    set: PolicySet,
}

impl Survey {
    async fn judge(&self, object: Value<'_>, kind: &ResourceKind) -> Result<Decision, String> {
        let mut facts = Facts::new();
        for _ in 0..MAX_ROUNDS {
            let keys = match self.ask(object, kind, &facts)? {
                Outcome::Decided(decision) => return Ok(*decision),
                Outcome::NeedsFacts(keys) => keys,
            };
            for (key, fact) in self.facts.fetch(keys, Instant::now() + TIME_LIMIT).await {
                facts.insert(key, fact);
            }
        }
        Err("the engine kept asking for facts; this is a bug".to_owned())
    }

    fn ask(&self, object: Value<'_>, kind: &ResourceKind, facts: &Facts) -> Result<Outcome, String> {
        let bump = Bump::new();
        let from = ObjectRequest {
            origin: Origin::Audit,
            object,
            old_object: None,
            operation: Operation::Create,
            resource: &kind.plural,
            sub_resource: "",
            default_namespace: "",
            user_info: None,
        };
        let request = Request::for_object(&&bump, from)?;
        let context = Context { stage: Stage::Whole, now: jiff::Timestamp::now(), time_limit: TIME_LIMIT };
        Ok(decide(&bump, &request, &self.set, facts, &context))
    }
}

/// The objects of an inventory: by name, or by namespace and name.
fn each(inventory: Value<'_>, namespaced: bool) -> Vec<Value<'_>> {
    fn members(value: Value<'_>) -> Vec<Value<'_>> {
        value.as_object().map(|members| members.iter().map(|(_, value)| value).collect()).unwrap_or_default()
    }
    if namespaced { members(inventory).into_iter().flat_map(members).collect() } else { members(inventory) }
}

/// What a controller made follows what it was made from.
fn is_owned(object: Value<'_>) -> bool {
    let owners = object.at(&["metadata", "ownerReferences"]).and_then(Value::as_array).unwrap_or_default();
    owners.iter().any(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
}
