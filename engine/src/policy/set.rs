//! The immutable, fully compiled set of policies that one replica serves from.
//!
//! A policy that cannot load is reported and answers as its `onError` says; it never keeps its neighbours from loading.

use super::compiled::{BrokenPolicy, CompiledPolicy, Sourced};
use super::exception::Exception;
use super::library::Library;
use super::metadata;
use super::spec::{PolicyExceptionSpec, PolicySpec, Source};
use crate::decide::memo::{Memo, MemoCounts};
use crate::expansion::WORKLOADS;
use crate::gatekeeper;
use crate::matching::index::Index;
use crate::rego::{LoadError, Module, Program};
use crate::request::{GroupVersionKind, Operation, Request};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the server's configuration, and no tenant, says.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct SetConfig {
    /// Namespaces that no policy judges, by exact name.
    pub exempt_namespaces: Vec<String>,
    /// Prefix of the page about a policy; its id is appended. Empty: findings name no page.
    pub docs_url: String,
    /// `defaults` and `exemptions` (as in upstream's `PodSecurityConfiguration`) for policies that follow namespace
    /// labels.
    pub pod_security: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A policy or exception that could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadFailure {
    /// The name of the object.
    pub policy: String,
    /// The file, or `cluster`.
    pub from: String,
    /// Everything that is wrong with it.
    pub errors: Vec<LoadError>,
}

/// Collects policies and exceptions, then compiles them together.
#[derive(Debug)]
pub struct PolicySetBuilder {
    library: Arc<Library>,
    config: SetConfig,
    policies: BTreeMap<String, Pending>,
    exceptions: BTreeMap<String, (PolicyExceptionSpec, String)>,
    gatekeeper: Vec<gatekeeper::Given>,
    observe: bool,
    traced: bool,
    failures: Vec<LoadFailure>,
}

#[derive(Debug)]
struct Pending {
    spec: PolicySpec,
    from: String,
    files: Option<PolicyFiles>,
}

/// The Rego of a policy whose source is a folder: read by the caller, because the engine reads no files.
#[derive(Clone, Debug)]
pub struct PolicyFiles {
    /// `category/policy`, as the folders say.
    pub id: String,
    /// The policy's own module first.
    pub modules: Vec<Module>,
    /// The same, compiled by [`compile`](super::compiled::compile) with all that they import; `None`: it is
    /// compiled when the set is built.
    pub program: Option<Arc<Program>>,
}

impl PolicySetBuilder {
    /// An empty set over a library.
    pub fn new(library: Arc<Library>, config: SetConfig) -> Self {
        Self {
            library,
            config,
            policies: BTreeMap::new(),
            exceptions: BTreeMap::new(),
            gatekeeper: Vec::new(),
            observe: false,
            traced: false,
            failures: Vec::new(),
        }
    }

    /// Adds a Policy object. `from` is shown in messages; `files` is its Rego where the source is a folder. Two
    /// objects of one name are a failure, and the first stays.
    pub fn policy(&mut self, name: &str, spec: PolicySpec, from: &str, files: Option<PolicyFiles>) {
        if let Some(first) = self.policies.get(name) {
            let message = format!("a policy named `{name}` comes from {} already", first.from);
            return self.failure(name, from, LoadError::whole(from, message));
        }
        self.policies.insert(name.to_owned(), Pending { spec, from: from.to_owned(), files });
    }

    /// As [`Self::policy`], but what came by that name before steps aside.
    pub fn instead(&mut self, name: &str, spec: PolicySpec, from: &str, files: Option<PolicyFiles>) {
        self.policies.insert(name.to_owned(), Pending { spec, from: from.to_owned(), files });
    }

    /// The library that the sources of policies name.
    pub fn library(&self) -> &Arc<Library> {
        &self.library
    }

    /// Adds a PolicyException object.
    pub fn exception(&mut self, name: &str, spec: PolicyExceptionSpec, from: &str) {
        self.exceptions.insert(name.to_owned(), (spec, from.to_owned()));
    }

    /// Adds an object of Gatekeeper's.
    pub fn gatekeeper(&mut self, object: gatekeeper::Given) {
        self.gatekeeper.push(object);
    }

    /// Has every constraint only record what it finds.
    pub fn observing_constraints(&mut self) {
        self.observe = true;
    }

    /// Has every policy able to tell what it does: see [`explain`](crate::explain). It decides as it does without, and
    /// takes more time and memory.
    pub fn traced(&mut self) {
        self.traced = true;
    }

    /// Records something that could not even be read, so that it is reported with the set.
    pub fn failure(&mut self, name: &str, from: &str, error: LoadError) {
        self.failures.push(LoadFailure {
            policy: name.to_owned(),
            from: from.to_owned(),
            errors: vec![error],
        });
    }

    /// Compiles everything that compiles.
    pub fn build(self) -> PolicySet {
        let Self { library, config, policies, exceptions, mut gatekeeper, observe, traced, mut failures } =
            self;
        let mut digest = Digest::new(&config);
        let mut compiled = Vec::new();
        let mut broken = Vec::new();
        for (name, pending) in policies {
            let Pending { mut spec, from, files } = pending;
            let sourced = sourced(&library, &name, &spec.source, files)
                .map_err(|message| vec![LoadError::whole(&from, message)]);
            if let Ok(Sourced { metadata: Ok(metadata), .. }) = &sourced {
                spec.complete(&metadata.custom);
            }
            let sourced = sourced.map(|sourced| Sourced { traced, ..sourced });
            let loaded = sourced.and_then(|it| load(&config, &mut digest, &name, &spec, &from, it));
            match loaded {
                Ok(policy) => compiled.push(Arc::new(policy)),
                Err(errors) => {
                    broken.extend(broken_policy(&name, spec, &errors));
                    failures.push(LoadFailure { policy: name, from, errors });
                }
            }
        }
        // The order in which objects are met must not matter, nor for the digest.
        gatekeeper.sort_by_cached_key(|given| (given.group().to_owned(), given.id()));
        for given in &gatekeeper {
            digest.add("gatekeeper", &given.id(), &given.object.get("spec"));
        }
        digest.add("observe", "", &observe);
        let loaded = gatekeeper::load(&gatekeeper, observe, traced);
        compiled.extend(loaded.policies.into_iter().map(|mut policy| {
            policy.fingerprint = constraint_fingerprint(&policy, &gatekeeper, observe);
            Arc::new(policy)
        }));
        failures.extend(loaded.failures);
        let mut checked = Vec::new();
        for (name, (spec, from)) in exceptions {
            digest.add("exception", &name, &spec);
            match Exception::new(name.clone(), spec) {
                Ok(exception) => checked.push(exception),
                Err(problem) => {
                    failures.push(LoadFailure {
                        policy: name,
                        errors: vec![LoadError::whole(&from, problem)],
                        from,
                    });
                }
            }
        }
        let alike = alike(&compiled);
        for ((ordinal, policy), like) in (0..).zip(&mut compiled).zip(alike) {
            if let Some(policy) = Arc::get_mut(policy) {
                (policy.ordinal, policy.like) = (ordinal, like);
            }
        }
        let index = index(&compiled, &loaded.settings);
        let ground = ground(&config, &compiled, &gatekeeper);
        let broken_index = spec_index(broken.iter().map(|policy| &policy.spec));
        PolicySet {
            policies: compiled,
            broken,
            broken_index,
            exceptions: checked,
            index,
            config,
            gatekeeper: loaded.settings,
            failures,
            digest: digest.finish(),
            ground,
            memo: Memo::default(),
        }
    }
}

fn sourced(
    library: &Library,
    name: &str,
    source: &Source,
    files: Option<PolicyFiles>,
) -> Result<Sourced, String> {
    let (id, modules, program) = match (&source.library, &source.rego, &source.path, files) {
        (Some(id), None, None, _) => {
            let module = library.policy(id).ok_or_else(|| {
                format!("the library has no policy `{id}`; its policies are named like `images/latest-tag`, see `policies/`")
            })?;
            (id.clone(), vec![module], None)
        }
        (None, Some(text), None, _) => {
            (name.to_owned(), vec![Module { path: format!("{name}.rego"), text: text.clone() }], None)
        }
        (None, None, Some(_), Some(files)) => (files.id, files.modules, files.program),
        (None, None, Some(path), None) => {
            return Err(format!("`source.path` `{path}` works in files only; use `library` or `rego`"));
        }
        _ => return Err("`source` needs exactly one of `library`, `rego` and `path`".into()),
    };
    let main = modules.first().ok_or("the policy has no Rego")?;
    let metadata = metadata::read(main);
    let modules = if program.is_some() { modules } else { library.with_imports(modules) };
    Ok(Sourced { id, metadata, modules, program, traced: false })
}

fn load(
    config: &SetConfig,
    digest: &mut Digest,
    name: &str,
    spec: &PolicySpec,
    from: &str,
    sourced: Sourced,
) -> Result<CompiledPolicy, Vec<LoadError>> {
    let mut own = Digest::new(config);
    for digest in [digest, &mut own] {
        digest.add("policy", name, spec);
        for module in &sourced.modules {
            digest.add("module", &module.path, &module.text);
        }
    }
    // METADATA that cannot be read could have named them: its own error is reported instead.
    if sourced.metadata.is_ok() || !spec.matches.resource_rules.is_empty() {
        check_rules(spec).map_err(|message| vec![LoadError::whole(from, message)])?;
    }
    let mut parameters = spec.parameters.clone().unwrap_or_default();
    if let (Some(server), Some(true)) =
        (&config.pod_security, parameters.get("namespaceLabels").and_then(serde_json::Value::as_bool))
    {
        parameters.extend(server.clone());
    }
    let mut loaded =
        CompiledPolicy::load(name.to_owned(), from.to_owned(), spec.clone(), sourced, &parameters)?;
    loaded.fingerprint = own.number();
    Ok(loaded)
}

/// What a constraint is made of: itself, and its template.
fn constraint_fingerprint(policy: &CompiledPolicy, gatekeeper: &[gatekeeper::Given], observe: bool) -> u128 {
    let mut own = Digest::new(&SetConfig::default());
    own.add("observe", "", &observe);
    let kind = policy.constraint.as_ref().map(|constraint| constraint.kind.as_str());
    for given in gatekeeper {
        let templates = given.object.pointer("/spec/crd/spec/names/kind").and_then(|kind| kind.as_str());
        if given.id() == policy.name || (templates.is_some() && templates == kind) {
            own.add("gatekeeper", &given.id(), &given.object.get("spec"));
        }
    }
    own.number()
}

/// What every policy of a set is judged by besides itself.
fn ground(config: &SetConfig, policies: &[Arc<CompiledPolicy>], gatekeeper: &[gatekeeper::Given]) -> u128 {
    let mut digest = Digest::new(config);
    for policy in policies.iter().filter(|policy| policy.mutates() || !policy.spec.templates.is_empty()) {
        digest.add("policy", &policy.name, &policy.fingerprint.to_string());
    }
    let is_setting = |given: &&gatekeeper::Given| {
        !matches!(given.group(), "templates.gatekeeper.sh" | "constraints.gatekeeper.sh")
    };
    for given in gatekeeper.iter().filter(is_setting) {
        digest.add("gatekeeper", &given.id(), &given.object.get("spec"));
    }
    digest.number()
}

/// Rules that could never match are mistakes, not policies.
fn check_rules(spec: &PolicySpec) -> Result<(), String> {
    if spec.matches.resource_rules.is_empty() {
        return Err("nothing says what it judges; name resources and operations in `match.resourceRules` of the Policy, or under `custom` of the policy's METADATA".into());
    }
    for (index, rule) in spec.matches.resource_rules.iter().enumerate() {
        for (field, list) in [
            ("apiGroups", &rule.api_groups),
            ("apiVersions", &rule.api_versions),
            ("resources", &rule.resources),
            ("operations", &rule.operations),
        ] {
            if list.is_empty() {
                return Err(format!(
                    "`match.resourceRules[{index}].{field}` is empty; the rule would never match"
                ));
            }
        }
        if let Some(unknown) =
            rule.operations.iter().find(|item| *item != "*" && Operation::parse(item).is_none())
        {
            return Err(format!(
                "`match.resourceRules[{index}].operations` has `{unknown}`; must be CREATE, UPDATE, DELETE, CONNECT or *"
            ));
        }
    }
    Ok(())
}

/// What is known of a policy that could not be loaded; `None` if its rules say nothing that could match.
fn broken_policy(name: &str, spec: PolicySpec, errors: &[LoadError]) -> Option<BrokenPolicy> {
    check_rules(&spec).ok()?;
    let first = errors.first()?;
    let place =
        if first.line == 0 { String::new() } else { format!(" (`{}` line {})", first.file, first.line) };
    let problem = format!("it could not be loaded: {}{place}", first.message);
    let id = spec.source.library.clone().unwrap_or_else(|| name.to_owned());
    Some(BrokenPolicy { name: name.to_owned(), id, spec, problem })
}

/// For each policy the place of the first with the same `match`.
fn alike(policies: &[Arc<CompiledPolicy>]) -> Vec<u32> {
    let mut known: BTreeMap<String, u32> = BTreeMap::new();
    let place = |(ordinal, policy): (u32, &Arc<CompiledPolicy>)| {
        // As it would be written: that says all that it is.
        let written = serde_json::to_string(&policy.spec.matches).unwrap_or_else(|_| policy.name.clone());
        *known.entry(written).or_insert(ordinal)
    };
    (0..).zip(policies).map(place).collect()
}

fn index(policies: &[Arc<CompiledPolicy>], settings: &gatekeeper::Settings) -> Index {
    let mut index = Index::default();
    for (position, policy) in policies.iter().enumerate() {
        match &policy.constraint {
            Some(constraint) => {
                index.add_kinds(position, constraint);
                let fits = |kind: GroupVersionKind<'_>| constraint.concerns(kind);
                for (group, kind) in settings.bases_of(&fits) {
                    index.add_kind(position, group, kind);
                }
            }
            None => add_spec(&mut index, position, &policy.spec),
        }
    }
    index
}

fn spec_index<'s>(specs: impl Iterator<Item = &'s PolicySpec>) -> Index {
    let mut index = Index::default();
    for (position, spec) in specs.enumerate() {
        add_spec(&mut index, position, spec);
    }
    index
}

fn add_spec(index: &mut Index, position: usize, spec: &PolicySpec) {
    for rule in &spec.matches.resource_rules {
        index.add(position, rule);
        let names_pods = rule.resources.iter().any(|item| matches!(item.as_str(), "pods" | "*" | "*/*"))
            && rule.api_groups.iter().any(|group| group.is_empty() || group == "*");
        if spec.expands() && names_pods {
            for operation in [Operation::Create, Operation::Update] {
                for workload in WORKLOADS {
                    index.add_resource(position, operation, workload.group, workload.resource);
                }
                for template in &spec.templates {
                    index.add_resource(position, operation, &template.api_group, &template.resource);
                }
            }
        }
    }
}

/// What a replica serves from.
#[derive(Debug)]
pub struct PolicySet {
    policies: Vec<Arc<CompiledPolicy>>,
    broken: Vec<BrokenPolicy>,
    broken_index: Index,
    exceptions: Vec<Exception>,
    index: Index,
    config: SetConfig,
    gatekeeper: gatekeeper::Settings,
    failures: Vec<LoadFailure>,
    digest: String,
    ground: u128,
    pub(crate) memo: Memo,
}

impl PolicySet {
    /// How often a request's policies were known to find nothing, and how often they were not.
    pub fn memo_counts(&self) -> MemoCounts {
        self.memo.counts()
    }

    /// Forgets all requests: the next of each kind is evaluated in full.
    pub fn forget(&self) {
        self.memo.forget();
    }

    /// The content hash: equal digests decide alike.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// A hash of everything but a policy itself and exceptions that what it finds hangs on: configuration, policies that
    /// mutate, Gatekeeper's settings.
    pub fn ground(&self) -> u128 {
        self.ground
    }

    /// What could not be loaded.
    pub fn failures(&self) -> &[LoadFailure] {
        &self.failures
    }

    /// The policies, by name.
    pub fn policies(&self) -> impl ExactSizeIterator<Item = &CompiledPolicy> {
        self.policies.iter().map(AsRef::as_ref)
    }

    /// Policies that could not be loaded and answer for it, by name.
    pub fn broken(&self) -> &[BrokenPolicy] {
        &self.broken
    }

    /// The exceptions, expired ones included.
    pub fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// The server's configuration.
    pub fn config(&self) -> &SetConfig {
        &self.config
    }

    /// What holds for all constraints of Gatekeeper's.
    pub fn gatekeeper(&self) -> &gatekeeper::Settings {
        &self.gatekeeper
    }

    /// The policies that could be about a request; the exact rules are checked later.
    pub(crate) fn candidates(&self, request: &Request<'_>) -> Vec<&CompiledPolicy> {
        let positions = self.index.candidates(request.operation, request.resource, request.kind);
        positions.into_iter().filter_map(|at| self.policies.get(at)).map(AsRef::as_ref).collect()
    }

    /// The policies that could not be loaded and could have been about a request.
    pub(crate) fn broken_candidates(&self, request: &Request<'_>) -> Vec<&BrokenPolicy> {
        let positions = self.broken_index.candidates(request.operation, request.resource, request.kind);
        positions.into_iter().filter_map(|at| self.broken.get(at)).collect()
    }
}

struct Digest(blake3::Hasher);

impl Digest {
    fn new(config: &SetConfig) -> Self {
        let mut digest = Self(blake3::Hasher::new());
        digest.add("config", "", config);
        digest
    }

    fn add(&mut self, what: &str, name: &str, content: &impl serde::Serialize) {
        // These are our own types with string keys: serialisation cannot fail.
        let content = serde_json::to_vec(content).unwrap_or_default();
        for part in [what.as_bytes(), name.as_bytes(), &content] {
            self.0.update(&(part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }

    fn number(&self) -> u128 {
        let hash = self.0.finalize();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
        u128::from_le_bytes(bytes)
    }

    fn finish(&self) -> String {
        self.0.finalize().to_hex().chars().take(16).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const PODS: &str = "#   match: {resourceRules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]}\n#   expand: true\n";

    fn rego(applies: &str) -> String {
        format!(
            "# METADATA\n# custom:\n#   remedy: Mend it.\n{applies}package a\n\ndeny contains \"no\" if {{ true }}\n"
        )
    }

    /// A set of one policy: METADATA's words, and the object's.
    fn set(applies: &str, more: Value) -> PolicySet {
        let mut spec = json!({"source": {"rego": rego(applies)}});
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut builder = PolicySetBuilder::new(Arc::new(Library::default()), SetConfig::default());
        builder.policy("p", serde_json::from_value(spec).unwrap(), "test", None);
        builder.build()
    }

    fn only(set: &PolicySet) -> &PolicySpec {
        assert!(set.failures().is_empty(), "{:?}", set.failures());
        &set.policies().next().unwrap().spec
    }

    #[test]
    fn what_a_policy_judges_is_what_its_metadata_says() {
        let set = set(PODS, json!({}));
        let spec = only(&set);
        assert_eq!(spec.matches.resource_rules[0].resources, ["pods"]);
        assert!(spec.expands());
    }

    #[test]
    fn what_the_object_says_goes_first() {
        let rules = json!([{"apiGroups": [""], "resources": ["services"], "operations": ["UPDATE"]}]);
        let own = set(PODS, json!({"match": {"resourceRules": rules}}));
        assert_eq!(only(&own).matches.resource_rules[0].resources, ["services"]);
        assert!(!only(&own).expands(), "`expand` belongs to the rules");
        assert!(!only(&set(PODS, json!({"expand": false}))).expands());
        let narrowed = set(PODS, json!({"match": {"excludeNamespaces": ["kube-*"]}}));
        assert_eq!(only(&narrowed).matches.resource_rules[0].resources, ["pods"]);
        assert_eq!(only(&narrowed).matches.exclude_namespaces, ["kube-*"]);
    }

    #[test]
    fn a_policy_of_which_nobody_says_what_it_judges_is_refused() {
        let failures = set("", json!({})).failures;
        assert!(
            failures[0].errors[0].message.starts_with("nothing says what it judges; name"),
            "{failures:?}"
        );
        let unknown = set("#   match: {resources: []}\n", json!({})).failures;
        assert!(unknown[0].errors[0].message.contains("unknown field `resources`"), "{unknown:?}");
        let empty: Result<PolicySpec, _> =
            serde_json::from_value(json!({"source": {"library": "a/b"}, "match": {"resourceRules": []}}));
        assert!(empty.unwrap_err().to_string().starts_with("`resourceRules` is empty; name resources"));
    }

    #[test]
    fn a_policy_that_cannot_be_loaded_answers_for_what_its_metadata_names() {
        let mut spec = json!({"source": {"rego": rego(PODS).replace("true }", "nowhere }")}});
        spec["parameters"] = json!({});
        let mut builder = PolicySetBuilder::new(Arc::new(Library::default()), SetConfig::default());
        builder.policy("p", serde_json::from_value(spec).unwrap(), "test", None);
        let set = builder.build();
        assert_eq!(set.failures().len(), 1);
        assert_eq!(set.broken()[0].spec.matches.resource_rules[0].resources, ["pods"]);
    }
}
