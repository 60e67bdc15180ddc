//! What the files hold: claims and Namespaces to plan for, Namespaces and objects that are there, classes.

use super::Args;
use crate::exit::Failure;
use crate::input::{FoundObject, collect, objects};
use crate::output::Output;
use crate::policies::Disk;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use wayguard_cluster::kinds::provisioning::ClaimClassSpec;
use wayguard_cluster::objects::Target;
use wayguard_engine::policy::library::Library;
use wayguard_provisioning::controller::NAMESPACE_LABEL;
use wayguard_provisioning::{OBJECT_LABEL, Plan, Trigger, shipped};

/// Something to plan for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) object: Value,
    pub(super) target: Target,
    pub(super) file: String,
    pub(super) line: usize,
}

/// Everything that was read.
pub(super) struct Gathered {
    pub(super) wanted: Vec<Wanted>,
    /// By name.
    pub(super) namespaces: BTreeMap<String, Value>,
    pub(super) classes: BTreeMap<String, ClaimClassSpec>,
    /// The names of classes that the files hold: they count before those of a cluster.
    pub(super) own_classes: Vec<String>,
    pub(super) library: Library,
    observed: Vec<Arc<Value>>,
}

impl Wanted {
    pub(super) fn trigger(&self) -> Trigger<'_> {
        if self.is_claim() { Trigger::Claim(&self.object) } else { Trigger::Namespace(&self.object) }
    }

    pub(super) fn is_claim(&self) -> bool {
        self.target.kind == "PlatformClaim"
    }

    /// The name of the Namespace that it is in, or is.
    pub(super) fn namespace(&self) -> &str {
        if self.is_claim() { &self.target.namespace } else { &self.target.name }
    }
}

impl Gathered {
    /// Reads all files.
    ///
    /// # Errors
    /// What cannot be read, and that there is nothing to plan for.
    pub(super) fn read(args: &Args, out: &mut Output) -> Result<Self, Failure> {
        let mut library = Library::embedded().as_ref().clone();
        for folder in &args.policies {
            if !folder.join("provision").is_dir() {
                return Err(Failure::Invalid(format!(
                    "`{}` has no folder `provision`; classes lie in provision/NAME/class.rego and class.yaml",
                    folder.display()
                )));
            }
            library = library.overlaid(&Disk::default().library_with_samples(folder)?);
        }
        let built_in = shipped(&library).map_err(Failure::Invalid)?;
        let mut gathered = Self {
            wanted: Vec::new(),
            namespaces: BTreeMap::new(),
            classes: built_in.into_iter().map(|(name, spec, _)| (name, spec)).collect(),
            own_classes: Vec::new(),
            library,
            observed: Vec::new(),
        };
        for found in read(&args.namespace, out)? {
            let object = found.value().to_serde();
            let target = Target::of(&object);
            if target.kind == "Namespace" {
                gathered.namespaces.insert(target.name, object);
            }
        }
        for found in read(&args.observed, out)? {
            gathered.observed.push(Arc::new(found.value().to_serde()));
        }
        for found in read(&args.files, out)? {
            gathered.add(&found, args)?;
        }
        if gathered.wanted.is_empty() {
            return Err(Failure::Invalid(format!(
                "there is no PlatformClaim and no Namespace with the label `{}: {}` in what was named",
                NAMESPACE_LABEL.0, NAMESPACE_LABEL.1
            )));
        }
        gathered.place_claims();
        Ok(gathered)
    }

    fn add(&mut self, found: &FoundObject, args: &Args) -> Result<(), Failure> {
        let mut object = found.value().to_serde();
        let target = Target::of(&object);
        let wanted =
            |object: Value, target| Wanted { object, target, file: found.file.to_string(), line: found.line };
        match (target.group(), target.kind.as_str()) {
            ("wayguard.io", "PlatformClaim") => {
                if let (Some(class), Some(Value::Object(spec))) = (&args.class, object.get_mut("spec")) {
                    spec.insert("class".to_owned(), class.as_str().into());
                }
                self.wanted.push(wanted(object, target));
            }
            ("wayguard.io", "ClaimClass") => {
                let spec = object.get("spec").cloned().unwrap_or_default();
                let spec = serde_json::from_value(spec).map_err(|error| {
                    Failure::Invalid(format!(
                        "{}:{}: the class cannot be read: {error}",
                        found.file, found.line
                    ))
                })?;
                self.own_classes.push(target.name.clone());
                self.classes.insert(target.name, spec);
            }
            ("", "Namespace") => {
                let label = object.pointer(&format!("/metadata/labels/{}", NAMESPACE_LABEL.0));
                let ours = label.and_then(Value::as_str) == Some(NAMESPACE_LABEL.1);
                self.namespaces.insert(target.name.clone(), object.clone());
                if ours {
                    self.wanted.push(wanted(object, target));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A claim that names no namespace is in the only one that there is.
    fn place_claims(&mut self) {
        let mut names = self.namespaces.keys();
        let (Some(only), None) = (names.next(), names.next()) else { return };
        for wanted in self.wanted.iter_mut().filter(|it| it.is_claim() && it.target.namespace.is_empty()) {
            wanted.target.namespace.clone_from(only);
            if let Some(Value::Object(metadata)) = wanted.object.get_mut("metadata") {
                metadata.insert("namespace".to_owned(), only.as_str().into());
            }
        }
    }

    /// The Namespace of something.
    ///
    /// # Errors
    /// That nobody has told it.
    pub(super) fn namespace_of(&self, wanted: &Wanted) -> Result<&Value, Failure> {
        let name = wanted.namespace();
        self.namespaces.get(name).ok_or_else(|| {
            let what = if name.is_empty() {
                "it names no namespace, and there is not exactly one among the files".to_owned()
            } else {
                format!("the Namespace `{name}` is not among the files")
            };
            Failure::Invalid(format!(
                "{}:{}: {what}; its labels decide what the claim gets: give it by `--namespace FILE`, or ask a cluster by `--cluster`",
                wanted.file, wanted.line
            ))
        })
    }

    /// What of a plan is there already, by what `--observed` says.
    pub(super) fn observed_of(&self, plan: &Plan) -> BTreeMap<String, Arc<Value>> {
        let same = |planned: &Value, object: &Value| {
            let (one, other) = (Target::of(planned), Target::of(object));
            one.group() == other.group() && one.kind == other.kind && one.name == other.name
        };
        let labelled = |object: &Value| {
            object.get("metadata")?.get("labels")?.get(OBJECT_LABEL)?.as_str().map(ToOwned::to_owned)
        };
        let planned =
            |object: &Value| plan.objects.iter().find(|it| same(&it.object, object)).map(|it| it.id.clone());
        self.observed
            .iter()
            .filter_map(|object| Some((planned(object).or_else(|| labelled(object))?, Arc::clone(object))))
            .collect()
    }
}

/// All objects of files and folders.
fn read(paths: &[PathBuf], out: &mut Output) -> Result<Vec<FoundObject>, Failure> {
    let files = collect(paths)?;
    let (found, problems) = objects(&files);
    for problem in problems {
        if problem.fatal {
            return Err(Failure::Invalid(problem.error.to_string()));
        }
        out.note(format_args!(
            "passed over {}",
            problem.error.to_string().lines().next().unwrap_or_default()
        ));
    }
    Ok(found)
}
