//! All classes, and which of them a claim or a Namespace gets.

use crate::class::Class;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use wayguard_cluster::kinds::provisioning::ClaimClassSpec;
use wayguard_engine::policy::library::Library;

/// What is wrong with a class that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name of the `ClaimClass`.
    pub class: String,
    /// One sentence each.
    pub problems: Vec<String>,
}

/// The classes that can be used, and what is wrong with the others.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    classes: Vec<Arc<Class>>,
    problems: Vec<Problem>,
}

impl Catalog {
    /// Loads classes. One that is wrong leaves the others alone; two that would have to be chosen between by a coin toss
    /// are both wrong.
    pub fn load(classes: impl IntoIterator<Item = (String, ClaimClassSpec)>, library: &Library) -> Self {
        let loaded = classes.into_iter().map(|(name, spec)| (Class::load(&name, spec, library), name));
        let (mut ready, mut problems) = (Vec::new(), Vec::new());
        for (outcome, name) in loaded {
            match outcome {
                Ok(class) => ready.push(Arc::new(class)),
                Err(found) => problems.push(Problem { class: name, problems: found }),
            }
        }
        let tied: Vec<Problem> = ready
            .iter()
            .filter_map(|class: &Arc<Class>| {
                let other = ready.iter().find(|other| other.name != class.name && class.ties_with(other))?;
                let text = format!(
                    "`{}` is offered for the same type `{}`, class `{}` and namespaces, and says as much about them; one must say more in `match`",
                    other.name,
                    class.spec.claim_type,
                    class.spec.class_name()
                );
                Some(Problem { class: class.name.clone(), problems: vec![text] })
            })
            .collect();
        ready.retain(|class| !tied.iter().any(|problem| problem.class == class.name));
        problems.extend(tied);
        Self { classes: ready, problems }
    }

    /// The classes that can be used.
    pub fn classes(&self) -> &[Arc<Class>] {
        &self.classes
    }

    /// What is wrong with the others.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// All kinds (`group/Kind`) that any class may make.
    pub fn kinds(&self) -> BTreeSet<String> {
        self.classes.iter().flat_map(|class| class.allowed().iter().cloned()).collect()
    }

    /// The class for a type and class name in a namespace with these labels: the one that says most about it.
    ///
    /// # Errors
    /// What is offered instead.
    pub(crate) fn choose(
        &self,
        claim_type: &str,
        class: &str,
        namespace: &str,
        labels: &Map<String, Value>,
    ) -> Result<Arc<Class>, String> {
        let here = |class: &&Arc<Class>| class.fits(namespace, labels);
        let of_type: Vec<_> = self.classes.iter().filter(|it| it.spec.claim_type == claim_type).collect();
        let fitting = of_type.iter().copied().filter(here).filter(|it| it.spec.class_name() == class);
        if let Some(best) = fitting.max_by_key(|class| class.specificity()) {
            return Ok(Arc::clone(best));
        }
        let broken = self.problems.iter().map(|problem| format!("`{}`", problem.class)).collect::<Vec<_>>();
        let broken = if broken.is_empty() {
            String::new()
        } else {
            format!(" (classes that cannot be used: {})", broken.join(", "))
        };
        let names = |names: BTreeSet<&str>| {
            names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        };
        if of_type.is_empty() {
            let types = names(
                self.classes
                    .iter()
                    .filter(here)
                    .map(|it| it.spec.claim_type.as_str())
                    .filter(|it| *it != crate::NAMESPACE_TYPE)
                    .collect(),
            );
            return Err(format!("the type `{claim_type}` is not offered; offered are {types}{broken}"));
        }
        let offered: BTreeSet<&str> =
            of_type.iter().copied().filter(here).map(|it| it.spec.class_name()).collect();
        if offered.is_empty() {
            return Err(format!("the type `{claim_type}` is not offered in namespace `{namespace}`{broken}"));
        }
        Err(format!(
            "the class `{class}` of type `{claim_type}` is not offered in namespace `{namespace}`; offered are {}{broken}",
            names(offered)
        ))
    }
}
