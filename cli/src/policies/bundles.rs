//! Bundles in files: what they come to, together with those that are built in.

use crate::exit::Failure;
use wayguard_engine::policy::bundle::{self, BundleSpec, Member, Shelf};
use wayguard_engine::policy::library::Library;

/// A Bundle object of a file.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) name: String,
    pub(super) spec: BundleSpec,
    /// The file.
    pub(super) from: String,
}

/// The policies of the bundles that no other of them inherits, each with the bundle it comes from. Bundles inherit one
/// another and those of `library`; `library` also holds the policies that they may name.
///
/// # Errors
/// If a bundle cannot be put together or two have one name, with the file: none of its policies would be there.
pub(super) fn members(written: &[Written], library: &Library) -> Result<Vec<(String, Member)>, Failure> {
    let shelf = Around { written, library };
    let mut found = Vec::new();
    for (at, own) in written.iter().enumerate() {
        if let Some(first) = written.iter().take(at).find(|other| other.name == own.name) {
            let message = format!("{}: bundle `{}` is in {} already", own.from, own.name, first.from);
            return Err(Failure::Invalid(message));
        }
        // Also those that are inherited: two that inherit each other would otherwise be nobody's.
        let members = bundle::expand(&shelf, &own.name)
            .map_err(|problem| Failure::Invalid(format!("{}: {problem}", own.from)))?;
        let inherited = written.iter().any(|other| other.spec.inherits.contains(&own.name));
        if !inherited {
            let from = format!("bundle {} ({})", own.name, own.from);
            found.extend(members.into_iter().map(|member| (from.clone(), member)));
        }
    }
    Ok(found)
}

/// Bundles of files before those of a library.
struct Around<'a> {
    written: &'a [Written],
    library: &'a Library,
}

impl Shelf for Around<'_> {
    fn bundle(&self, name: &str) -> Option<Result<BundleSpec, String>> {
        let own = self.written.iter().find(|bundle| bundle.name == name);
        own.map(|bundle| Ok(bundle.spec.clone())).or_else(|| Shelf::bundle(self.library, name))
    }

    fn bundles(&self) -> Vec<String> {
        let mut names = self.library.bundles();
        names.extend(self.written.iter().map(|bundle| bundle.name.clone()));
        names.sort();
        names.dedup();
        names
    }

    fn policies(&self) -> Vec<String> {
        self.library.policy_ids()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(name: &str, spec: serde_json::Value) -> Written {
        let spec = serde_json::from_value(spec).unwrap();
        Written { name: name.into(), spec, from: format!("{name}.yaml") }
    }

    fn library() -> Library {
        let own = [("shop/no-team-zero/policy.rego".to_owned(), String::new())];
        Library::embedded().overlaid(&Library::from_files(own.into()))
    }

    #[test]
    fn a_bundle_of_a_folder_inherits_built_in_ones_and_names_policies_beside_it() {
        let bundles = [
            written("house", json!({"inherits": ["golden-path"], "remove": ["probes"]})),
            written("shop", json!({"inherits": ["house"], "policies": [{"policy": "shop/no-team-zero"}]})),
        ];
        let found = members(&bundles, &library()).unwrap();
        assert!(found.iter().all(|(from, _)| from == "bundle shop (shop.yaml)"), "house is part of shop");
        let names: Vec<&str> = found.iter().map(|(_, member)| member.name.as_str()).collect();
        assert!(names.contains(&"no-team-zero") && names.contains(&"latest-tag"), "{names:?}");
        assert!(!names.contains(&"probes"), "{names:?}");
    }

    #[test]
    fn what_cannot_be_put_together_is_refused_with_the_file() {
        let problem = |bundles: &[Written]| members(bundles, &library()).unwrap_err().to_string();
        let circle = [written("a", json!({"inherits": ["b"]})), written("b", json!({"inherits": ["a"]}))];
        assert_eq!(problem(&circle), "a.yaml: bundle `a` inherits itself: a ← b ← a");
        let twice = [written("a", json!({})), written("a", json!({}))];
        assert_eq!(problem(&twice), "a.yaml: bundle `a` is in a.yaml already");
    }
}
