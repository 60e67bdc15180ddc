//! From objects to what the engine decides by: constraints become compiled policies, the rest settings.
//!
//! What cannot load is a failure of its own, with its place; its neighbours live.

use super::constraint::{self, Constraint};
use super::mutation::{self, Mutator, Mutators};
use super::object::{Given, Problem};
use super::template::{self, Template};
use super::{Settings, expansion, provider, schema, settings};
use crate::matching::spec::Match;
use crate::policy::compiled::CompiledPolicy;
use crate::policy::metadata::Metadata;
use crate::policy::set::LoadFailure;
use crate::policy::spec::{Action, Existing, Mutate, OnError, PolicySpec, Source};
use crate::rego::{CompileOptions, LoadError, Program};
use crate::value::Document;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What came of loading all objects.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) policies: Vec<CompiledPolicy>,
    pub(crate) settings: Settings,
    pub(crate) failures: Vec<LoadFailure>,
}

/// A template whose Rego is compiled.
struct Ready {
    template: Template,
    program: Arc<Program>,
}

/// Loads all objects. While observing, every constraint only records. `traced`: they can tell what they do.
pub(crate) fn load(objects: &[Given], observe: bool, traced: bool) -> Loaded {
    let mut loaded = Loaded::default();
    let mut templates: BTreeMap<String, Option<Ready>> = BTreeMap::new();
    let is_template = |given: &&Given| given.group() == "templates.gatekeeper.sh";
    for given in objects.iter().filter(is_template) {
        let outcome = if given.kind() == "ConstraintTemplate" {
            ready(given, traced)
        } else {
            Err(vec![unknown(given)])
        };
        match outcome {
            Ok(ready) if templates.contains_key(&ready.template.kind) => {
                let message = "another ConstraintTemplate has this name";
                loaded.fail(given, vec![given.error(&Problem::new("/metadata/name", message))]);
            }
            Ok(ready) => {
                templates.insert(ready.template.kind.clone(), Some(ready));
            }
            Err(errors) => {
                let kind = given.object.pointer("/spec/crd/spec/names/kind").and_then(|kind| kind.as_str());
                templates.entry(kind.unwrap_or_default().to_owned()).or_insert(None);
                loaded.fail(given, errors);
            }
        }
    }
    let mut seen = BTreeSet::new();
    let mut mutators: Vec<(&Given, Mutator)> = Vec::new();
    for given in objects.iter().filter(|given| !is_template(given)) {
        let outcome = if given.group() == "mutations.gatekeeper.sh" {
            mutation::read(given).map(|mutator| mutators.push((given, mutator)))
        } else if given.group() != "constraints.gatekeeper.sh" {
            loaded.settings.add(given)
        } else if !seen.insert(given.id()) {
            Err(Problem::new("/metadata/name", "another constraint of this kind has this name"))
        } else {
            compile(given, &templates, observe).map(|policy| loaded.policies.push(policy))
        };
        if let Err(problem) = outcome {
            loaded.fail(given, vec![given.error(&problem)]);
        }
    }
    let (system, contradictions) =
        Mutators::new(mutators.iter().map(|(_, mutator)| mutator.clone()).collect());
    for (id, other) in contradictions {
        let message = format!("it takes a place for something else than `{other}`; neither is applied");
        if let Some((given, _)) = mutators.iter().find(|(given, _)| given.id() == id) {
            loaded.fail(given, vec![given.error(&Problem::new("/spec/location", message))]);
        }
    }
    // Who only observes changes nothing.
    loaded.settings.mutators = if observe { Mutators::default() } else { system };
    loaded.settings.seal();
    loaded
}

impl Loaded {
    fn fail(&mut self, given: &Given, errors: Vec<LoadError>) {
        self.failures.push(LoadFailure { policy: given.id(), from: given.from.clone(), errors });
    }
}

impl Settings {
    fn add(&mut self, given: &Given) -> Result<(), Problem> {
        match (given.group(), given.kind()) {
            ("config.gatekeeper.sh", "Config") => {
                let (kinds, exclusions) = settings::config(given)?;
                self.inventory.extend(kinds.into_iter().map(Into::into));
                self.exclusions.extend(exclusions);
            }
            ("syncset.gatekeeper.sh", "SyncSet") => {
                self.inventory.extend(settings::sync_set(given)?.into_iter().map(Into::into));
            }
            ("expansion.gatekeeper.sh", "ExpansionTemplate") => {
                self.expansions.push(expansion::read(given)?);
            }
            ("externaldata.gatekeeper.sh", "Provider") => {
                let provider = provider::read(given)?;
                if self.providers.contains_key(&provider.name) {
                    return Err(Problem::new("/metadata/name", "another Provider has this name"));
                }
                self.providers.insert(provider.name.clone(), provider);
            }
            _ => return Err(Problem::new("/kind", "this kind is not known")),
        }
        Ok(())
    }

    fn seal(&mut self) {
        self.inventory.sort();
        self.inventory.dedup();
    }
}

fn unknown(given: &Given) -> LoadError {
    given.error(&Problem::new("/kind", "this kind is not known"))
}

/// Reads and compiles a template.
fn ready(given: &Given, traced: bool) -> Result<Ready, Vec<LoadError>> {
    let template = template::read(given).map_err(|problem| vec![given.error(&problem)])?;
    let options = CompileOptions {
        v0: template.v0,
        strict_builtin_errors: false,
        external_data: true,
        traced,
        ..CompileOptions::default()
    };
    let place = |error: LoadError| {
        let module = template.modules.iter().position(|module| module.path == error.file).unwrap_or_default();
        let pointer = template.pointers.get(module).map_or("/spec/targets", String::as_str);
        given.rego_error(pointer, &error)
    };
    let program = Program::compile(template.modules.clone(), options)
        .map_err(|errors| errors.into_iter().map(place).collect::<Vec<_>>())?;
    if !program.has_rule(&format!("{}.violation", template.package)) {
        let pointer = template.pointers.first().map_or("/spec/targets", String::as_str);
        return Err(vec![given.error(&Problem::new(pointer, "the Rego has no rule `violation`"))]);
    }
    Ok(Ready { template, program: Arc::new(program) })
}

/// Makes a constraint of a loaded template a policy.
fn compile(
    given: &Given,
    templates: &BTreeMap<String, Option<Ready>>,
    observe: bool,
) -> Result<CompiledPolicy, Problem> {
    let kind = given.kind();
    let ready = match templates.get(kind) {
        Some(Some(ready)) => ready,
        Some(None) => return Err(Problem::new("/kind", "its ConstraintTemplate could not be loaded")),
        None => {
            let message = format!("there is no ConstraintTemplate for kind `{kind}`");
            return Err(Problem::new("/kind", message));
        }
    };
    let Ready { template, program } = ready;
    let spec = constraint::read(given)?;
    let parameters = parameters(template, &spec)?;
    let mut actions = spec.actions()?;
    if observe {
        actions.values_mut().for_each(|action| *action = Action::Audit);
    }
    let constraint = Constraint {
        kind: kind.to_owned(),
        name: given.name().to_owned(),
        matches: spec.matches.unwrap_or_default(),
        operations: template.operations.clone(),
        reads_inventory: template.reads_inventory(),
        reads_namespace: template.reads_namespace(),
        actions,
    };
    let metadata = Metadata {
        title: template.title.clone(),
        description: template.description.clone(),
        ..Metadata::default()
    };
    let spec = PolicySpec {
        source: Source::default(),
        matches: Match::default(),
        expand: None,
        templates: Vec::new(),
        parameters: None,
        action: constraint.action(crate::Origin::Admission).unwrap_or(Action::Audit),
        action_overrides: Vec::new(),
        on_error: if observe { OnError::Allow } else { OnError::Deny },
        // A constraint never looks at what the object was.
        existing: Existing::Deny,
        mutate: Mutate::default(),
    };
    Ok(CompiledPolicy::constraint(
        given.id(),
        given.from.clone(),
        spec,
        metadata,
        Arc::clone(program),
        Document::from_serde(&parameters),
        &template.package,
        constraint,
    ))
}

/// The parameters with the schema's defaults.
fn parameters(template: &Template, spec: &constraint::Spec) -> Result<serde_json::Value, Problem> {
    let given = spec.parameters()?;
    let schema = template.schema.as_ref().map(schema::closed);
    crate::policy::schema::complete(schema.as_ref(), &given)
        .map_err(|problems| Problem::new("/spec/parameters", problems.join("; ")))
}
