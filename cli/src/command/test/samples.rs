//! Samples: one object each, judged by the one policy, its findings compared with what its head says.

use super::head::{self, Default_, Expectation, Head, Inventory, NamespaceHead, Step};
use super::pairing;
use super::report::{Case, Outcome};
use super::snapshot::{self, List, flow, scalar};
use crate::exit::Failure;
use crate::input::{Given, TextFile, is_manifest, objects, shown, walk};
use crate::judging::{TIME_LIMIT, judge_at, patched};
use crate::knowledge::Knowledge;
use crate::policies::PolicyFolder;
use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wayguard_engine::decision::Effect;
use wayguard_engine::expansion::WORKLOADS;
use wayguard_engine::policy::compiled::CompiledPolicy;
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::{PolicyFiles, SetConfig};
use wayguard_engine::policy::spec::{Action, Existing, PolicySpec, Source};
use wayguard_engine::rego::{LoadError, Module, Program, Spent, spent};
use wayguard_engine::request::{ObjectRequest, Operation, Origin};
use wayguard_engine::value::{Document, PatchOperation};
use wayguard_engine::{Decision, Finding, PolicySet, PolicySetBuilder, Stage};

/// The samples of one policy, read and ready to be judged.
pub(in crate::command) struct Samples {
    id: String,
    /// The name of the Policy object.
    policy: String,
    /// The policy's file, for messages.
    from: String,
    files: PolicyFiles,
    library: Arc<Library>,
    all: Vec<Written>,
}

/// One file.
struct Written {
    name: String,
    file: String,
    text: String,
    denied: bool,
    /// Or why it says nothing.
    sample: Result<Sample, String>,
}

/// What judging one sample takes.
#[derive(Clone, Copy, Debug)]
pub(in crate::command) struct Measured {
    /// The fastest round.
    pub(in crate::command) time: Duration,
    /// What one round takes.
    pub(in crate::command) spent: Spent,
}

/// A sample that expects something else than is found.
pub(super) struct Outdated {
    pub(super) file: String,
    pub(super) before: String,
    pub(super) after: String,
}

impl Samples {
    /// Reads all samples of a policy.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub(in crate::command) fn read(folder: &PolicyFolder) -> Result<Self, Failure> {
        let mut all = Vec::new();
        for kind in ["allowed", "denied"] {
            let path = folder.path.join("samples").join(kind);
            if !path.is_dir() {
                continue;
            }
            for file in walk(&path, &is_manifest)? {
                let text =
                    std::fs::read_to_string(&file).map_err(|error| Failure::unreadable(&file, &error))?;
                let name = format!("samples/{kind}/{}", file.strip_prefix(&path).unwrap_or(&file).display());
                let sample = Sample::read(folder, &file, &text);
                all.push(Written { name, file: shown(&file), text, denied: kind == "denied", sample });
            }
        }
        Ok(Self {
            id: folder.id.clone(),
            policy: folder.id.rsplit('/').next().unwrap_or(&folder.id).to_owned(),
            from: folder.path.join("policy.rego").display().to_string(),
            files: folder.files(),
            library: Arc::new(folder.library.clone()),
            all,
        })
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The policy's modules: its own, then what they import.
    pub(in crate::command) fn modules(&self) -> &[Module] {
        &self.files.modules
    }

    /// Judges all by the policy, compiled.
    pub(super) fn run(&self, program: &Arc<Program>) -> Vec<Case> {
        let case = |written: &Written| {
            let problems = self.problems(written, program, TIME_LIMIT);
            let outcome = if problems.is_empty() { Outcome::Passed } else { Outcome::Failed };
            let message = problems.join("\n");
            let place = Some((written.file.clone(), 1));
            Case { suite: self.id.clone(), name: written.name.clone(), outcome, message, place }
        };
        self.all.iter().map(case).collect()
    }

    /// The first sample that is not judged as it says, if there is one; each may take so long.
    pub(super) fn first_failure(&self, program: &Arc<Program>, limit: Duration) -> Option<String> {
        let mut all = self.all.iter();
        let failed = all.find(|written| !self.problems(written, program, limit).is_empty());
        failed.map(|written| written.name.clone())
    }

    /// The samples whose lists are not what is found, with the text that makes them right.
    pub(super) fn outdated(&self, program: &Arc<Program>) -> Vec<Outdated> {
        let outdated = |written: &Written| {
            let sample = written.sample.as_ref().ok()?;
            let set = self.set(sample, program).ok()?;
            let decision = sample.decide(&set, Stage::Whole, TIME_LIMIT).ok()?;
            let mutation = sample.mutation(&set, TIME_LIMIT).ok()?;
            let lists = sample.lists(&decision, mutation.as_ref(), written.denied)?;
            if lists.iter().all(List::is_right) {
                return None;
            }
            let after = snapshot::rewrite(&written.text, &lists);
            Some(Outdated { file: written.file.clone(), before: written.text.clone(), after })
        };
        self.all.iter().filter_map(outdated).collect()
    }

    /// What judging each sample takes: of so many rounds the fastest, and the steps and bytes of one. Nothing is
    /// remembered from one round to the next.
    ///
    /// # Errors
    /// If a sample cannot be judged, in words.
    pub(in crate::command) fn measure(
        &self,
        program: &Arc<Program>,
        rounds: usize,
    ) -> Result<Vec<Measured>, String> {
        let mut measured = Vec::with_capacity(self.all.len());
        for written in &self.all {
            let problem = |problem: &String| format!("{}: {problem}", written.file);
            let sample = written.sample.as_ref().map_err(problem)?;
            let mut best = Measured { time: Duration::MAX, spent: Spent::default() };
            for _ in 0..rounds.max(1) {
                let set = self.set(sample, program).map_err(|text| problem(&text))?;
                let (before, started) = (spent(), Instant::now());
                sample.decide(&set, Stage::Whole, TIME_LIMIT).map_err(|text| problem(&text))?;
                let (time, after) = (started.elapsed(), spent());
                best.time = best.time.min(time);
                best.spent = Spent {
                    steps: after.steps.wrapping_sub(before.steps),
                    bytes: after.bytes.wrapping_sub(before.bytes),
                };
            }
            measured.push(best);
        }
        Ok(measured)
    }

    /// What is said of each sample of a policy that does not load.
    pub(super) fn unloadable(&self, errors: &[LoadError]) -> Vec<Case> {
        let message = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let case = |written: &Written| Case {
            suite: self.id.clone(),
            name: written.name.clone(),
            outcome: Outcome::Failed,
            message: message.clone(),
            place: Some((written.file.clone(), 1)),
        };
        self.all.iter().map(case).collect()
    }

    /// Everything that is not as the sample says.
    fn problems(&self, written: &Written, program: &Arc<Program>, limit: Duration) -> Vec<String> {
        let judged = |sample: &Sample| {
            let set = self.set(sample, program)?;
            let decision = sample.decide(&set, Stage::Whole, limit)?;
            let mutation = sample.mutation(&set, limit)?;
            Ok(sample.compare(&set, &decision, mutation.as_ref(), written.denied))
        };
        match &written.sample {
            Ok(sample) => judged(sample).unwrap_or_else(|problem| vec![problem]),
            Err(problem) => vec![problem.clone()],
        }
    }

    /// The one policy, as shipped, with the sample's parameters; its own action, so that nothing is softened.
    fn set(&self, sample: &Sample, program: &Arc<Program>) -> Result<PolicySet, String> {
        let mut builder = PolicySetBuilder::new(self.library.clone(), SetConfig::default());
        let files = PolicyFiles { program: Some(program.clone()), ..self.files.clone() };
        builder.policy(&self.policy, sample.spec.clone(), &self.from, Some(files));
        let set = builder.build();
        let errors: Vec<_> =
            set.failures().iter().flat_map(|failure| &failure.errors).map(ToString::to_string).collect();
        if errors.is_empty() { Ok(set) } else { Err(errors.join("\n")) }
    }
}

/// A sample, ready to be judged.
struct Sample {
    head: Head,
    /// The Policy object that it is judged by.
    spec: PolicySpec,
    /// What is judged: the sample's object, or the workload around it.
    object: Document,
    old_object: Option<Document>,
    operation: Operation,
    /// Where the sample's object begins in the judged one.
    prefix: &'static str,
    knowledge: Knowledge,
}

impl Sample {
    fn read(folder: &PolicyFolder, path: &Path, text: &str) -> Result<Self, String> {
        let file = shown(path);
        let head = head::read(&file, text).map_err(|error| error.to_string())?;
        let source = TextFile { name: file, path: None, text: text.to_owned(), given: Given::Named };
        let (found, unread) = objects(&[source]);
        if let Some(problem) = unread.first() {
            return Err(problem.error.to_string());
        }
        let [object] = found.as_slice() else { return Err("a sample is exactly one object".to_owned()) };
        Self::new(folder, head, &object.object)
    }

    fn new(folder: &PolicyFolder, head: Head, object: &Document) -> Result<Self, String> {
        // On what METADATA says that it judges. It denies, so that nothing is softened.
        let spec = PolicySpec {
            parameters: Some(head.parameters.clone()),
            action: Action::Deny,
            existing: Existing::Deny,
            ..PolicySpec::of(Source { path: Some(folder.id.clone()), ..Source::default() })
        };
        let operation = head.operation.as_deref().unwrap_or("CREATE");
        let operation = Operation::parse(operation).ok_or_else(|| format!("`operation` is `{operation}`"))?;
        let (object, prefix) = match &head.owner {
            Some(owner) => within(owner, object)?,
            None => (object.clone(), ""),
        };
        let old_object = match (&head.old_object, &head.owner) {
            (Some(old), Some(owner)) => Some(within(owner, &Document::from_serde(old))?.0),
            (Some(old), None) => Some(Document::from_serde(old)),
            (None, _) => None,
        };
        let knowledge = knowledge(&head);
        Ok(Self { head, spec, object, old_object, operation, prefix, knowledge })
    }

    fn namespace(&self) -> &str {
        match &self.head.namespace {
            Some(namespace) if !namespace.name.is_empty() => &namespace.name,
            _ => "default",
        }
    }

    fn decide(&self, set: &PolicySet, stage: Stage, limit: Duration) -> Result<Decision, String> {
        let user_info = self.head.user_info.as_ref().map(Document::from_serde);
        judge_at(set, self.request(user_info.as_ref()), stage, &self.knowledge, self.now(), limit)
    }

    fn now(&self) -> jiff::Timestamp {
        self.head.now.unwrap_or_else(jiff::Timestamp::now)
    }

    fn request<'v>(&'v self, user_info: Option<&'v Document>) -> ObjectRequest<'v> {
        ObjectRequest {
            origin: Origin::Test,
            object: self.object.value(),
            old_object: self.old_object.as_ref().map(Document::value),
            operation: self.operation,
            resource: &self.head.resource,
            sub_resource: &self.head.sub_resource,
            default_namespace: self.namespace(),
            user_info: user_info.map(Document::value),
        }
    }

    /// What mutation makes of it, if the head says anything of that.
    fn mutation(&self, set: &PolicySet, limit: Duration) -> Result<Option<Decision>, String> {
        let said = self.head.defaults.is_some() || self.head.patch.is_some();
        said.then(|| self.decide(set, Stage::Mutate, limit)).transpose()
    }

    fn compare(
        &self,
        set: &PolicySet,
        decision: &Decision,
        mutation: Option<&Decision>,
        denied: bool,
    ) -> Vec<String> {
        let of = |effect: Effect| -> Vec<&Finding> {
            decision.findings.iter().filter(|finding| finding.effect == effect).collect()
        };
        let mut problems: Vec<String> =
            of(Effect::Error).iter().map(|finding| finding.message.clone()).collect();
        problems.extend(decision.skipped.iter().map(|skipped| {
            format!("the policy was not judged: {}; say what it needs in the sample's head", skipped.reason)
        }));
        let validates = set.policies().any(CompiledPolicy::validates);
        if problems.is_empty() && validates && decision.policies.is_empty() {
            problems.push("the policy does not match this object, so the sample says nothing".to_owned());
        }
        if !problems.is_empty() {
            return problems;
        }
        let expected = match (&self.head.expect, denied) {
            (None, true) => {
                return vec!["the head says nothing of what is `expect`ed in a denied sample".to_owned()];
            }
            (Some(expected), true) if expected.is_empty() => {
                return vec!["a denied sample must `expect` something".to_owned()];
            }
            (Some(expected), false) if !expected.is_empty() => {
                return vec![
                    "an allowed sample cannot `expect` denials; move it to `samples/denied`".to_owned(),
                ];
            }
            (expected, _) => expected.clone().unwrap_or_default(),
        };
        problems.extend(pairing::compare("denial", &expected, &of(Effect::Deny), self.prefix));
        problems.extend(pairing::compare("warning", &self.head.warnings, &of(Effect::Warn), self.prefix));
        problems.extend(self.compare_verdict(decision));
        if let Some(mutation) = mutation {
            problems.extend(self.compare_defaults(mutation));
            problems.extend(self.compare_patch(mutation));
        }
        problems
    }

    fn compare_verdict(&self, decision: &Decision) -> Option<String> {
        let wanted = self.head.verdict.as_ref()?;
        let found = serde_json::to_value(decision.verdict).unwrap_or_default();
        let found = found.as_str().unwrap_or_default();
        (wanted != found).then(|| format!("the verdict is `{found}`, not `{wanted}`"))
    }

    /// The object after the patch must be as after the head's.
    fn compare_patch(&self, mutation: &Decision) -> Vec<String> {
        let Some(steps) = &self.head.patch else { return Vec::new() };
        let at = |path: &String| format!("{}{path}", self.prefix);
        let expected: Vec<PatchOperation> = steps
            .iter()
            .map(|step| match step {
                Step::Add { path, value } => PatchOperation::Add { path: at(path), value: value.clone() },
                Step::Replace { path, value } => {
                    PatchOperation::Replace { path: at(path), value: value.clone() }
                }
                Step::Remove { path } => PatchOperation::Remove { path: at(path) },
            })
            .collect();
        let words =
            ["patched, but not in `patch`: ", "patched to another value: ", "in `patch`, but not patched: "];
        self.compare_mutated(&expected, mutation, "patch", words)
    }

    /// The object after the mutation must be as after what a list of the head says; `words` for what is too much, what
    /// is another, and what is missing.
    fn compare_mutated(
        &self,
        expected: &[PatchOperation],
        mutation: &Decision,
        list: &str,
        [added, other, missing]: [&str; 3],
    ) -> Vec<String> {
        match (patched(self.object.value(), expected), patched(self.object.value(), &mutation.patch)) {
            (Err(problem), _) => vec![format!("`{list}`: {problem}")],
            (_, Err(problem)) => vec![problem],
            (Ok(expected), Ok(found)) if expected == found => Vec::new(),
            (Ok(expected), Ok(found)) => wayguard_engine::value::diff(expected.value(), found.value())
                .into_iter()
                .map(|operation| match operation {
                    PatchOperation::Add { path, value } => format!("{added}{path}: {value}"),
                    PatchOperation::Replace { path, value } => format!("{other}{path}: {value}"),
                    PatchOperation::Remove { path } => format!("{missing}{path}"),
                })
                .collect(),
        }
    }

    /// The lists of the head as they would be right; `None`: the sample is no matter of lists.
    fn lists(&self, decision: &Decision, mutation: Option<&Decision>, denied: bool) -> Option<Vec<List>> {
        let of = |effect: Effect| -> Vec<&Finding> {
            decision.findings.iter().filter(|finding| finding.effect == effect).collect()
        };
        let unjudged = !of(Effect::Error).is_empty() || !decision.skipped.is_empty();
        // A denied sample that nothing denies, or an allowed one that is denied, is in the wrong folder.
        if unjudged || denied == of(Effect::Deny).is_empty() {
            return None;
        }
        let list = |key: &'static str, expected: &[Expectation], found: &[&Finding]| {
            let owner = pairing::pair(expected, found, self.prefix);
            let new = owner.iter().zip(found).filter(|(owner, _)| owner.is_none());
            List {
                key,
                stays: (0..expected.len()).map(|at| owner.contains(&Some(at))).collect(),
                items: expected.iter().map(pairing::shown).collect(),
                added: new.map(|(_, finding)| self.item(finding)).collect(),
                even_empty: false,
            }
        };
        let expect = self.head.expect.as_deref().unwrap_or_default();
        let mut lists = vec![
            list("expect", expect, &of(Effect::Deny)),
            list("warnings", &self.head.warnings, &of(Effect::Warn)),
        ];
        if let (Some(defaults), Some(mutation)) = (&self.head.defaults, mutation) {
            lists.push(self.defaults_list(defaults, mutation));
        }
        Some(lists)
    }

    /// A finding as an expectation.
    fn item(&self, finding: &Finding) -> String {
        let path = finding.path.strip_prefix(self.prefix).unwrap_or(&finding.path);
        let (rule, path) = (Some(finding.rule.clone()), Some(path.to_owned()));
        pairing::shown(&Expectation { rule, path, ..Expectation::default() })
    }

    fn defaults_list(&self, defaults: &[Default_], mutation: &Decision) -> List {
        let found: Vec<Default_> = mutation
            .patch
            .iter()
            .filter_map(|operation| match operation {
                PatchOperation::Add { path, value } | PatchOperation::Replace { path, value } => {
                    let path = path.strip_prefix(self.prefix).unwrap_or(path).to_owned();
                    Some(Default_ { path, value: value.clone() })
                }
                PatchOperation::Remove { .. } => None,
            })
            .collect();
        let shown = |it: &Default_| flow(&[("path", scalar(&it.path)), ("value", it.value.to_string())]);
        // Parts may be said one by one that are patched as one.
        let right = self.compare_defaults(mutation).is_empty();
        List {
            key: "defaults",
            stays: defaults.iter().map(|it| right || found.contains(it)).collect(),
            items: defaults.iter().map(shown).collect(),
            added: found.iter().filter(|it| !right && !defaults.contains(it)).map(shown).collect(),
            even_empty: true,
        }
    }

    /// What is filled in must be what the head says, no more and no less. A head without `defaults` says nothing
    /// of it.
    fn compare_defaults(&self, mutation: &Decision) -> Vec<String> {
        let Some(defaults) = &self.head.defaults else { return Vec::new() };
        let expected: Vec<PatchOperation> = defaults
            .iter()
            .map(|Default_ { path, value }| PatchOperation::Add {
                path: format!("{}{path}", self.prefix),
                value: value.clone(),
            })
            .collect();
        let words = ["unexpected default: ", "another default: ", "missing default: "];
        self.compare_mutated(&expected, mutation, "defaults", words)
    }
}

/// The object in the place of its owner's template.
fn within(owner: &Json, object: &Document) -> Result<(Document, &'static str), String> {
    let kind = owner.get("kind").and_then(Json::as_str).unwrap_or_default();
    let workload = WORKLOADS.iter().find(|workload| workload.kind == kind);
    let workload = workload.ok_or_else(|| format!("`owner` is a `{kind}`, which has no pod template"))?;
    let part = |key: &str| object.value().get(key).unwrap_or_default().to_serde();
    let template = json!({"metadata": part("metadata"), "spec": part("spec")});
    let patch = [PatchOperation::Add { path: workload.path.to_owned(), value: template }];
    Ok((patched(Document::from_serde(owner).value(), &patch)?, workload.path))
}

/// What the head gives as known.
fn knowledge(head: &Head) -> Knowledge {
    let mut knowledge = Knowledge::new();
    if let Some(NamespaceHead { name, labels, annotations }) = &head.namespace {
        let name = if name.is_empty() { "default" } else { name };
        let mut labels = labels.clone();
        // The API server gives it to every Namespace (KEP-2161).
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
        let object = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": labels, "annotations": annotations},
        });
        knowledge.insert(Document::from_serde(&object).value(), "");
    }
    for (name, fact) in &head.facts {
        knowledge.insert_fact(name, Document::from_serde(fact));
    }
    let Some(Inventory { namespace, cluster }) = &head.inventory else { return knowledge };
    for (namespace, kinds) in namespace {
        insert_all(&mut knowledge, kinds, namespace);
    }
    insert_all(&mut knowledge, &Json::Object(cluster.clone()), "");
    knowledge.complete()
}

/// `group/version` → kind → name → object.
fn insert_all(knowledge: &mut Knowledge, group_versions: &Json, namespace: &str) {
    let members = |value: &Json| value.as_object().cloned().unwrap_or_default();
    for (api_version, kinds) in members(group_versions) {
        for (kind, objects) in members(&kinds) {
            for (name, mut object) in members(&objects) {
                if let Some(object) = object.as_object_mut() {
                    object.insert("apiVersion".to_owned(), api_version.as_str().into());
                    object.insert("kind".to_owned(), kind.as_str().into());
                    let metadata = object.entry("metadata").or_insert_with(|| json!({}));
                    if let Some(metadata) = metadata.as_object_mut() {
                        metadata.insert("name".to_owned(), name.as_str().into());
                    }
                }
                knowledge.insert(Document::from_serde(&object).value(), namespace);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judging::explained;
    use crate::policies::{Disk, policy_folders};
    use wayguard_engine::story::Standing;

    /// The story is another view of the same decision: on every sample of the library, whatever it asks for.
    #[test]
    fn a_story_is_told_of_the_decision_that_is_made() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies");
        let library = Library::embedded();
        let mut told = 0;
        for path in policy_folders(&root).unwrap() {
            let folder = PolicyFolder::read(&path, &library, &mut Disk::default()).unwrap();
            let samples = Samples::read(&folder).unwrap();
            for written in &samples.all {
                let sample = written.sample.as_ref().unwrap();
                let built = |traced: bool| {
                    let mut builder = PolicySetBuilder::new(samples.library.clone(), SetConfig::default());
                    let files = PolicyFiles { program: None, ..samples.files.clone() };
                    builder.policy(&samples.policy, sample.spec.clone(), &samples.from, Some(files));
                    if traced {
                        builder.traced();
                    }
                    builder.build()
                };
                let plain = sample.decide(&built(false), Stage::Whole, TIME_LIMIT);
                let user_info = sample.head.user_info.as_ref().map(Document::from_serde);
                let request = sample.request(user_info.as_ref());
                let explained = explained(&built(true), request, &sample.knowledge, sample.now());
                let (decision, story) = explained.unwrap();
                assert_eq!(plain.as_ref(), Ok(&decision), "{}", written.file);
                let [policy] = story.policies.as_slice() else { panic!("{}: one policy", written.file) };
                assert!(
                    policy.standing == Standing::Matched && !policy.looks.is_empty(),
                    "{}: {policy:#?}",
                    written.file
                );
                told += policy.looks.iter().flat_map(|look| &look.rules).count();
            }
        }
        assert!(told > 400, "{told} rules were told");
    }
}
