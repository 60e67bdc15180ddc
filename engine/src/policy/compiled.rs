//! A policy that is ready: its Rego checked and compiled, its parameters completed.

use super::metadata::{self, Metadata, Need};
use super::spec::{Action, OnError, PolicySpec};
use super::{library, schema};
use crate::gatekeeper::Constraint;
use crate::rego::{CompileOptions, Entry, Footprint, LoadError, Module, Program, Purpose};
use crate::value::Document;
use std::sync::Arc;

/// The rules of the contract (design §3) that decide; each is optional.
pub(crate) const FINDING_RULES: [&str; 4] = ["deny", "violation", "warn", "audit"];
/// The rules that change the object.
pub(crate) const EDIT_RULES: [&str; 3] = ["defaults", "overrides", "removals"];
/// The rule that names what a namespace's Pods must be like from now on.
pub(crate) const RECHECK_RULE: &str = "recheck_pods";
/// The rule that names what is asked of RBAC, and the fact that holds the answers.
pub(crate) const ACCESS_RULE: &str = "access";

/// Which webhook evaluates a policy: what the API server does when it cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// `failurePolicy: Fail`: action Deny with `onError: Deny`.
    Fail,
    /// `failurePolicy: Ignore`: all others.
    Ignore,
}

/// A policy, compiled.
#[derive(Debug)]
pub struct CompiledPolicy {
    /// The name of the Policy object.
    pub name: String,
    /// The id that people know: `category/policy`, or the object's name for inline Rego.
    pub id: String,
    /// Where it came from, for messages.
    pub from: String,
    /// As written.
    pub spec: PolicySpec,
    /// What it says of itself.
    pub metadata: Metadata,
    /// Set if this is a constraint of Gatekeeper's, which is matched, asked and worded as such.
    pub constraint: Option<Constraint>,
    pub(crate) program: Arc<Program>,
    pub(crate) parameters: Document,
    /// The rules of the contract that the policy defines.
    entries: Vec<(&'static str, Entry)>,
    /// Rules that change objects are among them.
    mutates: bool,
    /// Rules that find something are among them.
    validates: bool,
    /// What these can read, as far as it decides whether they give anything.
    pub(crate) footprint: Footprint,
    /// What these can read, their words included.
    pub(crate) whole_footprint: Footprint,
    /// Its place in its set.
    pub(crate) ordinal: u32,
    /// The place of the first policy of the set with the same `match`: what fits one fits the other.
    pub(crate) like: u32,
    /// The id, shared with the decisions that name it.
    pub(crate) label: Arc<str>,
    pub(crate) fingerprint: u128,
}

impl Group {
    /// The group of a policy that is written so.
    pub fn of(spec: &PolicySpec) -> Self {
        let overrides = spec.action_overrides.iter().map(|other| other.action);
        let denies = std::iter::once(spec.action).chain(overrides).any(|action| action == Action::Deny);
        if denies && spec.on_error == OnError::Deny { Self::Fail } else { Self::Ignore }
    }
}

/// Compiles a policy as it is compiled when it is loaded, to be given to many sets by
/// [`PolicyFiles::program`](super::set::PolicyFiles). `marks`: as [`CompileOptions::marks`].
///
/// # Errors
/// Everything that is wrong with it.
pub fn compile(modules: Vec<Module>, marks: bool) -> Result<Arc<Program>, Vec<LoadError>> {
    let metadata = modules.first().map(metadata::read).transpose().map_err(|error| vec![error])?;
    let options = CompileOptions { marks, ..CompileOptions::default() };
    compile_as(&metadata.unwrap_or_default(), modules, options).map(Arc::new)
}

fn compile_as(
    metadata: &Metadata,
    modules: Vec<Module>,
    options: CompileOptions,
) -> Result<Program, Vec<LoadError>> {
    let strict_builtin_errors = !metadata.custom.lenient_builtins;
    Program::compile(modules, CompileOptions { strict_builtin_errors, ..options })
}

/// The Rego of a policy, found.
#[derive(Debug)]
pub(crate) struct Sourced {
    /// The id that people know.
    pub(crate) id: String,
    /// What it says of itself.
    pub(crate) metadata: Result<Metadata, LoadError>,
    /// The policy's own module first.
    pub(crate) modules: Vec<Module>,
    /// These, compiled by [`compile`] before.
    pub(crate) program: Option<Arc<Program>>,
    /// It is to be able to tell what it does.
    pub(crate) traced: bool,
}

impl CompiledPolicy {
    /// Loads a policy from its Rego.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(crate) fn load(
        name: String,
        from: String,
        spec: PolicySpec,
        sourced: Sourced,
        parameters: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Self, Vec<LoadError>> {
        let Sourced { id, metadata, modules, program, traced } = sourced;
        let options = CompileOptions { traced, ..CompileOptions::default() };
        let Some(main) = modules.first() else {
            return Err(vec![LoadError::whole(&from, "the policy has no Rego")]);
        };
        let package = format!("data.{}", library::package_of(&main.text).unwrap_or_default());
        let mut errors = Vec::new();
        let metadata = metadata.map_err(|error| errors.push(error)).unwrap_or_default();
        let completed = schema::complete(metadata.custom.parameters.as_ref(), parameters);
        let parameters = completed.unwrap_or_else(|problems| {
            errors.extend(problems.into_iter().map(|problem| LoadError::whole(&from, problem)));
            serde_json::Value::Null
        });
        match program.map_or_else(|| compile_as(&metadata, modules, options).map(Arc::new), Ok) {
            Ok(program) if errors.is_empty() => {
                let parameters = Document::from_serde(&parameters);
                let entries = entries(&program, &package);
                let [footprint, whole_footprint] = footprints(&program, &entries);
                let has = |rules: &[&str]| entries.iter().any(|(name, _)| rules.contains(name));
                let (finds, mutates) = (has(&FINDING_RULES), has(&EDIT_RULES));
                let validates = finds || has(&["overrides", "removals"]);
                let policy = Self {
                    label: id.as_str().into(),
                    name,
                    id,
                    from,
                    spec,
                    metadata,
                    constraint: None,
                    program,
                    parameters,
                    entries,
                    mutates,
                    validates,
                    footprint,
                    whole_footprint,
                    ordinal: 0,
                    like: 0,
                    fingerprint: 0,
                };
                policy.check_contract().map_or(Ok(policy), |error| Err(vec![error]))
            }
            Ok(_) => Err(errors),
            Err(problems) => {
                errors.splice(0..0, problems);
                Err(errors)
            }
        }
    }

    /// A constraint of a template that has been compiled; its id is `kind/name`.
    #[expect(clippy::too_many_arguments, reason = "what a template gives, and what a constraint adds")]
    pub(crate) fn constraint(
        id: String,
        from: String,
        spec: PolicySpec,
        metadata: Metadata,
        program: Arc<Program>,
        parameters: Document,
        package: &str,
        constraint: Constraint,
    ) -> Self {
        let name = id.clone();
        let entries = entries(&program, package);
        let [footprint, whole_footprint] = footprints(&program, &entries);
        let constraint = Some(constraint);
        Self {
            label: id.as_str().into(),
            name,
            id,
            from,
            spec,
            metadata,
            constraint,
            program,
            parameters,
            entries,
            mutates: false,
            validates: true,
            footprint,
            whole_footprint,
            ordinal: 0,
            like: 0,
            fingerprint: 0,
        }
    }

    /// A policy without any rule of the contract would load and do nothing.
    fn check_contract(&self) -> Option<LoadError> {
        let any = FINDING_RULES.iter().chain(&EDIT_RULES).any(|rule| self.has(rule));
        let message = "the policy defines none of `deny`, `warn`, `audit`, `violation`, `defaults`, `overrides`, `removals`; it would never find anything";
        (!any).then(|| LoadError::whole(&self.from, message))
    }

    /// The rule of the contract of that name, if the policy defines it.
    pub(crate) fn entry(&self, rule: &str) -> Option<Entry> {
        self.entries.iter().find(|(name, _)| *name == rule).map(|(_, entry)| *entry)
    }

    /// Whether the policy defines this rule of the contract.
    pub fn has(&self, rule: &str) -> bool {
        self.entry(rule).is_some()
    }

    /// Whether it can change objects.
    pub fn mutates(&self) -> bool {
        self.mutates
    }

    /// Whether it can find anything (overrides and removals are findings where they were not applied).
    pub fn validates(&self) -> bool {
        self.validates
    }

    /// What the request must carry, as METADATA says for the policy's parameters.
    pub(crate) fn needs(&self) -> impl Iterator<Item = Need> {
        let custom = &self.metadata.custom;
        let given = |name: &str| self.spec.parameters.as_ref().and_then(|parameters| parameters.get(name));
        let conditional = custom.needs_when.iter().filter(move |(name, _)| given(name) == Some(&true.into()));
        custom.needs.iter().chain(conditional.flat_map(|(_, needs)| needs)).copied()
    }

    /// A hash of everything that the policy itself is made of; what it finds also hangs on
    /// [`PolicySet::ground`](super::set::PolicySet::ground) and on exceptions.
    pub fn fingerprint(&self) -> u128 {
        self.fingerprint
    }

    /// Whether what it finds hangs on nothing but the object, its namespace and the policy: no facts, no other objects,
    /// neither time nor chance.
    pub fn is_repeatable(&self) -> bool {
        let custom = &self.metadata.custom;
        let inventory = self.constraint.as_ref().is_some_and(|constraint| constraint.reads_inventory);
        custom.facts.is_empty()
            && custom.inventory.is_empty()
            && !inventory
            && self.whole_footprint.is_repeatable()
    }

    /// Whether what it finds can hang on the object's status.
    pub fn reads_status(&self) -> bool {
        self.whole_footprint.reads(&["review", "object", "status"])
    }

    /// Whether it asks who may do what.
    pub(crate) fn asks_for_access(&self) -> bool {
        self.metadata.custom.facts.iter().any(|name| name == ACCESS_RULE)
    }

    /// Which webhook evaluates it.
    pub fn group(&self) -> Group {
        Group::of(&self.spec)
    }
}

/// A policy that could not be loaded, of which is known what it is about: it answers as its `onError` says.
#[derive(Debug)]
pub struct BrokenPolicy {
    /// The name of the Policy object.
    pub name: String,
    /// The id that people know, as far as the object names one; else its name.
    pub id: String,
    /// As written.
    pub spec: PolicySpec,
    /// The first thing that is wrong with it, in one line.
    pub problem: String,
}

fn footprints(program: &Program, entries: &[(&'static str, Entry)]) -> [Footprint; 2] {
    let judged = entries.iter().filter(|(name, _)| *name != RECHECK_RULE);
    let entries: Vec<Entry> = judged.map(|(_, entry)| *entry).collect();
    [Purpose::Emptiness, Purpose::Whole].map(|purpose| program.footprint(&entries, purpose))
}

fn entries(program: &Program, package: &str) -> Vec<(&'static str, Entry)> {
    let defined = |rule: &&'static str| {
        let path = format!("{package}.{rule}");
        program.has_rule(&path).then(|| program.entry(&path)).flatten().map(|entry| (*rule, entry))
    };
    FINDING_RULES.iter().chain(&EDIT_RULES).chain(&[RECHECK_RULE, ACCESS_RULE]).filter_map(defined).collect()
}
