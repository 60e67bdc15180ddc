//! What a name stands for — a bundle or a policy — where a library of one's own lies over the one that is built in, and
//! where the Rego of each chosen policy is. Files, shipped bundles and the cluster choose alike.

use super::library::Library;
use super::set::PolicyFiles;
use super::spec::{PolicySpec, Source};

/// The bundle that stands beside the provisioner, and is of no use without it.
pub const SELF_SERVICE: &str = "self-service";
/// Bundles that are used when nothing else is said.
pub const DEFAULT_BUNDLES: [&str; 2] = ["golden-path", "pod-security"];

/// A policy that was chosen.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The name of its object.
    pub name: String,
    /// What it judges; its source is a `path` where `files` are given.
    pub spec: PolicySpec,
    /// Its Rego, if it is not in the built-in library.
    pub files: Option<PolicyFiles>,
}

/// Two libraries: one's own, looked into first, and the one that is built in, whose shared modules and bundles it may
/// use. Policies of the built-in library never see what is one's own.
#[derive(Clone, Copy)]
pub struct Choice<'l> {
    built_in: &'l Library,
    own: &'l Library,
    place: &'l dyn Fn(&str) -> String,
}

impl<'l> Choice<'l> {
    /// `place` tells where a module of one's own is, for messages.
    pub fn new(built_in: &'l Library, own: &'l Library, place: &'l dyn Fn(&str) -> String) -> Self {
        Self { built_in, own, place }
    }

    /// The policies that a name stands for; `None`: it is neither a bundle nor a policy.
    ///
    /// # Errors
    /// If it is a bundle that cannot be put together, in words.
    pub fn named(&self, name: &str) -> Option<Result<Vec<Chosen>, String>> {
        let both = self.built_in.overlaid(self.own);
        if let Some(bundle) = both.bundle(name) {
            return Some(bundle.map(|members| {
                members.into_iter().map(|(policy, spec)| self.chosen(policy, spec)).collect()
            }));
        }
        both.policy(name)?;
        Some(Ok(vec![self.chosen(object_name(name), default_spec(&both, name))]))
    }

    /// A Policy, with its Rego if its source is in one's own library.
    pub fn chosen(&self, name: String, mut spec: PolicySpec) -> Chosen {
        let files = self.files(&spec);
        if let Some(files) = &files {
            spec.source.library = None;
            spec.source.path = Some(files.id.clone());
        }
        Chosen { name, spec, files }
    }

    fn files(&self, spec: &PolicySpec) -> Option<PolicyFiles> {
        let id = spec.source.library.as_ref()?;
        let policy = self.own.policy(id)?;
        let mut modules = self.built_in.overlaid(self.own).with_imports(vec![policy]);
        for module in &mut modules {
            if self.own.files().contains_key(&module.path) {
                module.path = (self.place)(&module.path);
            }
        }
        Some(PolicyFiles { id: id.clone(), modules, program: None })
    }
}

/// The name of the object for a policy that has none of its own.
pub fn object_name(id: &str) -> String {
    id.rsplit('/').next().unwrap_or(id).to_owned()
}

/// The Policy object for a policy that is named without one: as a default bundle ships it, else what its METADATA says
/// with every parameter at its default.
pub fn default_spec(library: &Library, id: &str) -> PolicySpec {
    let bundles = DEFAULT_BUNDLES.iter().filter_map(|name| library.bundle(name)?.ok());
    let mut shipped = bundles.flatten().filter(|(_, spec)| spec.source.library.as_deref() == Some(id));
    let plain = || PolicySpec::of(Source { library: Some(id.to_owned()), ..Source::default() });
    shipped.next().map_or_else(plain, |(_, spec)| spec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn own() -> Library {
        let files = [
            ("shop/no-team-zero/policy.rego", "package shop.no_team_zero\n\nimport data.lib.shop\n"),
            ("lib/shop.rego", "package lib.shop\n"),
            (
                "bundles/shop.yaml",
                "apiVersion: wayguard.io/v1alpha1\nkind: Bundle\nmetadata: {name: shop}\nspec:\n  policies:\n    - {policy: shop/no-team-zero}\n    - {policy: images/latest-tag}\n",
            ),
        ];
        Library::from_files(files.map(|(path, text)| (path.to_owned(), text.to_owned())).into())
    }

    #[test]
    fn a_bundle_of_ones_own_brings_its_rego_and_leaves_the_built_in_where_it_is() {
        let (built_in, own) = (Library::embedded(), own());
        let place = |path: &str| format!("acme 1.0.0: {path}");
        let choice = Choice::new(&built_in, &own, &place);
        let members = choice.named("shop").unwrap().unwrap();
        let names: BTreeMap<_, _> = members.iter().map(|it| (it.name.as_str(), it)).collect();
        let files = names["no-team-zero"].files.as_ref().unwrap();
        let paths: Vec<_> = files.modules.iter().map(|module| module.path.as_str()).collect();
        assert_eq!(paths, ["acme 1.0.0: shop/no-team-zero/policy.rego", "acme 1.0.0: lib/shop.rego"]);
        assert_eq!(names["no-team-zero"].spec.source.path.as_deref(), Some("shop/no-team-zero"));
        assert!(names["latest-tag"].files.is_none());
        assert_eq!(names["latest-tag"].spec.source.library.as_deref(), Some("images/latest-tag"));
    }

    #[test]
    fn a_policy_is_named_by_its_id_and_what_is_neither_is_nothing() {
        let (built_in, own) = (Library::embedded(), own());
        let place = |path: &str| path.to_owned();
        let choice = Choice::new(&built_in, &own, &place);
        let one = choice.named("shop/no-team-zero").unwrap().unwrap();
        assert_eq!((one.len(), one[0].name.as_str()), (1, "no-team-zero"));
        assert!(choice.named("shop/other").is_none());
        // A bundle that is built in is there too.
        assert!(!choice.named("golden-path").unwrap().unwrap().is_empty());
    }
}
