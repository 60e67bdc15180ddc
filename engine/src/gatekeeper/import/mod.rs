//! Gatekeeper's templates and constraints as native policies: one Policy object each, with its Rego (as v1) inside.

mod inline;
mod modern;
#[cfg(test)]
mod tests;

use super::constraint::{self, Spec};
use super::expansion::Expansion;
use super::matching::{Match as ConstraintMatch, Source as Origin};
use super::object::{Given, Problem};
use super::template::Template;
use super::{Settings, load, schema, template};
use crate::matching::spec::{Match, ResourceRule, Scope};
use crate::policy::metadata::InventoryKind;
use crate::policy::set::LoadFailure;
use crate::policy::spec::{Existing, Mutate, OnError, PolicySpec, Source};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// What came of an import.
#[derive(Debug, Default)]
pub struct Imported {
    /// Name and spec of each policy.
    pub policies: Vec<(String, PolicySpec)>,
    /// What is not imported, or means something else than it did: id, file, and why.
    pub remarks: Vec<Remark>,
}

/// Something to know about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// `k8srequiredlabels/all-must-have-owner`.
    pub id: String,
    /// The file.
    pub from: String,
    /// Whether it was left out.
    pub left_out: bool,
    /// Why, or what is different.
    pub text: String,
}

/// Imports all constraints among the objects.
pub fn import(objects: &[Given]) -> Imported {
    let loaded = load(objects, false, false);
    let mut imported = Imported::default();
    let broken: BTreeSet<&str> = loaded.failures.iter().map(|failure| failure.policy.as_str()).collect();
    for LoadFailure { policy, from, errors } in &loaded.failures {
        let text: Vec<_> = errors.iter().map(ToString::to_string).collect();
        imported.leave(policy, from, text.join("\n"));
    }
    let mut templates: BTreeMap<String, Template> = BTreeMap::new();
    for given in objects.iter().filter(|given| given.group() == "templates.gatekeeper.sh") {
        if let Ok(read) = template::read(given) {
            templates.entry(read.kind.clone()).or_insert(read);
        }
    }
    let mut taken = BTreeSet::new();
    for given in objects.iter().filter(|given| !broken.contains(given.id().as_str())) {
        match given.group() {
            "constraints.gatekeeper.sh" => {
                let Some(template) = templates.get(given.kind()) else { continue };
                match policy(given, template, &loaded.settings) {
                    Ok((spec, differences)) => {
                        let mut name = given.name().to_owned();
                        if !taken.insert(name.clone()) {
                            name = given.id().replace('/', "-");
                            taken.insert(name.clone());
                        }
                        imported.policies.push((name, spec));
                        for text in differences {
                            imported.remark(given, text);
                        }
                    }
                    Err(problem) => imported.leave(&given.id(), &given.from, problem.message),
                }
            }
            "mutations.gatekeeper.sh" => {
                let why = "mutators are no policies; `--policies` reads them as they are";
                imported.leave(&given.id(), &given.from, why.into());
            }
            "externaldata.gatekeeper.sh" => {
                imported.leave(&given.id(), &given.from, "native policies ask no providers; `--policies` reads it as it is, for templates and mutators".into());
            }
            _ => {}
        }
    }
    imported
}

impl Imported {
    fn leave(&mut self, id: &str, from: &str, text: String) {
        self.remarks.push(Remark { id: id.to_owned(), from: from.to_owned(), left_out: true, text });
    }

    fn remark(&mut self, given: &Given, text: String) {
        self.remarks.push(Remark { id: given.id(), from: given.from.clone(), left_out: false, text });
    }
}

/// The policy of a constraint, and what is different about it.
fn policy(
    given: &Given,
    template: &Template,
    settings: &Settings,
) -> Result<(PolicySpec, Vec<String>), Problem> {
    let refuse = |text: &str| Err(Problem::new("", text));
    let spec = constraint::read(given)?;
    let mut differences = Vec::new();
    let actions = spec.actions()?;
    let Some(action) = actions.get(constraint::WEBHOOK).copied() else {
        return refuse("it is not enforced at admission");
    };
    if actions.values().any(|other| *other != action) {
        differences.push("its actions for audit and command line are left out".to_owned());
    }
    if template.reads_namespace() {
        return refuse("its Rego reads `namespaceObject`; native policies have `input.namespace`");
    }
    let own = spec.matches.clone().unwrap_or_default();
    if own.source == Origin::Generated {
        return refuse("it is for generated objects only; a native policy that expands judges both");
    }
    let expansions: Vec<&Expansion> = settings
        .expansions()
        .iter()
        .filter(|it| own.kind_fits(it.generated.kind()) && own.source != Origin::Original)
        .collect();
    let to_pods = |it: &Expansion| it.generated.group.is_empty() && it.generated.kind == "Pod";
    if !expansions.iter().copied().all(to_pods) {
        differences.push("what expands to other kinds than Pods is not judged".to_owned());
    }
    if expansions.iter().any(|it| it.action.is_some_and(|other| other != action)) {
        differences.push("the action of its ExpansionTemplate is left out".to_owned());
    }
    let rego = rego(given, template, &spec, settings).map_err(|text| Problem::new("", text))?;
    let policy = PolicySpec {
        source: Source { rego: Some(rego), ..Source::default() },
        matches: matches(&own, template, settings).map_err(|text| Problem::new("/spec/match", text))?,
        expand: expansions.iter().copied().any(to_pods).then_some(true),
        templates: Vec::new(),
        parameters: Some(spec.parameters()?).filter(|parameters| !parameters.is_empty()),
        action,
        action_overrides: Vec::new(),
        on_error: OnError::Deny,
        existing: Existing::Deny,
        mutate: Mutate::default(),
    };
    Ok((policy, differences))
}

/// One module with its METADATA.
fn rego(given: &Given, template: &Template, spec: &Spec, settings: &Settings) -> Result<String, String> {
    if template.modules.iter().any(|module| module.text.contains("external_data")) {
        return Err("its Rego asks a provider, for which native policies have no equal; `--policies` reads it as it is".into());
    }
    let parts = inline::single_module(template)?;
    let closed = template.schema.as_ref().map(schema::closed);
    let takes = closed.is_some() || spec.parameters.is_some();
    let text = |value: &str, other: &str| json!(if value.is_empty() { other } else { value });
    let title = text(&template.title, &template.kind);
    let description =
        text(&template.description.replace('\n', " "), &format!("Imported from {}.", given.id()));
    let mut lines = vec![
        "METADATA".to_owned(),
        "scope: package".to_owned(),
        format!("title: {title}"),
        format!("description: {description}"),
        "custom:".to_owned(),
        "  category: imported".to_owned(),
        "  remedy: \"\"".to_owned(),
        "  lenientBuiltins: true".to_owned(),
    ];
    if takes {
        lines.push(format!("  parameters: {}", closed.unwrap_or_else(|| json!({"type": "object"}))));
    }
    if template.reads_inventory() {
        let kinds: Vec<Json> = settings.inventory().iter().map(inventory_kind).collect();
        lines.push(format!("  inventory: {}", Json::Array(kinds)));
    }
    let mut out = format!("# {}\npackage {}\n\n", lines.join("\n# "), parts.package);
    for import in &parts.imports {
        out.push_str(import);
        out.push('\n');
    }
    if !parts.imports.is_empty() {
        out.push('\n');
    }
    out.push_str(&parts.rules);
    out.push('\n');
    Ok(out)
}

fn inventory_kind(kind: &InventoryKind) -> Json {
    json!({"group": kind.group, "version": kind.version, "kind": kind.kind, "scope": "cluster"})
}

/// Kinds as resources, by the rule that API machinery guesses plurals with.
fn matches(own: &ConstraintMatch, template: &Template, settings: &Settings) -> Result<Match, String> {
    if own.name.contains('*') {
        return Err(format!("`match.name` `{}` has a wildcard", own.name));
    }
    let operations = match template.operations.as_slice() {
        [] => vec!["CREATE".to_owned(), "UPDATE".to_owned()],
        named => named.to_vec(),
    };
    let scope = match own.scope.as_str() {
        "Cluster" => Some(Scope::Cluster),
        "Namespaced" => Some(Scope::Namespaced),
        _ => None,
    };
    let all = || vec!["*".to_owned()];
    let rule = |groups: Vec<String>, resources: Vec<String>| ResourceRule {
        api_groups: if groups.is_empty() { all() } else { groups },
        api_versions: all(),
        resources,
        operations: operations.clone(),
        resource_names: Some(own.name.clone()).filter(|name| !name.is_empty()).into_iter().collect(),
        scope,
    };
    let mut rules: Vec<ResourceRule> = own
        .kinds
        .iter()
        .map(|kinds| {
            let open = kinds.kinds.is_empty() || kinds.kinds.iter().any(|kind| kind == "*");
            let mut resources = if open { all() } else { Vec::new() };
            for kind in kinds.kinds.iter().filter(|_| !open) {
                resources.push(crate::expansion::plural(kind));
                if kind == "Pod" {
                    resources.push("pods/ephemeralcontainers".to_owned());
                }
            }
            rule(kinds.api_groups.clone(), resources)
        })
        .collect();
    if rules.is_empty() {
        rules.push(rule(all(), all()));
    }
    let mut exclude_namespaces = own.excluded_namespaces.clone();
    exclude_namespaces.extend(settings.excluded_at_admission());
    exclude_namespaces.sort();
    exclude_namespaces.dedup();
    Ok(Match {
        resource_rules: rules,
        exclude_resource_rules: Vec::new(),
        namespace_selector: own.namespace_selector.clone(),
        object_selector: own.label_selector.clone(),
        namespaces: own.namespaces.clone(),
        exclude_namespaces,
        subjects: None,
    })
}
