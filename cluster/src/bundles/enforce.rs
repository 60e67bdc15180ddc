//! From what is stored of bundles to policies of a set: a pure function of objects and archives.

use super::Bundled;
use crate::policies::ItemReport;
use std::collections::BTreeMap;
use std::sync::Arc;
use wayguard_engine::PolicySetBuilder;
use wayguard_engine::policy::choice::{Choice, Chosen};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::set::PolicyFiles;
use wayguard_engine::policy::spec::PolicySpec;
use wayguard_engine::rego::LoadError;

/// How messages name a bundle of the cluster.
pub(crate) fn from(name: &str) -> String {
    format!("PolicyBundle {name}")
}

/// Adds what the bundles have in force. A policy that files or the program's own bundles have by the same name steps
/// aside; of two bundles the first by name stays, unless both mean the same.
pub(crate) fn add(
    builder: &mut PolicySetBuilder,
    bundles: &[Bundled],
    adapt: &dyn Fn(PolicySpec) -> PolicySpec,
) {
    let built_in = Arc::clone(builder.library());
    let mut placed: BTreeMap<String, Placed> = BTreeMap::new();
    for bundle in bundles {
        let from = from(&bundle.name);
        if let Some(problem) = &bundle.problem {
            builder.failure(&bundle.name, &from, LoadError::whole(&from, problem));
        }
        let (Some(spec), Some(stored)) = (&bundle.spec, &bundle.stored) else { continue };
        let place = |path: &str| format!("{from}: {path}");
        let choice = Choice::new(&built_in, &stored.library, &place);
        for name in &spec.enforce {
            let chosen = match choice.named(name) {
                Some(Ok(chosen)) => chosen,
                Some(Err(problem)) => {
                    builder.failure(&bundle.name, &from, LoadError::whole(&from, problem));
                    continue;
                }
                None => {
                    let problem = unknown(name, &stored.library);
                    builder.failure(&bundle.name, &from, LoadError::whole(&from, problem));
                    continue;
                }
            };
            for Chosen { name, spec, files } in chosen {
                let new = Placed { spec: adapt(spec), files, by: from.clone() };
                match placed.get(&name) {
                    None => {
                        builder.instead(&name, new.spec.clone(), &from, new.files.clone());
                        placed.insert(name, new);
                    }
                    Some(old) if old.means_the_same(&new) => {}
                    Some(old) => {
                        let problem = format!(
                            "policy `{name}` is one thing here and another in {}; that one is in force. Name one Bundle that inherits both",
                            old.by
                        );
                        builder.failure(&bundle.name, &from, LoadError::whole(&from, problem));
                    }
                }
            }
        }
    }
}

struct Placed {
    spec: PolicySpec,
    files: Option<PolicyFiles>,
    by: String,
}

impl Placed {
    fn means_the_same(&self, other: &Self) -> bool {
        let texts = |placed: &Self| -> Option<Vec<String>> {
            placed
                .files
                .as_ref()
                .map(|files| files.modules.iter().map(|module| module.text.clone()).collect())
        };
        self.spec == other.spec && texts(self) == texts(other)
    }
}

fn unknown(name: &str, library: &Library) -> String {
    let shown = |mut names: Vec<String>| {
        names.truncate(20);
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    format!(
        "`enforce` names `{name}`, which is neither a Bundle nor a policy of it, nor built in; its Bundles: {}; its policies: {}",
        shown(library.bundles()),
        shown(library.policy_ids())
    )
}

/// A Policy object, whose source may be a policy of a bundle.
pub(crate) fn chosen(bundles: &[Bundled], built_in: &Library, name: String, spec: PolicySpec) -> Chosen {
    let has = |bundle: &&Bundled| {
        let id = spec.source.library.as_ref();
        id.is_some_and(|id| bundle.stored.as_ref().is_some_and(|stored| stored.library.policy(id).is_some()))
    };
    let Some((bundle, stored)) =
        bundles.iter().find(has).and_then(|bundle| Some((bundle, bundle.stored.as_ref()?)))
    else {
        return Chosen { name, spec, files: None };
    };
    let place = |path: &str| format!("{}: {path}", from(&bundle.name));
    Choice::new(built_in, &stored.library, &place).chosen(name, spec)
}

/// What is told about each bundle, of the set that was made.
pub(crate) fn report(set: &wayguard_engine::PolicySet, bundle: &Bundled) -> ItemReport {
    let from = from(&bundle.name);
    let failed = set.failures().iter().filter(|failure| failure.from == from);
    let errors: Vec<String> = failed
        .flat_map(|failure| {
            let about =
                if failure.policy == bundle.name { String::new() } else { format!("{}: ", failure.policy) };
            failure.errors.iter().map(move |error| format!("{about}{error}"))
        })
        .collect();
    let loaded = errors.is_empty() && bundle.is_current();
    ItemReport { name: bundle.name.clone(), generation: bundle.generation, loaded, errors }
}
