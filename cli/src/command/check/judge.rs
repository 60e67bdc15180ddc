//! Every object of the files judged as the admission server would.

use super::report::{Checked, ObjectId, Place, Report};
use super::subject::SubjectArgs;
use crate::exit::Failure;
use crate::images::ImageDesk;
use crate::input::{Answers, FoundObject, Problem, TextFile, collect, objects};
use crate::judging::{explained, judge, patched};
use crate::knowledge::Knowledge;
use crate::live::Live;
use crate::parallel::on_all_cores;
use crate::policies::Gathered;
use std::collections::BTreeMap;
use std::sync::Arc;
use wayguard_engine::request::{ObjectRequest, Operation, Origin};
use wayguard_engine::value::{Document, PatchOperation, Pointer, Value, diff, named_path};
use wayguard_engine::{PolicySet, Stage, Verdict};

/// Values longer than this are cut in what people read.
const SHOWN: usize = 80;

/// The group of everyone who has logged in.
const LOGGED_IN: &str = "system:authenticated";

/// What judging needs, the files aside.
pub(in crate::command) struct Judge {
    set: Arc<PolicySet>,
    /// The mutating policies as if each wrote into templates; `None` if there are none.
    template_form: Option<PolicySet>,
    context: Knowledge,
    namespace: String,
    operation: Operation,
    user_info: Option<Document>,
    strict: bool,
    /// What the policies do is told too.
    traced: bool,
}

/// The outcome, with what `--fix` needs to know.
pub(in crate::command) struct Judged {
    pub(super) report: Report,
    pub(super) objects: Vec<FoundObject>,
    pub(super) problems: Vec<Problem>,
}

impl Judge {
    /// Reads the context.
    ///
    /// # Errors
    /// If it cannot be read, or is not YAML.
    pub(super) fn new(
        args: &SubjectArgs,
        set: Arc<PolicySet>,
        gathered: &Gathered,
        live: Option<Arc<Live>>,
        traced: bool,
    ) -> Result<Self, Failure> {
        let images = ImageDesk::open(&args.images, live.as_ref().and_then(|live| live.authorities()))?;
        let mut context = Knowledge::new().asking(live).asking_images(images);
        let files = collect(&args.context)?;
        let (known, problems) = objects(&files);
        if let Some(problem) = problems.iter().find(|problem| problem.fatal) {
            return Err(Failure::Invalid(problem.error.to_string()));
        }
        context.insert_answers(Answers::read(&files).map_err(|error| Failure::Invalid(error.to_string()))?);
        for object in &known {
            context.insert(object.value(), &args.namespace);
        }
        let user_info = args.user.as_ref().map(|user| {
            let mut groups = args.group.clone();
            // The API server adds it to everyone who has logged in.
            if !groups.iter().any(|group| group == LOGGED_IN) {
                groups.push(LOGGED_IN.to_owned());
            }
            Document::from_serde(&serde_json::json!({"username": user, "groups": groups}))
        });
        Ok(Self {
            template_form: gathered.template_form(&set),
            set,
            context: if args.context.is_empty() { context } else { context.complete() },
            namespace: args.namespace.clone(),
            operation: args.operation.into(),
            user_info,
            strict: args.strict,
            traced,
        })
    }

    /// Whether a policy of that id or name is in the set, or would be if it could be loaded.
    pub(in crate::command) fn has(&self, named: &str) -> bool {
        self.set.policies().any(|policy| policy.id == named || policy.name == named)
            || self.set.broken().iter().any(|policy| policy.id == named || policy.name == named)
    }

    /// Who does what with the objects: `CREATE by jane of ops`.
    pub(in crate::command) fn question(&self) -> String {
        let verb = self.operation.as_str();
        let Some(user) = self.user_info.as_ref().map(Document::value) else { return verb.to_owned() };
        let groups = user.get("groups").and_then(Value::as_array).unwrap_or_default();
        let groups = groups.iter().filter_map(|group| group.as_str()).filter(|it| *it != LOGGED_IN);
        let groups = groups.collect::<Vec<_>>().join(", ");
        let of = if groups.is_empty() { String::new() } else { format!(" of {groups}") };
        format!("{verb} by {}{of}", user.str_or_empty("username"))
    }

    /// Judges all objects of the files.
    pub(in crate::command) fn all(&self, files: &[TextFile]) -> Judged {
        let (found, mut problems) = objects(files);
        let mut knowledge = self.context.clone();
        match Answers::read(files) {
            Ok(answers) => knowledge.insert_answers(answers),
            Err(error) => problems.push(Problem { error, fatal: true }),
        }
        let mut results: BTreeMap<usize, Checked> = BTreeMap::new();
        // Namespaces first: the other objects land in them as they will be, mutation included.
        let namespaces = found.iter().enumerate().filter(|(_, object)| is_namespace(object));
        for (index, object) in namespaces {
            let checked = self.object(object, &knowledge);
            let after = patched(object.value(), &checked.patch).unwrap_or_else(|_| object.object.clone());
            if self.operation != Operation::Delete {
                knowledge.insert(after.value(), &self.namespace);
            }
            results.insert(index, checked);
        }
        if self.operation != Operation::Delete {
            for object in found.iter().filter(|object| !is_namespace(object)) {
                knowledge.insert(object.value(), &self.namespace);
            }
        }
        let others: Vec<_> = found.iter().enumerate().filter(|(_, object)| !is_namespace(object)).collect();
        let judged = on_all_cores(
            "checking",
            &others,
            |(_, object)| &object.file,
            |(index, object)| (*index, self.object(object, &knowledge)),
        );
        results.extend(judged);
        let mut report =
            Report { results: results.into_values().collect(), invalid: self.invalid(&problems) };
        for problem in problems.iter().filter(|problem| problem.fatal) {
            let error = &problem.error;
            let line = usize::try_from(error.line).unwrap_or(1).max(1);
            let place = Place { file: error.file.clone(), line };
            report.results.push(Checked::unreadable(place, error.message.clone()));
        }
        report.invalid |=
            self.strict && report.results.iter().any(|checked| !blocking_skips(checked).is_empty());
        Judged { report, objects: found, problems }
    }

    fn invalid(&self, problems: &[Problem]) -> bool {
        !self.set.failures().is_empty() || problems.iter().any(|problem| problem.fatal)
    }

    fn request<'v>(&'v self, object: Value<'v>, before: Option<&'v Document>) -> ObjectRequest<'v> {
        ObjectRequest {
            origin: Origin::Check,
            object,
            old_object: before.map(Document::value),
            operation: self.operation,
            resource: "",
            sub_resource: "",
            default_namespace: &self.namespace,
            user_info: self.user_info.as_ref().map(Document::value),
        }
    }

    fn object(&self, object: &FoundObject, knowledge: &Knowledge) -> Checked {
        let before = match self.operation {
            Operation::Update => self.context.find_anywhere(object.value(), &self.namespace),
            _ => None,
        };
        let place = Place { file: object.file.to_string(), line: object.line };
        let request = self.request(object.value(), before.as_ref());
        let decided = if self.traced {
            explained(&self.set, request, knowledge, jiff::Timestamp::now())
                .map(|(decision, story)| (decision, Some(story)))
        } else {
            judge(&self.set, request, Stage::Whole, knowledge).map(|decision| (decision, None))
        };
        let (mut decision, story) = match decided {
            Ok(decided) => decided,
            Err(problem) => return Checked::unreadable(place, problem),
        };
        decision.patch = self.patch(object.value(), before.as_ref(), knowledge);
        let mut checked = Checked::new(self.id(object), place, decision);
        checked.lines = checked.findings.iter().map(|finding| object.line_of(&finding.path)).collect();
        checked.fills = fills(object, &checked.patch);
        checked.story = story;
        let skips = blocking_skips(&checked);
        if self.strict && !skips.is_empty() && checked.verdict.admits() {
            checked.verdict = Verdict::Error;
            checked.message = skips.join("\n");
        }
        checked
    }

    /// What admission fills in. Asked for apart from the verdict: a denial carries no patch, and files hold
    /// templates, not Pods.
    fn patch(
        &self,
        object: Value<'_>,
        before: Option<&Document>,
        knowledge: &Knowledge,
    ) -> Vec<PatchOperation> {
        let mutated = |set: &PolicySet, value: Value<'_>| {
            let decision = judge(set, self.request(value, before), Stage::Mutate, knowledge);
            decision.map(|decision| decision.patch).unwrap_or_default()
        };
        let patch = self.template_form.as_ref().map(|set| mutated(set, object)).unwrap_or_default();
        if !knowledge.has_cluster() {
            return patch;
        }
        // Policies of the cluster come on top, as they are.
        let after = patched(object, &patch)
            .and_then(|after| patched(after.value(), &mutated(&self.set, after.value())));
        after.map_or(patch, |after| diff(object, after.value()))
    }

    fn id(&self, object: &FoundObject) -> ObjectId {
        let value = object.value();
        let api_version = value.str_or_empty("apiVersion");
        let kind = value.str_or_empty("kind");
        let (group, _) = api_version.split_once('/').unwrap_or(("", api_version));
        let metadata = value.get("metadata").unwrap_or_default();
        let namespace = match metadata.str_or_empty("namespace") {
            _ if wayguard_engine::expansion::is_cluster_scoped(group, kind) => "",
            "" => &self.namespace,
            named => named,
        };
        let name = match metadata.str_or_empty("name") {
            "" => metadata.str_or_empty("generateName"),
            name => name,
        };
        ObjectId {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}

fn is_namespace(object: &FoundObject) -> bool {
    (object.value().str_or_empty("apiVersion"), object.value().str_or_empty("kind")) == ("v1", "Namespace")
}

/// The policies that could not be judged for want of something, and what was assumed instead of known; `*` stands for
/// requests that none judges.
fn blocking_skips(checked: &Checked) -> Vec<String> {
    let skips = checked.skipped.iter().filter(|skipped| skipped.policy != "*");
    let skips = skips.map(|skipped| format!("{} cannot be judged here: {}", skipped.policy, skipped.reason));
    skips.chain(checked.assumed.iter().cloned()).collect()
}

/// The patch in words: `spec.replicas: 2`.
fn fills(object: &FoundObject, patch: &[PatchOperation]) -> Vec<String> {
    let after = patched(object.value(), patch).unwrap_or_else(|_| object.object.clone());
    let name = |path: &str, value| named_path(value, &Pointer::parse(path).unwrap_or_default());
    patch
        .iter()
        .map(|operation| match operation {
            PatchOperation::Add { path, value } => {
                format!("{}: {}", name(path, after.value()), clip(&value.to_string()))
            }
            PatchOperation::Replace { path, value } => {
                // What stood in a list or object could be anything, a credential too.
                let shown = match value {
                    serde_json::Value::Array(items) => format!("{} elements", items.len()),
                    serde_json::Value::Object(members) => format!("{} members", members.len()),
                    scalar => scalar.to_string(),
                };
                format!("{} becomes {}", name(path, after.value()), clip(&shown))
            }
            PatchOperation::Remove { path } => format!("{} is removed", name(path, object.value())),
        })
        .collect()
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
