//! A class that is ready: its Rego compiled, its settings completed, its limits known.

use crate::answer::Answer;
use crate::limits::is_forbidden;
use bumpalo::Bump;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use wayguard_cluster::kinds::provisioning::{ClaimClassSpec, ClassMatch, DeletionPolicy};
use wayguard_engine::policy::library::{Library, package_of};
use wayguard_engine::policy::{compiled, metadata, schema};
use wayguard_engine::rego::{Entry, Limits, Module, Program, World};
use wayguard_engine::value::Document;

/// The type of the classes that labelled Namespaces get.
pub const NAMESPACE_TYPE: &str = "namespace";

/// The rules of the contract, in the order in which they are asked for.
const RULES: [&str; 7] = ["deny", "approval", "cost", "objects", "outputs", "ready", "progress"];

/// A class that can be used.
#[derive(Debug)]
pub struct Class {
    /// The name of the `ClaimClass`.
    pub name: String,
    /// As written.
    pub spec: ClaimClassSpec,
    /// What is said where a denial has no remedy of its own.
    pub remedy: String,
    /// The settings with the package's defaults.
    pub settings: Value,
    allowed: BTreeSet<String>,
    program: Arc<Program>,
    entries: Vec<(&'static str, Entry)>,
}

impl Class {
    /// Loads a class.
    ///
    /// # Errors
    /// Everything that is wrong with it, one sentence each.
    pub fn load(name: &str, spec: ClaimClassSpec, library: &Library) -> Result<Self, Vec<String>> {
        let mut problems = kinds_problems(&spec);
        let module = match source(name, &spec, library) {
            Ok(module) => module,
            Err(problem) => {
                problems.push(problem);
                return Err(problems);
            }
        };
        let package = package_of(&module.text).unwrap_or_default();
        let said =
            metadata::read(&module).map_err(|error| problems.push(error.to_string())).unwrap_or_default();
        let settings = schema::complete(said.custom.parameters.as_ref(), &spec.settings);
        let settings = settings.unwrap_or_else(|wrong| {
            problems.extend(wrong.into_iter().map(|problem| match problem.strip_prefix("parameters") {
                Some(rest) => format!("settings{rest}"),
                None => problem,
            }));
            Value::Null
        });
        // The same checks and the same compiler as for policies.
        let program = match compiled::compile(library.with_imports(vec![module]), false) {
            Ok(program) => program,
            Err(errors) => {
                problems.extend(errors.iter().map(ToString::to_string));
                return Err(problems);
            }
        };
        let entries: Vec<_> = RULES
            .into_iter()
            .filter_map(|rule| {
                let path = format!("data.{package}.{rule}");
                defines(&program, &path).then(|| program.entry(&path)).flatten().map(|entry| (rule, entry))
            })
            .collect();
        if !entries.iter().any(|(rule, _)| *rule == "objects") {
            problems
                .push(format!("the package `{package}` has no rule `objects`; it would never make anything"));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let allowed = spec.allowed_kinds.iter().cloned().collect();
        Ok(Self {
            name: name.to_owned(),
            spec,
            remedy: said.custom.remedy,
            settings,
            allowed,
            program,
            entries,
        })
    }

    /// The kinds that it may make.
    pub fn allowed(&self) -> &BTreeSet<String> {
        &self.allowed
    }

    /// Whether it is offered in a namespace.
    pub(crate) fn fits(&self, namespace: &str, labels: &Map<String, Value>) -> bool {
        let label = |key: &str| labels.get(key).and_then(Value::as_str).unwrap_or_default();
        let within = |list: &[String], value: &str| list.is_empty() || list.iter().any(|it| it == value);
        let matches = &self.spec.matches;
        within(&matches.namespaces, namespace)
            && within(&matches.teams, label("team"))
            && within(&matches.environments, label("environment"))
    }

    /// How much it says about where it is offered: a namespace says more than a team, a team more than an environment.
    pub(crate) fn specificity(&self) -> u8 {
        let matches = &self.spec.matches;
        let said = |list: &[String], worth: u8| if list.is_empty() { 0 } else { worth };
        said(&matches.namespaces, 4) + said(&matches.teams, 2) + said(&matches.environments, 1)
    }

    /// Whether a namespace could have to choose between the two by a coin toss.
    pub(crate) fn ties_with(&self, other: &Self) -> bool {
        let meet = |one: &[String], two: &[String]| {
            one.is_empty() || two.is_empty() || one.iter().any(|it| two.contains(it))
        };
        let (ours, theirs): (&ClassMatch, &ClassMatch) = (&self.spec.matches, &other.spec.matches);
        self.spec.claim_type == other.spec.claim_type
            && self.spec.class_name() == other.spec.class_name()
            && self.specificity() == other.specificity()
            && meet(&ours.namespaces, &theirs.namespaces)
            && meet(&ours.teams, &theirs.teams)
            && meet(&ours.environments, &theirs.environments)
    }

    /// Whether objects of this kind (`group/Kind`) are never deleted by us.
    pub fn retains(&self, kind: &str) -> bool {
        self.spec.retain_kinds.iter().chain(&self.spec.adopt_kinds).any(|it| it == kind)
    }

    /// Whether an object of this kind that is not ours may become so.
    pub fn adopts(&self, kind: &str) -> bool {
        self.spec.adopt_kinds.iter().any(|it| it == kind)
    }

    /// What becomes of what was made when a claim goes.
    pub fn deletion_policy(&self, claims: Option<DeletionPolicy>) -> DeletionPolicy {
        claims.unwrap_or(self.spec.deletion_policy)
    }

    /// Asks the Rego. The answer depends on the input alone: there is no clock and no chance.
    ///
    /// # Errors
    /// An evaluation that failed, or an answer that is none.
    pub(crate) fn ask(&self, input: &Value) -> Result<Answer, String> {
        let input = Document::from_serde(input);
        let arena = Bump::new();
        let world = World { input: Some(input.value()), limits: Limits::default(), ..World::default() };
        let mut answer = Answer::default();
        let mut wrong = None;
        let asked = self.program.ask(self.entries.iter().copied(), &arena, world, None, |rule, value| {
            let value = value.map(wayguard_engine::value::Value::to_serde);
            if let Err(problem) = answer.read(rule, value.as_ref()) {
                wrong.get_or_insert(problem);
            }
        });
        match (asked, wrong) {
            (Err(error), _) => Err(error.to_string()),
            (Ok(()), Some(problem)) => Err(problem),
            (Ok(()), None) => Ok(answer),
        }
    }
}

/// Whether there is a rule of that path, or one below it: `objects.cluster` is a rule of its own.
fn defines(program: &Program, path: &str) -> bool {
    let below = |rule: &String| {
        rule.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    program.rules().iter().any(below)
}

fn kinds_problems(spec: &ClaimClassSpec) -> Vec<String> {
    let mut problems = Vec::new();
    if spec.allowed_kinds.is_empty() {
        problems.push("`allowedKinds` is empty; the class could make nothing".to_owned());
    }
    for kind in &spec.allowed_kinds {
        if is_forbidden(kind) {
            problems.push(format!("`allowedKinds` has `{kind}`, which no class may make"));
        }
    }
    for (list, kinds) in [("retainKinds", &spec.retain_kinds), ("adoptKinds", &spec.adopt_kinds)] {
        for kind in kinds.iter().filter(|kind| !spec.allowed_kinds.contains(kind)) {
            problems.push(format!("`{list}` has `{kind}`, which is not among `allowedKinds`"));
        }
    }
    problems
}

/// The module of a class: its own, or one of the library by its package.
fn source(name: &str, spec: &ClaimClassSpec, library: &Library) -> Result<Module, String> {
    match (&spec.rego, &spec.package) {
        (Some(text), None) => Ok(Module { path: format!("{name}.rego"), text: text.clone() }),
        (None, Some(package)) => {
            let packages = || library.files().iter().filter(|(path, _)| is_package(path));
            let found = packages().find(|(_, text)| package_of(text).as_deref() == Some(package));
            found.map(|(path, text)| Module { path: path.clone(), text: text.clone() }).ok_or_else(|| {
                let names: Vec<_> =
                    packages().filter_map(|(_, text)| package_of(text)).map(|it| format!("`{it}`")).collect();
                format!("there is no package `{package}`; there are {}", names.join(", "))
            })
        }
        _ => Err("exactly one of `package` and `rego` must be given".to_owned()),
    }
}

/// A Rego file of `policies/provision` that is no test.
fn is_package(path: &str) -> bool {
    path.starts_with("provision/") && path.ends_with("/class.rego")
}
