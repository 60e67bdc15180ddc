//! What the library says of itself, as pages: one for each policy, an index, and what is covered of other libraries.
//! Made from METADATA, bundles and samples; a test holds the committed pages (`docs/policies/`) against them.

mod man;
mod markdown;

use std::collections::BTreeMap;
use wayguard_engine::policy::bundle::{BundleSpec, Member, Shelf};
use wayguard_engine::policy::library::Library;
use wayguard_engine::policy::metadata::{self, Metadata};

/// The kind of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Form {
    /// A folder for a book: an index, a page for each policy, and the table of peers
    Markdown,
    /// A manual page of section 7 for each policy
    Man,
}

/// One policy of a library.
struct Entry {
    /// `category/name`.
    id: String,
    metadata: Metadata,
    /// Bundles that it is part of, and as what.
    bundles: Vec<(String, Member)>,
    /// Names and texts.
    allowed: Vec<(String, String)>,
    denied: Vec<(String, String)>,
}

/// A bundle and all that it comes to.
struct Bundle {
    name: String,
    spec: BundleSpec,
    members: Vec<Member>,
}

/// The pages of a library: path below the chosen folder → text.
///
/// # Errors
/// If the METADATA of a policy or a bundle cannot be read, in words.
pub(crate) fn pages(library: &Library, form: Form) -> Result<BTreeMap<String, String>, String> {
    let bundles = bundles(library)?;
    let entries = entries(library, &bundles)?;
    Ok(match form {
        Form::Markdown => markdown::pages(&entries, &bundles),
        Form::Man => entries
            .iter()
            .map(|entry| (format!("wayguard-{}.7", entry.id.replace('/', "-")), man::page(entry)))
            .collect(),
    })
}

/// The bundles of a library; they may inherit those that are built in.
fn bundles(library: &Library) -> Result<Vec<Bundle>, String> {
    let whole = Library::embedded().overlaid(library);
    let bundle = |name: String| {
        let none = || format!("there is no bundle `{name}`");
        let spec = Shelf::bundle(&whole, &name).ok_or_else(none)??;
        let members = whole.members(&name).ok_or_else(none)??;
        Ok(Bundle { name, spec, members })
    };
    library.bundles().into_iter().map(bundle).collect()
}

fn entries(library: &Library, bundles: &[Bundle]) -> Result<Vec<Entry>, String> {
    let members_of = |id: &str| {
        let all =
            bundles.iter().flat_map(|bundle| bundle.members.iter().map(|member| (&bundle.name, member)));
        all.filter(|(_, member)| member.policy == id).map(|(name, it)| (name.clone(), it.clone())).collect()
    };
    let samples = |id: &str, verdict: &str| {
        let folder = format!("{id}/samples/{verdict}/");
        let found = library.files().iter().filter_map(|(path, text)| {
            let name = path.strip_prefix(&folder)?.strip_suffix(".yaml")?;
            Some((name.replace('-', " "), text.clone()))
        });
        found.collect()
    };
    let entry = |id: String| {
        let module = library.policy(&id).ok_or_else(|| format!("there is no policy `{id}`"))?;
        Ok(Entry {
            metadata: metadata::read(&module).map_err(|error| error.to_string())?,
            bundles: members_of(&id),
            allowed: samples(&id, "allowed"),
            denied: samples(&id, "denied"),
            id,
        })
    };
    library.policy_ids().into_iter().map(entry).collect()
}

/// A parameter as its schema describes it: name, type, default, meaning.
fn parameters(metadata: &Metadata) -> Vec<[String; 4]> {
    let schema = metadata.custom.parameters.as_ref();
    let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
    let row = |(name, property): (&String, &serde_json::Value)| {
        let text =
            |key: &str| property.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let choices = property.get("enum").and_then(serde_json::Value::as_array);
        let kind = choices.map_or_else(
            || text("type"),
            |choices| choices.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "),
        );
        let default = property.get("default").map(ToString::to_string).unwrap_or_default();
        let meaning = text("description").split_whitespace().collect::<Vec<_>>().join(" ");
        [name.clone(), kind, default, meaning]
    };
    properties.into_iter().flatten().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_pages_of_the_library_are_current() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policies");
        let pages = pages(&Library::embedded(), Form::Markdown).unwrap();
        if std::env::var_os("WAYGUARD_UPDATE").is_some() {
            let _ = std::fs::remove_dir_all(&folder);
            for (path, text) in &pages {
                let path = folder.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
        }
        let stale: Vec<_> = pages
            .iter()
            .filter(|(path, text)| std::fs::read_to_string(folder.join(path)).ok().as_ref() != Some(*text))
            .map(|(path, _)| path)
            .collect();
        assert!(
            stale.is_empty(),
            "{stale:?} of docs/policies are not what the library says; run `WAYGUARD_UPDATE=1 cargo test -p wayguard --lib handbook`"
        );
    }

    #[test]
    fn a_page_tells_what_a_policy_is_for_and_how_to_mend_a_finding() {
        let library = Library::embedded();
        let markdown = pages(&library, Form::Markdown).unwrap();
        let page = &markdown["images/latest-tag.md"];
        for part in [
            "# Fixed image versions",
            "**Mend it:** Name the version",
            "| `tags` | array | `[\"latest\"]` |",
            "golden-path",
        ] {
            assert!(page.contains(part), "`{part}` is not in\n{page}");
        }
        assert!(markdown["README.md"].contains("[images/latest-tag](images/latest-tag.md)"));
        let man = &pages(&library, Form::Man).unwrap()["wayguard-images-latest-tag.7"];
        assert!(man.starts_with(".TH WAYGUARD-IMAGES-LATEST-TAG 7"), "{man}");
        assert!(!man.lines().any(|line| line.starts_with('\'')), "no line of text is a command: {man}");
    }
}
